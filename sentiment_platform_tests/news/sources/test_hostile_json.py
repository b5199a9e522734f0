"""JSON of a vendor that is broken or means harm: its good items are stored, its bad ones refused, and nothing else is disturbed."""

import json
import random
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sentiment_platform.fetching.errors import SourceRefusedError
from sentiment_platform.fetching.http import Fetched
from sentiment_platform.news.admission import article_of
from sentiment_platform.news.errors import NotAFeedError
from sentiment_platform.news.parsing.parse import ParsedFeed
from sentiment_platform.news.quality import judge
from sentiment_platform.news.quarantine import refused_item
from sentiment_platform.news.sources.entries import Cursors, Entry, FieldMap, JsonApiEntry, NextUrls
from sentiment_platform.news.sources.json_api import JsonApiSource
from sentiment_platform.news.sources.protocol import Window
from sentiment_platform.store.quarantine import quarantined_items
from sentiment_platform_tests.news.parsing.hostile import DATES, TEXTS
from sentiment_platform_tests.news.server import ScriptedServer, reply
from sentiment_platform_tests.news.sources.conftest import NOW, Collector
from sentiment_platform_tests.news.sources.vendor import BASE, FIELDS, row, titles

LONG_NAME = "".join(random.Random(5).choices("abcdefghijklmnopqrstuvwxyz0123456789", k=10_000))
VALUES: tuple[Any, ...] = (
    *TEXTS, *DATES, None, True, 0, -1, 10**300, 1e308, 5e-324, "", " ", "\x00", "Profit \x00 rises", "\ufffe", "\U0010ffff", [], {}, [[]],
    [None], {"a": {"b": 1}}, ["x"] * 10_000, "x" * 30_000, LONG_NAME, "https://e.example/" + "\u4e00" * 1_900,
    "https://google.com/amp/" * 4_000, "http://[::1", "file:///etc/passwd",
)  # fmt: skip
ROWS = (None, True, 7, "text", [], [[]], {}, {"head": {}}, {"unknown": 1})
EVERY_FIELD = FIELDS + 'summary = "text"\nurl = "link"\nlanguage = "tongue"\n'


def nested(depth: int) -> Any:
    found: Any = []
    for _ in range(depth):
        found = [found]
    return found


def test_good_items_are_stored_beside_bad_ones_and_every_item_has_one_fate(collector: Collector, feeds: ScriptedServer) -> None:
    good = [row(n) for n in range(20)]
    hostile: list[Any] = [*ROWS, *nested(1)]
    for field in ("id", "head", "text", "link", "at", "about", "by", "tongue"):
        hostile += [{**row(1_000), "link": "https://e.example/x", field: value} for value in (*VALUES, nested(200))]
        hostile += [{**row(1_000), "by": {"name": value}, "about": [{"symbol": value}]} for value in VALUES]
    rows = [*hostile, *good]
    random.Random(7).shuffle(rows)
    # No page is larger than an answer may be.
    pages = [*(rows[n : n + 50] for n in range(0, len(rows), 50)), []]
    for n, page in enumerate(pages):
        feeds.answers[f"/news?page={n}"] = reply(json.dumps({"data": {"rows": page}}).encode())
    paging = f"pages_per_run = {len(pages)}\n" + 'paging = { kind = "page", parameter = "page", size = 50, first = 0 }\n'
    collector.write(BASE.format(url=feeds.url) + paging + EVERY_FIELD)
    (report,) = collector()
    assert (report.outcome, report.fetched) == ("collected", len(rows))
    assert "with a note on a field" in (report.detail or "")
    assert titles(collector) >= {f"Company {n} raises its & our outlook" for n in range(20)}
    assert min(report.stored, report.duplicate, report.quarantined) > 20
    with collector.engine.connect() as connection:
        rules = {refused.rule for refused in quarantined_items(connection, limit=10_000)}
    assert rules >= {
        "title_is_present", "title_is_at_most_500_characters", "text_has_no_binary", "published_at_is_readable",
    }  # fmt: skip
    assert not any("<script" in article.title or "\x00" in article.title for article in collector.articles())


