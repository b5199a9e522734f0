"""The page of alerts: a person says that they know of one. Tried first, with the key that a tab is asked for once, and followed."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from sentiment_platform.clock import utc_now
from sentiment_platform.store.engine import create_platform_engine
from sentiment_platform.store.incidents import Incident, open_incident, resolve_incident
from sentiment_platform_tests.dashboard.conftest import OpenPage, screenshot
from sentiment_platform_tests.dashboard.platform_in_use import ADMIN_KEY
from sentiment_platform_tests.serving.running import ServingProcess

pytestmark = [pytest.mark.browser, pytest.mark.slow]
REFUSED = "the server responded with a status of 401"
SUMMARY = "The disk of the journal is 91% full."
DISK = Incident(fingerprint="disk-of-the-page", category="system", severity="warning", source="tests", summary=SUMMARY)
WORSE = Incident(fingerprint="disk-of-the-page", category="system", severity="critical", source="tests", summary=SUMMARY)


@pytest.fixture
def disk(platform: ServingProcess) -> Iterator[None]:
    """An alert of this test's own, which is over when the test is."""
    engine = create_platform_engine(platform.settings.require("database_url"))
    with engine.begin() as connection:
        open_incident(connection, DISK, utc_now())
    yield
    with engine.begin() as connection:
        resolve_incident(connection, DISK.fingerprint, utc_now())
    engine.dispose()


def card(page: Page) -> Locator:
    return page.locator("li.incident").filter(has_text=SUMMARY)


def stored(page: Page, platform: ServingProcess) -> dict[str, str] | None:
    incidents = page.request.get(f"{platform.url}/monitoring/alerts").json()["incidents"]
    return next(one["acknowledgement"] for one in incidents if one["fingerprint"] == DISK.fingerprint)


@pytest.mark.usefixtures("disk")
def test_an_alert_is_acknowledged_by_keyboard_tried_first_with_the_tabs_key_and_shown_to_everybody(
    open_page: OpenPage, platform: ServingProcess
) -> None:
    said: list[str] = []
    page = open_page("/app/alerts", said=said)
    elsewhere = open_page("/", clock=True)  # another person's browser
    card(page).get_by_role("button", name="Acknowledge").press("Enter")
    note = card(page).get_by_label("Note")
    expect(note).to_be_focused()
    tried = card(page).get_by_role("button", name="Try it first, changing nothing")
    expect(tried).to_be_disabled()
    page.keyboard.type("the desk makes room")
    page.keyboard.press("Tab")
    page.keyboard.type("not-the-key")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("A key of this platform is needed")
    assert [line for line in said if REFUSED not in line] == []
    said.clear()

    card(page).get_by_label("API key").fill(ADMIN_KEY)
    tried.press("Enter")
    expect(card(page)).to_contain_text("It would work.")
    expect(card(page)).to_contain_text("configured admin would stand beside it")
    assert stored(page, platform) is None, "a dry run changes nothing"
    screenshot(page, "alerts-tried")
    done = card(page).get_by_role("button", name="Do it")
    expect(done).to_be_focused()
    done.press("Enter")
    expect(card(page)).to_contain_text("every replica reads it there")
    expect(card(page).get_by_role("button", name="Close")).to_be_focused()
    acknowledgement = stored(page, platform)
    assert acknowledgement is not None
    assert (acknowledgement["by"], acknowledgement["note"]) == ("configured admin", "the desk makes room")
    expect(card(page)).to_contain_text("the desk makes room")
    screenshot(page, "alerts-acknowledged")
    card(page).get_by_role("button", name="Close").press("Enter")
    expect(card(page).get_by_role("button", name="Acknowledge")).to_be_focused()

    # Asked once: the other page of this tab has the key, a loaded one does not, and nothing keeps it.
    page.get_by_role("link", name="Deployments").first.click()
    expect(page.get_by_label("API key")).to_have_value(ADMIN_KEY)
    kept = page.evaluate("JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, location.href])")
    assert ADMIN_KEY not in kept
    page.reload()
    expect(page.get_by_label("API key")).to_have_value("")

    strip = elsewhere.get_by_label("How the service does")
    # By itself, within forty seconds on its clock.
    elsewhere.clock.fast_forward(40_000)
    expect(strip).to_contain_text(re.compile(r"\d+ open, 1 acknowledged"))
    expect(elsewhere.locator("#wrong")).to_contain_text("acknowledged by configured admin")

    engine = create_platform_engine(platform.settings.require("database_url"))
    with engine.begin() as connection:
        open_incident(connection, WORSE, utc_now())
    engine.dispose()
    again = open_page("/app/alerts")
    expect(card(again)).to_contain_text("critical")
    expect(card(again)).not_to_contain_text("Acknowledged by")
    assert stored(page, platform) is None, "who knew of a warning does not know that it became critical"
