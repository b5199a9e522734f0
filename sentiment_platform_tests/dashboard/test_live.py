"""Claims about the first page: it shows what the API says, of whom, as it happens, and text of others as text."""

import re
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import Engine, text

from sentiment_platform.clock import utc_now
from sentiment_platform.events import ArticleScored, publish
from sentiment_platform.store.articles import NewArticle
from sentiment_platform.store.engine import create_platform_engine
from sentiment_platform_tests.dashboard.conftest import OpenPage, screenshot
from sentiment_platform_tests.features.articles import article, insert
from sentiment_platform_tests.sentiment.scores import score, store_scores
from sentiment_platform_tests.serving.running import ServingProcess

pytestmark = [pytest.mark.browser, pytest.mark.slow]
SEEN_WITHIN_S = 5.0
HOSTILE = 500
GOOD = (0.05, 0.15, 0.8)
# Each would run, hide what follows, turn it round, or lead somewhere, where text is taken for markup or for an address.
MARKUP = (
    "<script>window.ran = {n}</script>Mill burns {n}",
    "<img src=x onerror='window.ran = {n}'>Mill burns {n}",
    "</title></style></textarea></template><svg onload=window.ran={n}>Mill burns {n}",
    "Mill <b>burns</b> <!-- {n} <plaintext>",
    '"><iframe srcdoc="<script>top.ran = {n}</script>">Mill {n}',
    "{{{{constructor.constructor('window.ran={n}')()}}}} ${{window.ran={n}}} Mill {n}",
    "\u202emill burns\u202c \u2066{n} {n} \u2067right to left",
    "<a href='javascript:window.ran={n}'>Mill {n}</a>",
    "M" * 300 + " {n}",
    "&lt;script&gt;window.ran = {n}&lt;/script&gt; &amp;#x3C; {n}",
)
ADDRESSES = (
    "javascript:window.ran=1",
    "https://news.example/{n}?a=<b>&c='\"",
    "data:text/html,<script>1</script>",
    "//news.example/{n}",
    None,
)
REMOVED = ("article_sentiment", "story_clusters", "sightings", "raw_data")


@pytest.fixture
def engine_of() -> Iterator[Any]:
    """Of a serving process: the engine of its database. What a test puts in as source `browser-test` is taken out again."""
    engines: list[Engine] = []

    def connect(serving: ServingProcess) -> Engine:
        engines.append(create_platform_engine(serving.settings.require("database_url")))
        return engines[-1]

    yield connect
    ours = "IN (SELECT id FROM platform.raw_data WHERE source = 'browser-test')"
    for engine in engines:
        with engine.begin() as connection:
            for table in REMOVED:
                key = "id" if table == "raw_data" else "article_id"
                connection.execute(text(f"DELETE FROM platform.{table} WHERE {key} {ours}"))
        engine.dispose()


def told(number: int, **changes: Any) -> NewArticle:
    """An article of this moment, the higher its number the newer."""
    at = utc_now() - timedelta(hours=1) + timedelta(seconds=number)
    return article(10**9 + number, 0, source="browser-test", published_at=at, fetched_at=at, available_at=at, **changes)


def news(serving: ServingProcess, **asked: Any) -> list[dict[str, Any]]:
    return serving.client.get("/news", params=asked).json()["items"]


def headlines(page: Page) -> list[str]:
    return page.locator(".story .headline").all_text_contents()


def test_the_page_says_of_each_story_what_the_api_says(open_page: OpenPage, platform: ServingProcess) -> None:
    page = open_page("/")
    items = news(platform, limit=50)
    assert len(items) > 10
    expect(page.locator(".story")).to_have_count(len(items))
    assert headlines(page) == [item["headline"] for item in items]
    for story, item in zip(page.locator(".story").all(), items, strict=True):
        written = story.inner_text()
        for found in item["scores"].values():
            number = f"{abs(found['sentiment']):.2f}"
            assert all(word in written for word in (found["version"], found["label"], number))
        assert ("models differ" in written) is (item["agreement"] is False)
    # A deployment of a test before may come live at this moment: the page hears of it as any reader does.
    status, strip = platform.status(), page.locator(".strip")
    expect(strip).to_contain_text(status["deployment"]["reason"])
    for family in status["families"].values():
        expect(strip).to_contain_text(family["version"])


