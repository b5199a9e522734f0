"""What the dashboard's first page weighs, and how soon a browser shows it. Over a real local stack, in Chromium."""

import statistics
from collections.abc import Iterator

from playwright.sync_api import Page, sync_playwright

from sentiment_platform.errors import PermanentError
from sentiment_platform_tests.benchmarks.rows import TABLE, Figure
from sentiment_platform_tests.benchmarks.serving_start import local_settings, publisher
from sentiment_platform_tests.chromium import SWITCHES, program
from sentiment_platform_tests.dashboard.first_load import first_load
from sentiment_platform_tests.serving.running import ServingProcess
from serving.dashboard.built_pages import read_built

WEIGHT_KB, WARM_MS = 250.0, 300.0
ROUNDS = 5
FIRST_PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"


@TABLE.row("W.2", "dashboard: weight of the first page as it is sent, and its warm first paint")
def first_page() -> Iterator[Figure]:
    built = read_built()
    chromium = program()
    if not built or chromium is None:
        raise PermanentError(
            "The dashboard is not built, or there is no Chromium.", remedy="make dashboard; apt-get install chromium"
        )
    sizes = first_load(built)
    weight_kb = sum(sizes.values()) / 1e3
    yield Figure("files of the first page, compressed", weight_kb, "kB", WEIGHT_KB, len(sizes), explains={"bytes": sizes})
    with local_settings() as settings, publisher(settings) as publish, sync_playwright() as playwright:
        publish.deploy(publish.model())
        serving = ServingProcess(settings)
        browser = playwright.chromium.launch(executable_path=chromium, args=SWITCHES)
        try:
            page = browser.new_page()
            page.goto(serving.start().url)
            cold_ms = painted_ms(page)
            rounds = [reloaded_ms(page) for _ in range(ROUNDS)]
        finally:
            browser.close()
            serving.stop()
    explains = {"cold_ms": round(cold_ms, 1), "rounds_ms": [round(value, 1) for value in rounds]}
    yield Figure("warm first paint on loopback", statistics.median(rounds), "ms", WARM_MS, ROUNDS, explains=explains)


def reloaded_ms(page: Page) -> float:
    page.reload()
    return painted_ms(page)


def painted_ms(page: Page) -> float:
    """Milliseconds from the start of the navigation to the first text or picture."""
    # Not `wait_for_function`: it calls `eval`, which the policy of the page refuses.
    while (at_ms := page.evaluate(FIRST_PAINT)) is None:
        page.wait_for_timeout(20)
    return float(at_ms)
