"""A vendor that exists nowhere, made of TOML alone: paging of every kind, keys, quotas, refusals, windows, fields."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import text

from sentiment_platform.news.evaluation import evaluate_freshness
from sentiment_platform.news.sources.protocol import Window
from sentiment_platform.news.validators import is_probe_due
from sentiment_platform.store.news import empty_days, latest_collections
from sentiment_platform.store.sources import read_source_states
from sentiment_platform_tests.news.server import Answer, ScriptedServer, item, reply, rss, serving
from sentiment_platform_tests.news.sources.conftest import NOW, Collector

KEY = "k3y-that-must-not-be-seen"
HOUR = timedelta(hours=1)
BASE = """
[wire]
kind = "json_api"
title = "The Wire"
url = "{url}/news"
items_at = "data.rows"
language = "en"
"""
FIELDS = """
[wire.fields]
id = "id"
title = "head"
published_at = "at"
tickers = "about[].symbol"
outlet = "by.name"
"""


def row(number: int, at: datetime = NOW - HOUR) -> dict[str, object]:
    return {
        "id": number,
        "head": f"Company {number} raises its &amp; our outlook",
        "at": at.isoformat(),
        "about": [{"symbol": f"C{number}"}],
        "by": {"name": "Ledger"},
        "sentiment": "bullish",
        "sentiment_score": 0.9,
    }


def vendor(rows: list[dict[str, object]], page: Callable[[dict[str, str], list[dict[str, object]]], dict[str, object]]) -> Answer:
    """Answers what `page` makes of the query's parameters and all rows."""

    def write(handler: BaseHTTPRequestHandler) -> None:
        query = {name: values[-1] for name, values in parse_qs(urlsplit(handler.path).query).items()}
        reply(json.dumps(page(query, rows)).encode(), content_type="application/json")(handler)

    return write


def by_page(query: dict[str, str], rows: list[dict[str, object]]) -> dict[str, object]:
    first = (int(query["page"]) - 1) * 2
    return {"data": {"rows": rows[first : first + 2]}}


def by_offset(query: dict[str, str], rows: list[dict[str, object]]) -> dict[str, object]:
    first = int(query["skip"])
    return {"data": {"rows": rows[first : first + 2]}}


def by_cursor(query: dict[str, str], rows: list[dict[str, object]]) -> dict[str, object]:
    first = int(query.get("token", "t0")[1:])
    following = f"t{first + 2}" if first + 2 < len(rows) else None
    return {"data": {"rows": rows[first : first + 2]}, "meta": {"next": following}}


def by_url(query: dict[str, str], rows: list[dict[str, object]]) -> dict[str, object]:
    first = int(query.get("from", 0))
    following = {"next": f"/news?from={first + 2}&key={query.get('key', '')}"} if first + 2 < len(rows) else {}
    return {"data": {"rows": rows[first : first + 2]}, **following}


def by_time(query: dict[str, str], rows: list[dict[str, object]]) -> dict[str, object]:
    since = datetime.fromtimestamp(int(query["since"]), UTC)
    return {"data": {"rows": [row for row in rows if datetime.fromisoformat(str(row["at"])) >= since][:2]}}


PAGING = {
    "page": ('paging = { kind = "page", parameter = "page", size = 2 }', by_page),
    "offset": ('paging = { kind = "offset", parameter = "skip", size = 2 }', by_offset),
    "cursor": ('paging = { kind = "cursor", parameter = "token", at = "meta.next" }', by_cursor),
    "next_url": ('paging = { kind = "next_url", at = "next" }\nauth = { variable = "WIRE_KEY", query = "key" }', by_url),
    "time": ('paging = { kind = "time", size = 2 }\nwindow = { start = "since", format = "unix" }', by_time),
}


def titles(collector: Collector) -> set[str]:
    return {article.title for article in collector.articles()}


