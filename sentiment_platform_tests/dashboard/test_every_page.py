"""What holds for every page of the dashboard's table, over the platform as a demo left it: console, axe, widths, print, honesty.

What a page shows is tested beside it: `test_<page>.py`.
"""

import re

import pytest
from playwright.sync_api import Page, expect

from sentiment_platform_tests.dashboard.conftest import OpenPage, axe, screenshot, settled
from sentiment_platform_tests.dashboard.layout import too_wide
from sentiment_platform_tests.dashboard.page_table import in_use, named, paths
from sentiment_platform_tests.serving.running import ServingProcess

pytestmark = [pytest.mark.browser, pytest.mark.slow]
WIDTHS = (390, 768, 1280, 2560)
COMMAND = re.compile(r"^(sentiment-platform|make|curl|python) ")
PICTURE = {"width": 1280, "height": 800}


@pytest.mark.parametrize("path", paths())
def test_a_page_says_nothing_to_the_console_and_axe_has_nothing_serious_in_both_themes(open_page: OpenPage, path: str) -> None:
    page = open_page(in_use(path), **PICTURE)
    faults = {"light": axe(page)}
    screenshot(page, f"{named(path)}-light")
    page.emulate_media(color_scheme="dark")
    faults["dark"] = axe(page)
    screenshot(page, f"{named(path)}-dark")
    assert faults == {"light": [], "dark": []}


@pytest.mark.parametrize("path", paths())
def test_a_page_fits_every_width_and_paper(open_page: OpenPage, path: str) -> None:
    page = open_page(in_use(path))
    faults: dict[str, list[str]] = {}
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        faults[f"{width} px"] = too_wide(page)
        screenshot(page, f"{named(path)}-{width}", whole=True)
    page.set_viewport_size({"width": 794, "height": 1123})  # A4 at 96 dpi
    page.emulate_media(media="print")
    faults["paper"] = too_wide(page)
    expect(page.locator("nav")).to_be_hidden()
    screenshot(page, f"{named(path)}-print", whole=True)
    assert {where: found for where, found in faults.items() if found} == {}


@pytest.mark.parametrize("path", [path for path in paths() if ":" not in path])
def test_where_nothing_happened_a_page_says_what_is_missing_and_the_command_that_gets_it(
    open_page: OpenPage, nothing_yet: ServingProcess, path: str
) -> None:
    said: list[str] = []
    page = open_page(path, serving=nothing_yet, said=said)
    screenshot(page, f"{named(path)}-empty", whole=True)
    commands = page.locator("main code").all_inner_texts()
    assert [command for command in commands if COMMAND.match(command)], page.locator("main").inner_text()
    assert not re.search(r"\bNaN\b|undefined|Infinity|null|Invalid Date", page.locator("main").inner_text())
    # Chromium names each answer that is an error: without a model this process is not ready, and says so with 503.
    assert [line for line in said if "the server responded with a status of 503" not in line] == []
    assert axe(page) == []


def test_without_the_api_every_page_says_since_when_it_is_stale_changes_no_number_and_comes_back_by_itself(
    open_page: OpenPage, platform: ServingProcess
) -> None:
    said: list[str] = []
    pages = {path: open_page(in_use(path), said=said) for path in paths()}
    assert said == []
    stale: dict[str, int] = {}
    platform.terminate()
    # While the API was there, what counts its own requests went on. What it answered last is shown by then; from here on nothing changes.
    pages["/"].wait_for_timeout(2_000)
    shown = {path: numbers(page) for path, page in pages.items()}
    try:
        for path, page in pages.items():
            ask_again(page)
            expect(page.locator("main .stale").first).to_contain_text(re.compile(r"[Ss]tale since .*\d\d:\d\d"))
            stale[path] = len(shown[path])
            assert numbers(page) == shown[path], path
            screenshot(page, f"{named(path)}-stale")
    finally:
        platform.start()
    for page in pages.values():
        expect(page.locator("main .stale")).to_have_count(0, timeout=30_000)
    assert stale.keys() == pages.keys()
    assert all(count > 2 for count in stale.values()), "pages without numbers would prove nothing"


def numbers(page: Page) -> list[str]:
    """Every number of the page's cards but ages, which go on, and what a band says: the verdict of Service says that nothing answers."""
    settled(page)
    text = page.evaluate(
        """() => { const copy = document.querySelector("main").cloneNode(true);
        copy.querySelectorAll(".stale, .verdict, time").forEach((node) => node.remove()); return copy.textContent; }"""
    )
    return re.findall(r"[+−-]?\d[\d.,]*", text)


def ask_again(page: Page) -> None:
    """What a page does when somebody comes back to it; by itself it asks within a minute. What was read two seconds ago is not asked again."""
    for _ in range(10):
        page.evaluate(
            "window.dispatchEvent(new Event('visibilitychange')); document.dispatchEvent(new Event('visibilitychange'))"
        )
        page.wait_for_timeout(500)
        if page.locator("main .stale").count():
            return
