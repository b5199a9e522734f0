"""A vendor that exists nowhere, made of TOML alone: paging of every kind, fields, keys, refusals."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import text

from sentiment_platform_tests.news.server import Answer, ScriptedServer, reply, serving
from sentiment_platform_tests.news.sources.conftest import NOW, Collector
from sentiment_platform_tests.news.sources.vendor import (
    BASE,
    FIELDS,
    HOUR,
    KEY,
    PAGING,
    row,
    titles,
    vendor,
)


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
    for _ in range(4):
        collector(NOW + timedelta(minutes=15))
        if (collector.state("wire").cursor or {}).get("pending") is None:
            break
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