@pytest.mark.parametrize("kind", PAGING)
def test_every_kind_of_paging_brings_every_item_once_and_goes_on_where_it_was_cut_off(
    collector: Collector, feeds: ScriptedServer, kind: str
) -> None:
    lines, page = PAGING[kind]
    collector.environ = {"WIRE_KEY": KEY}
    rows = [row(n, NOW - timedelta(minutes=100 - n)) for n in range(7)]
    feeds.answers["/news"] = vendor(rows, page)
    collector.write(BASE.format(url=feeds.url) + lines + "\npages_per_run = 2\n" + FIELDS)
    (first,) = collector()
    assert first.outcome == "collected"
    assert first.detail == "stopped after 2 pages; the rest follows"
    assert first.stored < 7
    assert KEY not in json.dumps(collector.state("wire").cursor)
    for _ in range(3):
        collector(NOW + timedelta(minutes=15))
    assert titles(collector) == {f"Company {n} raises its & our outlook" for n in range(7)}
    assert (collector.state("wire").cursor or {}).get("pending") is None


def test_a_vendor_made_of_configuration_alone_gives_articles_with_all_their_fields_and_none_of_its_opinions(
    collector: Collector, feeds: ScriptedServer
) -> None:
    feeds.answers["/news"] = vendor([row(1)], lambda query, rows: {"data": {"rows": rows}})
    collector.write(BASE.format(url=feeds.url) + FIELDS)
    (report,) = collector()
    (article,) = collector.articles()
    assert (report.source, report.stored) == ("wire", 1)
    assert (article.title, article.tickers, article.outlet) == ("Company 1 raises its & our outlook", ("C1",), "Ledger")
    assert (article.published_at, article.available_at) == (NOW - HOUR, NOW)
    with collector.engine.connect() as connection:
        stored = connection.execute(text("SELECT row_to_json(raw_data)::text FROM platform.raw_data")).scalar_one()
        labels = connection.execute(text("SELECT count(*) FROM platform.labels")).scalar_one()
    assert ("bullish" in stored, "0.9" in stored, labels) == (False, False, 0)


def test_the_key_is_a_header_or_a_parameter_and_is_shown_to_nobody_else(collector: Collector, feeds: ScriptedServer) -> None:
    collector.environ = {"WIRE_KEY": KEY}
    feeds.answers["/news"] = vendor([row(1)], lambda query, rows: {"data": {"rows": rows}})
    for auth in ('header = "Authorization", format = "Token {key}"', 'query = "apikey"'):
        collector.write(BASE.format(url=feeds.url) + f'auth = {{ variable = "WIRE_KEY", {auth} }}\n' + FIELDS)
        collector()
    (_, with_header), (with_parameter, other) = feeds.requests
    assert with_header["Authorization"] == f"Token {KEY}"
    assert with_parameter.endswith(f"apikey={KEY}")
    assert "Authorization" not in other


def test_a_next_page_at_another_host_does_not_get_the_key(collector: Collector, feeds: ScriptedServer) -> None:
    collector.environ = {"WIRE_KEY": KEY}
    with serving() as stranger:
        feeds.answers["/news"] = vendor(
            [row(1)], lambda query, rows: {"data": {"rows": rows}, "next": f"{stranger.url}/news?page=2"}
        )
        auth = 'auth = { variable = "WIRE_KEY", header = "X-Key" }\npaging = { kind = "next_url", at = "next" }\n'
        collector.write(BASE.format(url=feeds.url) + auth + FIELDS)
        (report,) = collector()
        assert stranger.requests == []
    assert report.outcome == "failed"
    assert "the key of" in (report.detail or "")


REFUSALS: dict[str, tuple[Answer, str]] = {
    "401": (reply(b'{"error": "bad key"}', status=401), "answered 401"),
    "403": (reply(b'{"detail": "no permission"}', status=403), "answered 403"),
    "500": (reply(status=500), "answered 500"),
    "HTML": (reply(b"<!doctype html><html>Log in</html>", content_type="text/html"), "an HTML page, not JSON"),
    "nothing": (reply(b""), "empty, not JSON"),
    "half": (reply(b'{"data": {"rows": [', content_type="application/json"), "of type application/json, not JSON"),
    "depth": (reply(b'{"a":' * 100_000, content_type="application/json"), "not JSON"),
    "no list": (reply(b'{"data": {"rows": "none"}}'), "has no list at 'data.rows'"),
    "explained": (reply(json.dumps({"Note": f"your key {KEY} is over its limit"}).encode()), "your key *** is over its limit"),
}


