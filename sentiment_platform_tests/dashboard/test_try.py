"""The page that answers a sentence: both families, what moved them, a person's word, a link that shares it."""

import re
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from sentiment_platform_tests.dashboard.conftest import OpenPage, axe, screenshot
from sentiment_platform_tests.serving.running import ServingProcess

pytestmark = [pytest.mark.browser, pytest.mark.slow]
SENTENCE = "Sales fell, but the company expects a strong recovery"
MARKUP = "<img src=x onerror=alert(1)> & <b>profit</b> rises \u202e 2 %"


def test_a_sentence_is_answered_by_both_families_explained_and_judged_by_keyboard_alone(open_page: OpenPage) -> None:
    said: list[str] = []
    page = open_page("/app/try", said=said)
    page.keyboard.press("/")
    page.keyboard.type(SENTENCE)
    page.keyboard.press("Enter")
    cards = page.locator(".family-card")
    expect(cards).to_have_count(2)
    for card in (cards.nth(0), cards.nth(1)):
        expect(card.locator(".token")).to_have_count(9)
        bars = card.locator(".probabilities dd").all_inner_texts()
        assert [bar.count("%") for bar in bars] == [1, 1, 1]
        card.get_by_text("In numbers").click()
        told = [float(cell.replace("−", "-")) for cell in card.locator("tbody td:last-child").all_inner_texts()]
        total = float(card.locator("tfoot td:last-child").inner_text().replace("−", "-"))
        assert sum(told) == pytest.approx(total, abs=0.0005 * (len(told) + 1)), (
            "base, features and tokens add up to the sentiment"
        )
    assert quote(SENTENCE.split(",")[0]) in page.url.replace("+", "%20"), "the address holds the sentence"
    screenshot(page, "try-answered", whole=True)
    assert axe(page) == []

    cards.nth(0).get_by_role("button", name="Right").focus()
    page.keyboard.press("Enter")
    expect(cards.nth(0).locator(".feedback")).to_contain_text("It is counted")
    cards.nth(0).get_by_text("Where this answer comes from").click()
    expect(cards.nth(0).locator(".origin")).to_contain_text("Deployed", timeout=30_000)
    # The answer gets into the database within seconds; who asks sooner is told 404, and asks again.
    assert [line for line in said if "status of 404" not in line] == []


def test_a_shared_link_asks_by_itself_and_markup_in_it_is_shown_and_not_read(
    open_page: OpenPage, platform: ServingProcess
) -> None:
    page = open_page(f"/app/try?text={quote(MARKUP)}")
    expect(page.locator(".family-card")).to_have_count(2)
    assert page.locator("main img").count() == 0
    assert page.get_by_label("A headline or a short text").input_value() == MARKUP
    tokens = page.locator(".family-card").first.locator(".token").all_inner_texts()
    words = [re.split(r"[+−\d]", token)[0] for token in tokens]
    assert [word for word in words if word.isalpha()] == ["profit", "rises"], (
        "a model reads what the markup says, as for collected news"
    )


def test_a_text_that_is_refused_says_which_field_and_why(open_page: OpenPage) -> None:
    said: list[str] = []
    page = open_page("/app/try?text=Profit%20rises&ticker=KSTN%2C%20TNWK", said=said)
    expect(page.get_by_role("alert")).to_contain_text("ticker")
    assert [line for line in said if "status of 400" not in line] == []


def test_a_text_that_no_address_can_hold_is_answered_all_the_same_and_leaves_a_page_that_loads(open_page: OpenPage) -> None:
    page = open_page("/app/try")
    page.get_by_label("A headline or a short text").fill("Profit rises in every region. " * 150)
    page.get_by_role("button", name="Ask both models").click()
    expect(page.locator(".family-card")).to_have_count(2)
    expect(page.locator("main")).to_contain_text("Too long for a link")
    assert "text=" not in page.url
    page.reload()
    expect(page.get_by_label("A headline or a short text")).to_have_value("")
