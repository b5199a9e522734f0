"""Which stretch of time a vendor is asked for, when, and what its times mean."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from sentiment_platform.news.sources.protocol import Window
from sentiment_platform_tests.news.server import ScriptedServer, reply
from sentiment_platform_tests.news.sources.conftest import NOW, Collector
from sentiment_platform_tests.news.sources.vendor import BASE, FIELDS, HOUR, by_cursor, by_page, row, titles, vendor

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


def test_what_is_to_be_told_of_an_earlier_page_is_in_the_report_of_the_turn(collector: Collector, feeds: ScriptedServer) -> None:
    rows = [{**row(n), "id": "one for all"} for n in range(3)]
    feeds.answers["/news"] = vendor(rows, by_page)
    collector.write(BASE.format(url=feeds.url) + 'paging = { kind = "page", parameter = "page", size = 2 }\n' + FIELDS)
    (report,) = collector()
    assert (report.stored, report.detail) == (3, "one guid names 2 items, which are told apart by address and text")
