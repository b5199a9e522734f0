"""Text of others on every page: nothing runs, nothing is hidden, nothing breaks the layout. The headlines' own test is `test_live.py`."""

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from sentiment_platform_tests.dashboard.conftest import OpenPage, own_platform
from sentiment_platform_tests.dashboard.hostile import VERSION, planted, shown, words
from sentiment_platform_tests.dashboard.layout import spilled, too_wide, widest_table
from sentiment_platform_tests.dashboard.page_table import paths
from sentiment_platform_tests.serving.running import ServingProcess

pytestmark = [pytest.mark.browser, pytest.mark.slow]
ASKED = {
    "/app/models/:version": VERSION,
    "/app/alerts": "?show=all",
    "/app/deployments": "?revision=1",
    "/app/models/compare": f"?a={VERSION}&b=v9.9.9-vader",
    "/app/try": "?text=" + quote("Profit <b>rises</b> " + "W" * 900),
}
MADE_OF_TEXT = "main :is(script, iframe, b, img), main [onerror]"
WIDEST_TABLE = 2_000


@pytest.fixture(scope="module")
def written_by_others(
    built: Path,
    tmp_path_factory: pytest.TempPathFactory,
    new_database: Callable[..., str],
    _migrated_database: str,
    _redis_server_url: str,
    signing_keys: dict[str, str],
) -> Iterator[tuple[ServingProcess, list[str]]]:
    """Serving over a platform in which every text of others is hostile, and those that a page must show."""
    folder = tmp_path_factory.mktemp("hostile")
    with (
        own_platform(folder, new_database(_migrated_database), _redis_server_url, signing_keys) as settings,
        planted(settings, folder) as texts,
    ):
        serving = ServingProcess(settings)
        try:
            yield serving.start(), texts
        finally:
            serving.stop()


def faults(page: Page) -> list[str]:
    """What is wrong once the page has come to rest: charts follow a new width a few frames later."""
    for _ in range(20):
        if not faults_now(page):
            return []
        page.wait_for_timeout(100)
    return faults_now(page)


def faults_now(page: Page) -> list[str]:
    ran = ["it ran"] if page.evaluate("window.ran") else []
    made = [f"{page.locator(MADE_OF_TEXT).count()} elements are made of text"] if page.locator(MADE_OF_TEXT).count() else []
    wide = [f"a table is {widest_table(page)} px wide"] if widest_table(page) > WIDEST_TABLE else []
    return [*ran, *made, *wide, *too_wide(page), *spilled(page)]


def test_of_hostile_text_on_every_page_nothing_runs_is_hidden_or_breaks_the_layout(
    open_page: OpenPage, written_by_others: tuple[ServingProcess, list[str]]
) -> None:
    serving, texts = written_by_others
    said: list[str] = []
    seen, broken = "", dict[str, list[str]]()
    for path in paths():
        page = open_page(path.partition(":")[0] + ASKED.get(path, ""), serving=serving, said=said)
        page.evaluate("document.querySelectorAll('main details').forEach((details) => { details.open = true; })")
        # What a pointer rests on is shown, too.
        seen += page.evaluate(
            "document.querySelector('main').textContent + [...document.querySelectorAll('main [title]')].map((node) => node.title).join()"
        )
        for width in (390, 1280):
            page.set_viewport_size({"width": width, "height": 900})
            if found := faults(page):
                broken[f"{path} at {width} px"] = found[:5]
    assert broken == {}, "\n".join(f"{where}: {fault}" for where, them in broken.items() for fault in them)
    assert [text for text in texts if text not in seen] == []
    # Chromium names what is not there: the other version, and an answer that is not in the database yet.
    assert [line for line in said if "the server responded with a status of 404" not in line] == []
    assert "Comment" not in seen, "what a person says of an answer is for training, not for everybody"


@pytest.mark.parametrize(
    "address", ["/app/models/{}", "/app/{}", "/?symbol={}", "/app/try?ticker=A&text={}", "/app/drift?version={}"]
)
def test_hostile_text_in_an_address_is_text(
    open_page: OpenPage, written_by_others: tuple[ServingProcess, list[str]], address: str
) -> None:
    said: list[str] = []
    page = open_page(address.format(quote(words("Address", 900), safe="")), serving=written_by_others[0], said=said)
    page.set_viewport_size({"width": 390, "height": 900})
    expect(page.locator("main h1")).to_be_visible()
    assert faults(page) == []
    # What such an address asks of the API is refused there, and Chromium says so.
    assert [line for line in said if "the server responded with a status of 4" not in line] == []
    if "/app/models" in address:
        expect(page.locator("main h1")).to_contain_text(shown("\u202edesrever"))
