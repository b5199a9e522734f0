"""Each way in which a source can fail: the others are collected, the run succeeds, a check warns, and it is asked again when it may be."""

import gzip
import time
from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import dagster as dg
import pytest
from sqlalchemy import Engine

from sentiment_platform.fetching.http import FetchLimits
from sentiment_platform.fetching.politeness import PoliteClient, Retries
from sentiment_platform.news.assets import raw_news
from sentiment_platform.news.checks import every_fetched_item_is_accounted_for, freshness_result, sources_are_fresh
from sentiment_platform.news.collect.turn import Collection, collect_live
from sentiment_platform.news.evaluation import evaluate_freshness
from sentiment_platform.news.parsing.sandbox import FeedParser
from sentiment_platform.news.sources.configured import configured_sources
from sentiment_platform.settings import Settings
from sentiment_platform.store.collection_reports import CollectionReport, collections_of_run, latest_collections
from sentiment_platform.store.resources import PlatformResource
from sentiment_platform.store.sources import read_source_states
from sentiment_platform_tests.news.certificates import self_signed
from sentiment_platform_tests.news.server import ScriptedServer, item, reply, rss, serving

NOW = datetime(2025, 1, 6, 12, tzinfo=UTC)
GOOD = rss(item("Profit rises", "https://e.example/1", format_datetime(NOW - timedelta(hours=2))))
OTHER = rss(item("Loss narrows", "https://e.example/2", format_datetime(NOW - timedelta(hours=1))))
# Source -> what its report must say, and how often it is asked in one run (None: it never gets that far).
FAILURES: dict[str, tuple[str, int | None]] = {
    "name": ("does not resolve", None),
    "certificate": ("CERTIFICATE_VERIFY_FAILED", None),
    "silence": ("ReadTimeout", 3),
    "broken": ("answered 500", 3),
    "cut": ("truncated gzip", 3),
    "busy": ("answered 429", 1),
    "malformed": ("broken XML", 1),
}


@pytest.fixture
def addresses(feeds: ScriptedServer, tmp_path: Path) -> Generator[dict[str, str]]:
    """Source -> address: a good one first and last, between them one for each failure."""
    feeds.answers["/first"], feeds.answers["/last"] = reply(GOOD), reply(OTHER)
    feeds.answers["/silence"] = lambda _handler: time.sleep(0.5)
    feeds.answers["/broken"] = reply(status=500)
    feeds.answers["/cut"] = reply(gzip.compress(GOOD)[:-20], content_encoding="gzip")
    feeds.answers["/busy"] = reply(status=429, retry_after="600")
    feeds.answers["/malformed"] = reply(GOOD.replace(b"</item>", b""))
    server, _ = self_signed(tmp_path, "news.example")
    with serving(server) as untrusted:
        elsewhere = {"name": "https://nowhere.invalid/feed", "certificate": f"{untrusted.url}/feed"}
        yield {name: elsewhere.get(name, f"{feeds.url}/{name}") for name in ("first", *FAILURES, "last")}
        assert untrusted.requests == []


def setting(addresses: dict[str, str]) -> str:
    return ",".join(f"{name}={url}" for name, url in addresses.items())


def collect(
    engine: Engine, addresses: dict[str, str], slept: list[float], run_id: str = "run", now: datetime = NOW
) -> dict[str, CollectionReport]:
    clock = time.monotonic()
    client = PoliteClient(
        agent="tests",
        limits=FetchLimits(allow_private_hosts=True, read_s=0.2),
        retries=Retries(base_s=1.0),
        monotonic=lambda: clock + sum(slept),
        sleep=slept.append,
        uniform=lambda _low, high: high,
    )
    sources = configured_sources(Settings.from_environment({"SENTIMENT_FEEDS": setting(addresses)}), {})
    with FeedParser() as parser:
        return {report.source: report for report in collect_live(Collection(engine, client, parser, run_id, now), sources)}


def asked(feeds: ScriptedServer, source: str) -> int:
    return [path for path, _ in feeds.requests].count(f"/{source}")