GOOD = json.dumps(row(1))
DOCUMENTS: dict[str, tuple[str | bytes, str]] = {
    "a number too large for any": (f'{{"data": {{"rows": [{GOOD}, {{"id": {"9" * 5_000}}}]}}}}', "not JSON"),
    "a number beyond floats": (f'{{"data": {{"rows": [{GOOD}, {{"id": 1e999}}]}}}}', "not JSON"),
    "not a number": (f'{{"data": {{"rows": [{GOOD}, {{"id": NaN}}]}}}}', "not JSON"),
    "half a surrogate pair": (f'{{"data": {{"rows": [{GOOD}, {{"head": "\\ud800"}}]}}}}', "not JSON"),
    "no UTF-8": (b'{"data": {"rows": [{"head": "\xff"}]}}', "not JSON"),
    "a raw NUL": (b'{"data": {"rows": [{"head": "\x00"}]}}', "not JSON"),
    "deep lists": ("[" * 200_000, "not JSON"),
    "deep objects that close": ('{"a":' * 100_000 + "1" + "}" * 100_000, "not JSON"),
    "too many items": (json.dumps({"data": {"rows": [{}] * 5_001}}), "more than 5,000 items"),
    "rows that are an object": (json.dumps({"data": {"rows": {"0": {}}}}), "no list"),
    "a number": ("17", "no list"),
    "an explanation with NUL": (json.dumps({"Note": "over \x00 the limit"}), "over \ufffd the limit"),
    "a cursor with NUL": (json.dumps({"data": {"rows": [row(1)]}, "next": "a\x00b"}), "cannot be kept"),
    "a cursor without end": (json.dumps({"data": {"rows": [row(1)]}, "next": "a" * 1_000_000}), "cannot be kept"),
}
URLS = {
    "http://[::1": "no usable address",
    "/news?\x00": "cannot be kept",
    "//e.example\x00/": "cannot be kept",
    "//user:word@/": "is not shown there",
    "/" + "a" * 100_000: "cannot be kept",
}


@pytest.mark.parametrize("name", [*DOCUMENTS, *URLS], ids=lambda name: ascii(name)[:40])
def test_a_document_that_cannot_be_used_is_the_failure_of_its_source_alone(
    collector: Collector, feeds: ScriptedServer, name: str
) -> None:
    paging = "cursor" if name in DOCUMENTS else "next_url"
    body, reason = DOCUMENTS.get(name) or (json.dumps({"data": {"rows": [row(1)]}, "next": name}), URLS[name])
    feeds.answers["/news"] = reply(body.encode() if isinstance(body, str) else body)
    feeds.answers["/other"] = reply(json.dumps({"data": {"rows": [row(2)]}}).encode())
    parameter = 'parameter = "token", ' if paging == "cursor" else ""
    lines = f'error_at = ["Note"]\npaging = {{ kind = "{paging}", {parameter}at = "next" }}\n'
    other = (BASE + FIELDS).format(url=feeds.url).replace("wire", "other").replace("/news", "/other")
    collector.write(BASE.format(url=feeds.url) + lines + FIELDS + other)
    bad, good = collector()
    assert (bad.outcome, good.outcome, good.stored) == ("failed", "collected", 1)
    assert reason in (bad.detail or "")
    assert collector.state("wire").last_failure == bad.detail


class Answering:
    """Asks nobody: every request is answered with one body."""

    def __init__(self, body: bytes) -> None:
        self.body = body

    def get(self, url: str, *, headers: Mapping[str, str] | None = None, conditional: bool = False) -> Fetched:
        return Fetched(url=url, not_modified=False, body=self.body, content_type="", etag=None, last_modified=None)

    def read_feed(self, fetched: Fetched, source: str, entry: Entry) -> ParsedFeed:
        raise AssertionError("JSON is no feed")


TEXT = st.text(max_size=30) | st.sampled_from([value for value in VALUES if isinstance(value, str)])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=8,
)
ROW = st.dictionaries(st.sampled_from(["id", "head", "text", "link", "at", "about", "by", "tongue"]), JSON) | JSON
MAP = FieldMap(
    title="head", published_at="at", id="id", summary="text", url="link", outlet="by", language="tongue", tickers="about"
)


@pytest.mark.slow
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.lists(ROW, max_size=4), JSON, st.booleans())
def test_whatever_json_comes_it_is_items_with_one_fate_each_or_a_failure_with_a_name(
    rows: list[Any], following: Any, by_url: bool
) -> None:
    paging = NextUrls("next") if by_url else Cursors("token", "next")
    entry = JsonApiEntry(title="t", url="https://e.example/news", fields=MAP, items_at="rows", error_at=("Note",), paging=paging)
    body = json.dumps({"rows": rows, "next": following}).encode("utf-8", "surrogatepass")
    now = datetime(2025, 1, 6, tzinfo=UTC)
    try:
        page = next(JsonApiSource("wire", entry).pages(Window(NOW, NOW), None, Answering(body)))
    except (NotAFeedError, SourceRefusedError):
        return
    judgement = judge(page.items, now)
    assert len(judgement.accepted) + len(judgement.refused) == len(rows)
    for item in judgement.accepted:
        assert len(article_of(item, "run", now, archived=False).external_id.encode()) <= 2_000
    for refusal in judgement.refused:
        json.dumps(refused_item(refusal, "run", now, archived=False).payload)
