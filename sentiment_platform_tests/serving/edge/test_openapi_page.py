"""A newcomer has nothing but the page of the API, in a browser: a first prediction, a batch, feedback, under its own strict policy."""

import re
from typing import Any

import pytest
from playwright.sync_api import Error, Page, expect

from sentiment_platform.text.example import EXAMPLE_TEXT
from sentiment_platform_tests.serving.running import ServingProcess

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def send(page: Page, route: str) -> Any:
    """Open the route's part of the page and press its button; the part."""
    part = page.locator(f"#{route}")
    part.locator("summary").click()
    part.get_by_role("button", name="Send").click()
    return part


def test_from_the_page_alone_come_a_prediction_a_batch_feedback_and_what_is_live(answering: ServingProcess, page: Page) -> None:
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(f"{answering.url}/docs")
    expect(page.locator("#about")).to_contain_text("Authorization: Bearer KEY")
    expect(page.locator("h2#predictions + p")).to_contain_text("Start here")

    first = send(page, "post_predict")
    assert EXAMPLE_TEXT in first.locator("textarea").input_value()
    reply = first.locator("button + pre")
    expect(reply).to_contain_text("200 in")
    expect(first).to_contain_text("curl")
    expect(first).to_contain_text("The likeliest label")
    (prediction_id,) = re.findall(r'"prediction_id": "([0-9a-f-]{36})"', reply.inner_text())

    expect(send(page, "post_predict_batch").locator("button + pre")).to_contain_text('"answers": [')

    feedback = page.locator("#post_feedback")
    feedback.locator("summary").click()
    body = feedback.locator("textarea")
    body.fill(re.sub(r'"prediction_id": "[^"]*"', f'"prediction_id": "{prediction_id}"', body.input_value()))
    feedback.get_by_role("button", name="Send").click()
    expect(feedback.locator("button + pre")).to_contain_text("202 in")

    expect(send(page, "get_models_status").locator("button + pre")).to_contain_text("v1.0.0-vader")
    version = page.locator("#get_features_version")
    version.locator("summary").click()
    version.locator("input").fill("v1")
    version.get_by_role("button", name="Send").click()
    expect(version.locator("button + pre")).to_contain_text("word_count")

    refused = send(page, "post_models_rollback").locator("button + pre")
    expect(refused).to_contain_text("key_missing")
    # The browser names each answer that is an error; nothing else may be said.
    assert [line for line in said if "401" not in line] == []


def test_the_policy_of_the_page_refuses_scripts_in_it(answering: ServingProcess, page: Page) -> None:
    page.goto(f"{answering.url}/schema")
    with pytest.raises(Error, match="requires 'TrustedScript'"):
        page.evaluate("document.body.setAttribute('onclick', 'document.title = 1')")
