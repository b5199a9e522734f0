"""Pages and an API of different releases: no page breaks, nothing is invented, and a quiet line says which is older."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from sentiment_platform_tests.dashboard.conftest import STEP_LIMIT_MS, settled
from sentiment_platform_tests.dashboard.layout import too_wide
from sentiment_platform_tests.dashboard.other_release import DOCUMENT, NEW_FIELD, NEW_WORD, answering, newer, older
from sentiment_platform_tests.dashboard.page_table import in_use, paths
from sentiment_platform_tests.serving.running import ServingProcess

pytestmark = [pytest.mark.browser, pytest.mark.slow]
INVENTED = re.compile(r"\bNaN\b|undefined|Infinity|Invalid Date|\[object|" + NEW_FIELD)
NEWER_ROUTES = ("/monitoring/runs", "/monitoring/quality", "/models/selections", "/tickers")
Show = Callable[[str, Callable[[Route], None]], Page]


def version(number: str) -> Callable[[object, dict[str, object]], object]:
    """The answer with another version of the platform, where it says one."""
    return lambda value, schema: {**value, "version": number} if isinstance(value, dict) and "runbook_url" in value else value


@pytest.fixture
def show(browser: object, platform: ServingProcess) -> object:
    """Call it with a path and a handler of what it asks for, to see the page; each page error fails the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")  # type: ignore[attr-defined]
    errors: list[str] = []

    def open_(path: str, handle: Callable[[Route], None]) -> Page:
        page: Page = context.new_page()
        page.set_default_timeout(STEP_LIMIT_MS)
        page.on("pageerror", lambda error: errors.append(f"{path}: {error}"))
        page.route(re.compile(r"^http://[^/]+/(?!assets/|app|$)"), handle)
        page.goto(platform.url + in_use(path))
        settled(page)
        return page

    yield open_
    context.close()
    assert errors == []


def faults(page: Page) -> list[str]:
    """What is wrong with it: broken, invented, or pushed out of its place."""
    text = page.locator("main").inner_text()
    broken = [line for line in text.splitlines() if "page broke" in line]
    return [*broken, *(found[0] for found in INVENTED.finditer(text)), *too_wide(page)]


def test_a_newer_api_with_fields_and_words_that_the_pages_do_not_know_breaks_none_of_them(show: Show) -> None:
    wrong: dict[str, list[str]] = {}
    words = 0
    for path in paths():
        page = show(path, answering(newer))
        text = page.locator("main").inner_text()
        words += text.count(NEW_WORD) + text.count(NEW_WORD.replace("_", " "))
        if found := [*faults(page), *(line for line in text.splitlines() if "cannot be shown" in line)]:
            wrong[path] = found
        page.close()
    assert wrong == {}
    assert words > 20, "a word that is not known is shown as it came"


def test_an_older_api_without_newer_fields_and_routes_breaks_no_page_and_is_named_where_a_route_is_missing(show: Show) -> None:
    wrong: dict[str, list[str]] = {}
    told = 0
    for path in paths():
        page = show(path, answering(older, missing=lambda asked: asked in NEWER_ROUTES))
        text = page.locator("main").inner_text()
        told += text.count("The API has no such route, so it is older than these pages. Release serving.")
        if found := [*faults(page), *(line for line in text.splitlines() if "cannot be shown" in line)]:
            wrong[path] = found
        page.close()
    assert wrong == {}
    assert told >= len(NEWER_ROUTES)


@pytest.mark.parametrize(
    ("api", "said"),
    [("99.0.0", "Load the page again; if this stays, build the dashboard again."), ("0.0.1", "Release serving."), ("", "")],
)
def test_a_quiet_line_says_which_of_pages_and_api_is_older(show: Show, api: str, said: str) -> None:
    pages = DOCUMENT["info"]["version"]
    line = show("/app/alerts", answering(version(api or pages))).locator(".skew")
    if said:
        expect(line).to_contain_text(f"These pages are of {pages}, the API is of {api}")
        expect(line).to_contain_text(said)
    else:
        expect(line).to_have_count(0)