def test_an_article_is_on_the_page_and_on_the_board_within_five_seconds_of_its_scoring(
    open_page: OpenPage, platform: ServingProcess, engine_of: Any
) -> None:
    page = open_page("/")
    expect(page.get_by_text("live: events come as they happen")).to_be_visible()
    engine = engine_of(platform)
    status = platform.status()
    version = status["families"][status["default_family"]]["version"]
    new = told(1, title="Ostrava Kilns wins the contract of its life", tickers=("OKLN",))
    insert(engine, [new])
    store_scores(engine, score(new, GOOD, version, at=utc_now()))
    scored_at = time.monotonic()
    event = ArticleScored(
        at=utc_now(),
        article_id=new.id,
        headline=new.title,
        symbols=["OKLN"],
        available_at=new.available_at,
        version=version,
        label="positive",
        sentiment=0.75,
    )
    assert publish(platform.settings.redis_url, [event]) == 1
    expect(page.locator(".story").first).to_contain_text(new.title, timeout=SEEN_WITHIN_S * 1000)
    expect(page.locator(".story").first).to_contain_text("+0.75")
    expect(page.locator(".board tbody tr", has_text="OKLN")).to_contain_text("too few: 1 scored")
    assert time.monotonic() - scored_at < SEEN_WITHIN_S


def test_a_symbol_filters_and_the_address_says_so(open_page: OpenPage, platform: ServingProcess) -> None:
    page = open_page("/")
    everything = headlines(page)
    symbol = next(item["symbols"][0] for item in news(platform) if item["symbols"])
    page.locator(".board").get_by_role("button", name=symbol, exact=True).click()
    expect(page).to_have_url(re.compile(rf"\?symbol={symbol}$"))
    of_symbol = [item["headline"] for item in news(platform, symbol=symbol, limit=50)]
    expect(page.locator(".story .headline")).to_have_text(of_symbol)
    assert of_symbol != everything
    page.reload()
    expect(page.locator(".story .headline")).to_have_text(of_symbol)
    page.go_back()
    expect(page.locator(".story .headline")).to_have_text(everything)
    page.keyboard.press("/")
    page.keyboard.type("nobody")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"\?symbol=NOBODY$"))
    expect(page.locator(".feed")).to_contain_text("No story names NOBODY")


def test_of_500_hostile_headlines_nothing_runs_and_nothing_is_hidden(
    open_page: OpenPage, nothing_yet: ServingProcess, engine_of: Any
) -> None:
    hostile = [
        told(
            n,
            title=MARKUP[n % len(MARKUP)].format(n=n),
            outlet=MARKUP[(n + 3) % len(MARKUP)].format(n=n)[:80],
            url=(address := ADDRESSES[n % len(ADDRESSES)]) and address.format(n=n),
            tickers=(f"<b>{n}", "<SCRIPT>"),
        )
        for n in range(HOSTILE)
    ]
    engine = engine_of(nothing_yet)
    insert(engine, hostile)
    store_scores(engine, *(score(one, GOOD) for one in hostile))
    said: list[str] = []
    page = open_page("/", serving=nothing_yet, said=said)
    page.on("dialog", lambda dialog: said.append(f"dialog: {dialog.message}"))
    for shown in range(50, HOSTILE, 50):
        expect(page.locator(".story")).to_have_count(shown)
        page.get_by_role("button", name="Show older").click()
    expect(page.locator(".story")).to_have_count(HOSTILE)
    expected: list[str] = []
    cursor: dict[str, str] = {}
    while len(expected) < HOSTILE:
        answer = nothing_yet.client.get("/news", params={"limit": 200, **cursor}).json()
        expected += [item["headline"] for item in answer["items"]]
        cursor = {"cursor": answer["next_cursor"] or ""}
    assert headlines(page) == expected
    assert page.evaluate("window.ran") is None
    assert page.evaluate("[...document.querySelectorAll('main script, main iframe, main img, main a b')].length") == 0
    links = page.locator(".headline a").evaluate_all("all => all.map(a => [a.protocol, a.rel, a.target])")
    assert links == [["https:", "noopener noreferrer nofollow", "_blank"]] * (HOSTILE // len(ADDRESSES))
    # Nothing lies over its neighbour or outside of the page, and each headline takes room.
    page.set_viewport_size({"width": 390, "height": 844})
    boxes = page.locator(".story .headline").evaluate_all(
        "all => all.map(each => { const box = each.getBoundingClientRect(); return [box.left, box.right, box.height]; })"
    )
    assert all(left >= 0 and right <= 390 and height >= 15 for left, right, height in boxes)
    screenshot(page, "live-hostile")
    assert [line for line in said if "the server responded with a status of 503" not in line] == []
