from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError

from sentiment_platform.fetching.http import FetchLimits
from sentiment_platform.fetching.politeness import PoliteClient, Retries
from sentiment_platform.news.admission import store_items
from sentiment_platform.news.collect.turn import Collection, collect_live
from sentiment_platform.news.items import RawItem
from sentiment_platform.news.parsing.sandbox import FeedParser
from sentiment_platform.news.sources.configured import configured_sources
from sentiment_platform.settings import Settings
from sentiment_platform.store.articles import articles_between, news_counts
from sentiment_platform.store.collection_reports import CollectionReport, collections_of_run, latest_collections
from sentiment_platform.store.engine import create_platform_engine
from sentiment_platform.store.quarantine import quarantined_items
from sentiment_platform.store.sources import read_source_state
from sentiment_platform_tests.news.server import ScriptedServer, item, reply, rss

NOW = datetime(2025, 1, 6, 12, tzinfo=UTC)
EARLIER = format_datetime(NOW - timedelta(hours=2))
EPOCH, FOREVER = datetime(1990, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


def collect(
    engine: Engine, feeds: ScriptedServer, *paths: str, run_id: str = "run", now: datetime = NOW
) -> list[CollectionReport]:
    setting = ",".join(f"{path.strip('/')}={feeds.url}{path}" for path in paths)
    sources = configured_sources(Settings.from_environment({"SENTIMENT_FEEDS": setting}), {})
    limits = FetchLimits(allow_private_hosts=True, read_s=1.0)
    client = PoliteClient(agent="tests", limits=limits, retries=Retries(attempts=1))
    with FeedParser() as parser:
        return collect_live(Collection(engine, client, parser, run_id, now), sources)


def fates(reports: Sequence[CollectionReport]) -> list[tuple[str, int, int, int, int]]:
    assert all(report.adds_up for report in reports)
    return [(r.outcome, r.fetched, r.stored, r.duplicate, r.quarantined) for r in reports]


def everything(engine: Engine) -> dict[str, list[tuple[object, ...]]]:
    names = ("raw_data", "sightings", "quarantine", "story_clusters")
    with engine.connect() as connection:
        return {n: sorted(map(tuple, connection.execute(text(f"SELECT * FROM platform.{n}")).all()), key=repr) for n in names}


def test_a_live_feed_is_stored_and_the_second_fetch_is_not_modified(engine: Engine, feeds: ScriptedServer) -> None:
    feeds.answers["/wire"] = reply(
        rss(item("Profit rises", "https://e.example/1", EARLIER), item("", "https://e.example/2", EARLIER)), etag='"1"'
    )
    assert fates(collect(engine, feeds, "/wire")) == [("collected", 2, 1, 0, 1)]
    assert fates(collect(engine, feeds, "/wire", run_id="second")) == [("not_modified", 0, 0, 0, 0)]
    with engine.connect() as connection:
        (article,) = articles_between(connection, EPOCH, FOREVER)
        (refused,) = quarantined_items(connection)
        state = read_source_state(connection, "wire")
        assert [r.outcome for r in collections_of_run(connection, "second")] == ["not_modified"]
    assert (article.title, article.published_at, article.available_at) == ("Profit rises", NOW - timedelta(hours=2), NOW)
    assert (refused.rule, refused.source, refused.run_id, refused.payload["url"]) == (
        "title_is_present",
        "wire",
        "run",
        "https://e.example/2",
    )
    assert (state.etag, state.last_success_at, state.items_seen) == ('"1"', NOW, 1)


def test_a_flawed_feed_is_mended_and_its_report_says_how_often(engine: Engine, feeds: ScriptedServer) -> None:
    body = rss(item("K&amp;W pays", "https://e.example/1", EARLIER), item("Profit rises", "https://e.example/2", EARLIER))
    feeds.answers["/wire"] = reply(body.replace(b"K&amp;W", b"K&W&nbsp;") + b"<script>x()</script>")
    (report,) = collect(engine, feeds, "/wire")
    assert (report.outcome, report.stored, report.detail) == ("collected", 2, "mended: 3")
    with engine.connect() as connection:
        assert [stored.detail for stored in collections_of_run(connection, "run")] == ["mended: 3"]
        assert {article.title for article in articles_between(connection, EPOCH, FOREVER)} == {"K&W pays", "Profit rises"}


def test_the_same_batch_twice_changes_nothing(engine: Engine, feeds: ScriptedServer) -> None:
    body = rss(
        *(item(f"Story {n} moves", f"https://e.example/{n}", EARLIER) for n in range(5)),
        item("Bad", "https://e.example/b", "soon"),
    )
    feeds.answers["/wire"] = reply(body)
    assert fates(collect(engine, feeds, "/wire")) == [("collected", 6, 5, 0, 1)]
    before = everything(engine)
    moved = body.replace(b"<item>", item("Fresh", "https://e.example/f", EARLIER).encode() + b"<item>", 1)
    later = NOW + timedelta(minutes=15)
    assert fates(collect(engine, feeds, "/wire", run_id="same bytes", now=later)) == [("not_modified", 0, 0, 0, 0)]
    feeds.answers["/wire"] = reply(body.replace(b"A feed", b"The feed"))
    assert fates(collect(engine, feeds, "/wire", run_id="again", now=later)) == [("collected", 6, 0, 5, 1)]
    assert everything(engine) == before
    feeds.answers["/wire"] = reply(moved)
    assert fates(collect(engine, feeds, "/wire", run_id="third")) == [("collected", 7, 1, 5, 1)]
    assert len(everything(engine)["quarantine"]) == 1


def test_an_exact_duplicate_at_another_source_is_linked_and_not_stored(engine: Engine, feeds: ScriptedServer) -> None:
    link = "https://e.example/1"
    tagged = '<category domain="ticker">{}</category>'
    feeds.answers["/one"] = reply(rss(item("Profit rises", link, EARLIER, extra=tagged.format("EXM"))))
    feeds.answers["/two"] = reply(
        rss(item("Profit rises", link + "?utm_source=two", EARLIER, guid="x", extra=tagged.format("ABC")))
    )
    assert fates(collect(engine, feeds, "/one", "/two")) == [("collected", 1, 1, 0, 0), ("collected", 1, 0, 1, 0)]
    with engine.connect() as connection:
        (article,) = articles_between(connection, EPOCH, FOREVER)
        sightings = connection.execute(text("SELECT source, external_id, article_id FROM platform.sightings ORDER BY 1")).all()
    assert [tuple(row) for row in sightings] == [("one", link, article.id), ("two", "x", article.id)]
    assert article.tickers == ("ABC", "EXM")


def test_a_later_sighting_is_linked_and_adds_no_tickers(engine: Engine, feeds: ScriptedServer) -> None:
    """What an article was about when it became known must not change: vectors and outcomes of then are computed again from it."""
    tagged = '<category domain="ticker">{}</category>'
    for path, ticker, now in (("/one", "EXM", NOW), ("/two", "ABC", NOW + timedelta(minutes=15))):
        feeds.answers[path] = reply(rss(item("Profit rises", "https://e.example/1", EARLIER, extra=tagged.format(ticker))))
        collect(engine, feeds, path, now=now)
    with engine.connect() as connection:
        (article,) = articles_between(connection, EPOCH, FOREVER)
        seen = connection.execute(text("SELECT source, first_seen_at FROM platform.sightings ORDER BY 1")).all()
    assert [tuple(row) for row in seen] == [("one", NOW), ("two", NOW + timedelta(minutes=15))]
    assert article.tickers == ("EXM",)


def test_a_retouched_item_keeps_its_first_wording(engine: Engine, feeds: ScriptedServer) -> None:
    feeds.answers["/wire"] = reply(rss(item("Profit rises", "https://e.example/1", EARLIER)))
    collect(engine, feeds, "/wire")
    feeds.answers["/wire"] = reply(rss(item("Profit rises sharply", "https://e.example/1", EARLIER)))
    assert fates(collect(engine, feeds, "/wire")) == [("collected", 1, 0, 1, 0)]
    with engine.connect() as connection:
        assert [a.title for a in articles_between(connection, EPOCH, FOREVER)] == ["Profit rises"]


FAILURES = {
    "HTML page": reply(b"<!doctype html><html>Log in</html>"),
    "sitemap": reply(b"<urlset/>"),
    "broken XML": reply(rss(item("a", "https://e.example/1", EARLIER))[:-20]),
    "500": reply(status=500),
    "404": reply(status=404),
    "truncated gzip": reply(b"\x1f\x8b\x08\x00", content_encoding="gzip"),
    "empty": reply(rss()),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_one_bad_source_fails_with_its_reason_and_the_others_are_collected(
    engine: Engine, feeds: ScriptedServer, failure: str
) -> None:
    feeds.answers["/bad"] = reply(rss(item("Before", "https://e.example/0", EARLIER)), etag='"good"')
    feeds.answers["/good"] = reply(rss(item("Profit rises", "https://e.example/1", EARLIER)))
    collect(engine, feeds, "/bad")
    feeds.answers["/bad"] = FAILURES[failure]
    bad, good = collect(engine, feeds, "/bad", "/good", now=NOW + timedelta(hours=1))
    assert (bad.outcome, good.outcome, good.stored) == ("failed", "collected", 1)
    assert failure in (bad.detail or "")
    with engine.connect() as connection:
        state = read_source_state(connection, "bad")
        assert {r.source: r.outcome for r in latest_collections(connection)} == {"bad": "failed", "good": "collected"}
    assert (state.consecutive_failures, state.last_success_at, state.last_failure, state.etag) == (1, NOW, bad.detail, '"good"')


def test_an_empty_feed_without_a_history_is_no_failure(engine: Engine, feeds: ScriptedServer) -> None:
    feeds.answers["/new"] = reply(rss())
    assert fates(collect(engine, feeds, "/new")) == [("collected", 0, 0, 0, 0)]


def test_a_busy_source_is_left_alone_until_it_said_and_then_collected(engine: Engine, feeds: ScriptedServer) -> None:
    feeds.answers["/wire"] = reply(status=429, retry_after="600")
    outcomes = [collect(engine, feeds, "/wire", now=NOW + timedelta(minutes=m))[0].outcome for m in (0, 5, 9)]
    assert (outcomes, len(feeds.requests)) == (["failed", "skipped", "skipped"], 1)
    feeds.answers["/wire"] = reply(rss(item("Profit rises", "https://e.example/1", EARLIER)))
    assert collect(engine, feeds, "/wire", now=NOW + timedelta(minutes=11))[0].outcome == "collected"
    with engine.connect() as connection:
        assert read_source_state(connection, "wire").retry_after is None


def test_hostile_strings_reach_quarantine_and_not_an_error(engine: Engine) -> None:
    good = {"source": "s", "origin": "o", "published_at": NOW, "published_text": "x"}
    items = [
        RawItem(**good, position=1, title="nul \x00 byte"),
        RawItem(**good, position=2, title="replaced \ufffd"),
        RawItem(**good, position=3, title="Robert'); DROP TABLE platform.raw_data;--"),
        RawItem(**good, position=4, title="\U0001f4c8 profits " + "\u202e" + "rise"),
    ]
    with engine.begin() as connection:
        tally = store_items(connection, items, run_id="r", now=NOW)
    assert (tally.stored, tally.quarantined) == (2, 2)


def test_a_lost_database_ends_the_run_instead_of_being_reported_as_a_bad_source(feeds: ScriptedServer) -> None:
    gone = create_platform_engine("postgresql://nobody@127.0.0.1:9/none")
    with pytest.raises(OperationalError):
        collect(gone, feeds, "/wire")


def test_counts_of_what_there_is(engine: Engine, feeds: ScriptedServer) -> None:
    feeds.answers["/wire"] = reply(
        rss(item("Profit rises", "https://e.example/1", EARLIER), item("x", "https://e.example/2", ""))
    )
    collect(engine, feeds, "/wire")
    with engine.connect() as connection:
        counts = news_counts(connection)
    assert (counts.articles, counts.stories, counts.sightings, counts.quarantined) == (1, 0, 1, 1)