@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_refusal_is_reported_with_its_reason_without_the_key_and_stops_nobody_else(
    collector: Collector, feeds: ScriptedServer, refusal: str
) -> None:
    answer, reason = REFUSALS[refusal]
    collector.environ = {"WIRE_KEY": KEY}
    feeds.answers["/news"] = answer
    feeds.answers["/other"] = vendor([row(2)], lambda query, rows: {"data": {"rows": rows}})
    auth = 'error_at = ["Note"]\nauth = { variable = "WIRE_KEY", query = "apikey" }\n'
    other = (BASE + FIELDS).format(url=feeds.url).replace("wire", "other").replace("/news", "/other")
    collector.write(BASE.format(url=feeds.url) + auth + FIELDS + other)
    bad, good = collector()
    state = collector.state("wire")
    assert (bad.outcome, good.outcome, good.stored) == ("failed", "collected", 1)
    assert reason in (bad.detail or "")
    assert (state.last_failure, state.consecutive_failures, state.last_success_at) == (bad.detail, 1, None)
    assert KEY not in repr((bad, state))


def test_a_vendor_that_says_429_is_asked_again_when_it_said(collector: Collector, feeds: ScriptedServer) -> None:
    collector.write(BASE.format(url=feeds.url) + FIELDS)
    feeds.answers["/news"] = reply(status=429, retry_after="1200")
    outcomes = [collector(NOW + timedelta(minutes=minutes))[0].outcome for minutes in (0, 15)]
    feeds.answers["/news"] = vendor([row(1)], lambda query, rows: {"data": {"rows": rows}})
    assert [*outcomes, collector(NOW + timedelta(minutes=30))[0].outcome] == ["failed", "skipped", "collected"]
    assert len(feeds.requests) == 2


def test_a_missing_key_is_a_note_and_no_request(collector: Collector, feeds: ScriptedServer) -> None:
    collector.write(BASE.format(url=feeds.url) + 'auth = { variable = "WIRE_KEY", query = "k" }\n' + FIELDS)
    (report,) = collector()
    assert (report.outcome, report.detail) == ("skipped", "not asked: WIRE_KEY is not set")
    assert feeds.requests == []
    assert collector.state("wire").consecutive_failures == 0


def test_the_quota_of_a_day_is_kept_and_the_next_day_goes_on_where_it_ended(collector: Collector, feeds: ScriptedServer) -> None:
    feeds.answers["/news"] = vendor([row(n) for n in range(9)], by_page)
    lines = 'paging = { kind = "page", parameter = "page", size = 2 }\nquota_per_day = 3\n'
    collector.write(BASE.format(url=feeds.url) + lines + FIELDS)
    (first,) = collector()
    assert (first.stored, first.detail) == (6, "its 3 requests of 2025-01-06 (UTC) are used up; the rest follows")
    (second,) = collector(NOW + HOUR)
    assert (second.outcome, second.detail) == ("skipped", "not asked: its 3 requests of 2025-01-06 (UTC) are used up")
    assert (len(feeds.requests), collector.state("wire").quota_used) == (3, 3)
    (third,) = collector(NOW + timedelta(days=1))
    assert third.stored == 3
    assert len(titles(collector)) == 9
    assert [path.rpartition("=")[2] for path, _ in feeds.requests] == ["1", "2", "3", "4", "5", "1"]
    assert (collector.state("wire").quota_day, collector.state("wire").quota_used) == ((NOW + timedelta(days=1)).date(), 3)


@pytest.mark.parametrize(("attempts", "by_tick"), [(3, [3, 3, 3]), (2, [2, 3, 3]), (9, [3, 3, 3])])
def test_a_server_that_only_fails_is_asked_no_more_often_than_the_quota_allows(
    collector: Collector, feeds: ScriptedServer, attempts: int, by_tick: list[int]
) -> None:
    feeds.answers["/news"] = reply(status=500)
    collector.attempts = attempts
    collector.write(BASE.format(url=feeds.url) + "quota_per_day = 3\n" + FIELDS)
    asked, reports = [], []
    for minutes in (0, 15, 30):
        reports += collector(NOW + timedelta(minutes=minutes))
        asked.append(len(feeds.requests))
    assert asked == by_tick
    assert (reports[0].outcome, "answered 500" in (reports[0].detail or "")) == ("failed", True)
    assert (reports[2].outcome, reports[2].detail) == ("skipped", "not asked: its 3 requests of 2025-01-06 (UTC) are used up")
    assert collector.state("wire").quota_used == 3