def test_every_failure_is_reported_by_name_and_the_other_sources_are_collected(
    engine: Engine, feeds: ScriptedServer, addresses: dict[str, str]
) -> None:
    slept: list[float] = []
    reports = collect(engine, addresses, slept)
    assert {name: report.outcome for name, report in reports.items()} == dict.fromkeys(FAILURES, "failed") | {
        "first": "collected",
        "last": "collected",
    }
    assert (reports["first"].stored, reports["last"].stored) == (1, 1)
    for name, (reason, times) in FAILURES.items():
        assert reason in (reports[name].detail or "")
        assert times is None or asked(feeds, name) == times, name
    transient = sum(times != 1 for _, times in FAILURES.values())
    assert [s for s in slept if s >= 1.0] == [1.0, 2.0] * transient, "one wait after the first attempt, one after the second"
    with engine.connect() as connection:
        stored = collections_of_run(connection, "run")
        fresh = evaluate_freshness(list(addresses), latest_collections(connection), read_source_states(connection), NOW, {})
    assert sum(report.outcome == "failed" for report in stored) == len(FAILURES)
    assert set(fresh.stale) == set(FAILURES)
    result = freshness_result(fresh)
    assert (result.passed, result.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert all(f"- {name}: " in str(result.metadata["stale"].value) for name in FAILURES)


def test_a_busy_source_is_asked_again_when_it_said_and_not_before(
    engine: Engine, feeds: ScriptedServer, addresses: dict[str, str]
) -> None:
    only = {"busy": addresses["busy"]}
    outcomes = [collect(engine, only, [], f"run-{m}", NOW + timedelta(minutes=m))["busy"].outcome for m in (0, 9)]
    assert (outcomes, asked(feeds, "busy")) == (["failed", "skipped"], 1)
    answers = [reply(status=429, retry_after="7"), reply(GOOD)]
    feeds.answers["/busy"] = lambda handler: answers.pop(0)(handler)
    slept: list[float] = []
    assert collect(engine, only, slept, "run-10", NOW + timedelta(minutes=10))["busy"].outcome == "collected"
    assert [round(seconds, 1) for seconds in slept if seconds > 1] == [7.0]


@pytest.mark.parametrize("body", [b"<!doctype html><html>Log in</html>", rss()], ids=["HTML page", "empty feed"])
def test_a_page_or_an_empty_feed_after_a_history_is_stale_and_not_a_success(
    engine: Engine, feeds: ScriptedServer, addresses: dict[str, str], body: bytes
) -> None:
    only = {"first": addresses["first"]}
    collect(engine, only, [])
    feeds.answers["/first"] = reply(body)
    for hours in (1, 2):  # the same bytes again are no reason to be content either
        now = NOW + timedelta(hours=hours)
        assert collect(engine, only, [], f"run-{hours}", now)["first"].outcome == "failed"
        with engine.connect() as connection:
            found = evaluate_freshness(["first"], latest_collections(connection), read_source_states(connection), now, {})
        assert not freshness_result(found).passed
    with engine.connect() as connection:
        assert read_source_states(connection)["first"].last_success_at == NOW


@pytest.mark.slow
def test_a_run_with_failing_sources_succeeds_with_a_warning(
    database_url: str, feeds: ScriptedServer, addresses: dict[str, str]
) -> None:
    del addresses["silence"]  # production's time-outs are too long for a test
    platform = PlatformResource(
        overrides={
            "DATABASE_URL": database_url,
            "SENTIMENT_FEEDS": setting(addresses),
            "SENTIMENT_ALLOW_PRIVATE_HOSTS": "yes",
        },
        fixed_now=NOW.isoformat(),
    )
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize(
            [raw_news, every_fetched_item_is_accounted_for, sources_are_fresh],
            instance=instance,
            resources={"platform": platform},
            partition_key="2025-01-06",
        )
    platform.engine().dispose()
    (materialization,) = result.asset_materializations_for_node("raw_news")
    checks = {e.check_name: e for e in result.get_asset_check_evaluations()}
    assert result.success
    assert materialization.metadata["stored"].value == 2
    assert materialization.metadata["failed"].value == len(FAILURES) - 1
    assert checks["every_fetched_item_is_accounted_for"].passed
    warned = checks["sources_are_fresh"]
    assert (warned.passed, warned.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert [name for name in FAILURES if f"- {name}: " in str(warned.metadata["stale"].value)] == [
        name for name in FAILURES if name != "silence"
    ]
