"""What a vendor allows in a day is kept whatever happens, and one that falls silent is noticed."""

from datetime import timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler

import pytest

from sentiment_platform.news.collect.validators import is_probe_due
from sentiment_platform.news.evaluation import evaluate_freshness
from sentiment_platform.store.collection_reports import empty_days, latest_collections
from sentiment_platform.store.sources import read_source_states
from sentiment_platform_tests.news.server import ScriptedServer, item, reply, rss
from sentiment_platform_tests.news.sources.conftest import NOW, Collector
from sentiment_platform_tests.news.sources.vendor import BASE, FIELDS, HOUR, by_page, row, titles, vendor


def test_the_quota_of_a_day_is_kept_and_the_next_day_goes_on_where_it_ended(collector: Collector, feeds: ScriptedServer) -> None:
    feeds.answers["/news"] = vendor([row(n) for n in range(9)], by_page)
    lines = 'paging = { kind = "page", parameter = "page", size = 2 }\nquota_per_day = 3\n'
    collector.write(BASE.format(url=feeds.url) + lines + FIELDS)
    (first,) = collector()
    assert (first.stored, first.detail) == (6, "its 3 requests of 2025-01-06 (UTC) are used up; the rest follows")
    (second,) = collector(NOW + HOUR)
    assert (second.outcome, second.detail) == ("skipped", "not asked: its 3 requests of 2025-01-06 (UTC) are used up")
    assert (len(feeds.requests), collector.state("wire").quota_used) == (3, 3)
    assert collector.state("wire").quota_per_day == 3, "a page of figures shows it"
    (third,) = collector(NOW + timedelta(days=1))
    assert third.stored == 3
    assert len(titles(collector)) == 9
    assert [path.rpartition("=")[2] for path, _ in feeds.requests] == ["1", "2", "3", "4", "5", "6"]
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