def test_a_request_is_in_the_ledger_before_it_is_made_whatever_becomes_of_the_run(
    collector: Collector, feeds: ScriptedServer
) -> None:
    counted: list[int] = []

    def answer(handler: BaseHTTPRequestHandler) -> None:
        counted.append(collector.state("wire").quota_used)
        reply(status=500)(handler)

    feeds.answers["/news"] = answer
    collector.attempts = 3
    collector.write(BASE.format(url=feeds.url) + "quota_per_day = 5\n" + FIELDS)
    collector()
    assert counted == [1, 2, 3]


def test_the_probe_of_a_304_counts_too_and_is_left_out_when_the_quota_is_used_up(
    collector: Collector, feeds: ScriptedServer
) -> None:
    feeds.answers["/feed"] = reply(rss(item("Profit rises", "https://e.example/1", format_datetime(NOW))), etag='"1"')
    collector.write(f'[wire]\nkind = "rss"\ntitle = "t"\nurl = "{feeds.url}/feed"\nquota_per_day = 2\n')
    collector()
    probe = next(t for t in (NOW + timedelta(minutes=15 * n) for n in range(1, 5)) if is_probe_due("wire", t))
    (report,) = collector(probe)
    assert (report.outcome, report.detail) == ("skipped", "its 2 requests of 2025-01-06 (UTC) are used up; the rest follows")
    assert (len(feeds.requests), collector.state("wire").consecutive_failures) == (2, 0)


def test_a_vendor_that_answers_with_nothing_for_days_is_stale_and_an_empty_night_or_weekend_is_not(
    collector: Collector, feeds: ScriptedServer
) -> None:
    def verdict(days: float) -> str | None:
        now = NOW + timedelta(days=days)
        collector(now)
        with collector.engine.connect() as connection:
            reports, states = latest_collections(connection), read_source_states(connection)
            return evaluate_freshness(["wire"], reports, states, now, empty_days(connection, ["wire"], now)).stale.get("wire")

    rows = [row(1)]
    feeds.answers["/news"] = vendor(rows, lambda query, rows: {"data": {"rows": rows}})
    collector.write(BASE.format(url=feeds.url) + FIELDS)
    assert verdict(0) is None
    rows.clear()
    assert [verdict(days) for days in (0.1, 0.2, 0.3, 1, 2)] == [None] * 5
    assert "has sent nothing on 4 days" in (verdict(3) or "")
    rows.append(row(1))
    assert verdict(3.1) is None
    rows.clear()
    assert verdict(3.2) is None


def test_a_vendor_that_never_sent_anything_is_not_called_silent(collector: Collector, feeds: ScriptedServer) -> None:
    feeds.answers["/news"] = vendor([], lambda query, rows: {"data": {"rows": rows}})
    collector.write(BASE.format(url=feeds.url) + FIELDS)
    for days in range(6):
        collector(NOW + timedelta(days=days))
    now = NOW + timedelta(days=5)
    with collector.engine.connect() as connection:
        empty = empty_days(connection, ["wire"], now)
        found = evaluate_freshness(["wire"], latest_collections(connection), read_source_states(connection), now, empty)
    assert (empty, found.stale) == ({"wire": 6}, {})


WINDOWED = 'window = { start = "since", end = "until" }\nlookback_h = 6\noverlap_h = 1\nhistory_d = 2\n'


def asked(feeds: ScriptedServer) -> list[tuple[str, str]]:
    queries = [parse_qs(urlsplit(path).query) for path, _ in feeds.requests]
    return [(query["since"][0][5:16], query["until"][0][5:16]) for query in queries]


def test_windows_join_without_a_gap_over_missed_ticks_and_failures_but_reach_back_no_further_than_they_may(
    collector: Collector, feeds: ScriptedServer
) -> None:
    good = vendor([], lambda query, rows: {"data": {"rows": rows}})
    collector.write(BASE.format(url=feeds.url) + WINDOWED + FIELDS)
    for hours, answer in ((0, good), (1, good), (4, reply(status=500)), (5, good), (24 * 10, good)):
        feeds.answers["/news"] = answer
        collector(NOW + timedelta(hours=hours))
    assert asked(feeds) == [
        ("01-06T06:00", "01-06T12:00"),
        ("01-06T11:00", "01-06T13:00"),
        ("01-06T12:00", "01-06T16:00"),
        ("01-06T12:00", "01-06T17:00"),
        ("01-14T12:00", "01-16T12:00"),
    ]


def test_a_source_is_asked_no_more_often_than_it_should_be(collector: Collector, feeds: ScriptedServer) -> None:
    feeds.answers["/news"] = vendor([], lambda query, rows: {"data": {"rows": rows}})
    collector.write(BASE.format(url=feeds.url) + "interval_min = 60\n" + FIELDS)
    outcomes = [collector(NOW + timedelta(minutes=minutes))[0].outcome for minutes in (0, 15, 45, 60, 30)]
    assert outcomes == ["collected", "skipped", "skipped", "collected", "collected"]


def test_a_backfill_asks_for_its_own_window_and_its_articles_count_as_known_since_they_were_published(
    collector: Collector, feeds: ScriptedServer
) -> None:
    day = datetime(2024, 5, 1, tzinfo=UTC)
    rows = [row(n, day + timedelta(hours=n)) for n in range(5)]
    feeds.answers["/news"] = vendor(rows, by_page)
    paging = 'paging = { kind = "page", parameter = "page", size = 2 }\npages_per_run = 2\n'
    collector.write(BASE.format(url=feeds.url) + WINDOWED + paging + FIELDS)
    collector()
    live = collector.state("wire").cursor
    window = Window(day, day + timedelta(days=1))
    (first,), (second,) = collector(past=window, run_id="b1"), collector(past=window, run_id="b2")
    assert (first.detail, first.fetched, second.fetched) == ("stopped after 2 pages; the rest follows", 4, 1)
    assert asked(feeds)[-1] == ("05-01T00:00", "05-02T00:00")
    assert collector.state("wire").cursor == live
    newest = max(collector.articles(), key=lambda article: article.published_at)
    assert newest.available_at == newest.published_at == day + timedelta(hours=4)


def test_a_place_that_the_vendor_no_longer_knows_is_given_up_and_its_window_asked_for_anew(
    collector: Collector, feeds: ScriptedServer
) -> None:
    rows = [row(n) for n in range(6)]
    paging = 'paging = { kind = "cursor", parameter = "token", at = "meta.next" }\npages_per_run = 1\n'
    collector.write(BASE.format(url=feeds.url) + WINDOWED + paging + FIELDS)
    feeds.answers["/news"] = vendor(rows, by_cursor)
    collector()
    feeds.answers["/news"] = reply(b'{"error": "expired cursor"}', status=400)
    assert collector(NOW + HOUR)[0].outcome == "failed"
    feeds.answers["/news"] = vendor(rows, by_cursor)
    for hours in (2, 3, 4):
        collector(NOW + hours * HOUR)
    assert len(titles(collector)) == 6
    assert asked(feeds)[2] == ("01-06T05:00", "01-06T14:00")


def test_times_without_a_zone_are_in_that_of_the_entry_and_numbers_are_seconds(
    collector: Collector, feeds: ScriptedServer
) -> None:
    rows = [{**row(1), "at": "2025-01-06 05:30:00"}, {**row(2), "at": 1736150400}, {**row(3), "at": {"year": 2025}}]
    feeds.answers["/news"] = vendor(rows, lambda query, rows: {"data": {"rows": rows}})
    collector.write(BASE.format(url=feeds.url) + 'zone = "America/New_York"\n' + FIELDS)
    (report,) = collector()
    assert (report.stored, report.quarantined) == (2, 1)
    assert [article.published_at for article in collector.articles()] == [
        datetime(2025, 1, 6, 8, tzinfo=UTC),
        datetime(2025, 1, 6, 10, 30, tzinfo=UTC),
    ]


@pytest.mark.parametrize("url", ["http://[broken/news", "http://e.example:99999999/news", "http://user:pw@e.example/news"])
def test_an_address_that_cannot_be_asked_is_the_failure_of_its_source_alone(
    collector: Collector, feeds: ScriptedServer, url: str
) -> None:
    feeds.answers["/other"] = vendor([row(2)], lambda query, rows: {"data": {"rows": rows}})
    other = (BASE + FIELDS).format(url=feeds.url).replace("wire", "other").replace("/news", "/other")
    collector.write(BASE.format(url="").replace('"/news"', f'"{url}"') + FIELDS + other)
    bad, good = collector()
    assert (bad.outcome, good.outcome) == ("failed", "collected")
    assert "pw" not in (bad.detail or "")
