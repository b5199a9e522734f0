"""Bad input stops before training: the blocking checks of collection in real runs from feed to training set."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import dagster as dg
import pytest
from sqlalchemy import text

from sentiment_platform.features.assets import article_features
from sentiment_platform.labels.assets import labels, training_set
from sentiment_platform.labels.importers import plain
from sentiment_platform.labels.importing import import_labels
from sentiment_platform.local.sample_data import sample_directory
from sentiment_platform.news.admission import store_items
from sentiment_platform.news.assets import articles, raw_news
from sentiment_platform.news.checks import (
    articles_keep_their_contract,
    every_fetched_item_is_accounted_for,
    quarantine_share_is_low,
    sources_deliver_what_they_used_to,
)
from sentiment_platform.news.items import RawItem
from sentiment_platform.store.resources import PlatformResource
from sentiment_platform_tests.news.server import ScriptedServer, item, reply, rss

NOW = datetime(2025, 1, 31, 12, tzinfo=UTC)
TODAY = "2025-01-31"
ASSETS = [raw_news, articles, article_features, labels, training_set]
CHECKS = [
    every_fetched_item_is_accounted_for,
    quarantine_share_is_low,
    sources_deliver_what_they_used_to,
    articles_keep_their_contract,
]


@pytest.fixture
def platform(database_url: str, redis_url: str, feeds: ScriptedServer) -> Iterator[PlatformResource]:
    overrides = {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "SENTIMENT_FEEDS": f"wire={feeds.url}/wire",
        "SENTIMENT_ALLOW_PRIVATE_HOSTS": "yes",
    }
    platform = PlatformResource(overrides=overrides, fixed_now=NOW.isoformat())
    import_labels(platform.engine(), plain(sample_directory() / "headlines.csv", "sample", "Apache-2.0").examples)
    yield platform
    platform.engine().dispose()


def serve(feeds: ScriptedServer, good: int, bad: int) -> None:
    at = format_datetime(NOW - timedelta(hours=1))
    items = [item(f"Company {n} opens an office", f"https://e.example/{n}", at) for n in range(good)]
    items += [item(f"Company {n} opens an office", f"https://e.example/bad/{n}", "soon") for n in range(bad)]
    feeds.answers["/wire"] = reply(rss(*items))


def materialized(
    platform: PlatformResource, assets: Sequence[dg.AssetsDefinition] = ASSETS
) -> tuple[set[str], dict[str, tuple[bool, dg.AssetCheckSeverity]]]:
    """What a run from the feed to the training set made, and what its checks said."""
    job = dg.define_asset_job("to_training", dg.AssetSelection.assets(*assets), executor_def=dg.in_process_executor)
    definitions = dg.Definitions(assets=assets, asset_checks=CHECKS, jobs=[job], resources={"platform": platform})
    with dg.DagsterInstance.ephemeral() as instance:
        result = definitions.resolve_job_def("to_training").execute_in_process(
            instance=instance, partition_key=TODAY, raise_on_error=False
        )
    made = {event.asset_key.to_user_string() for event in result.get_asset_materialization_events() if event.asset_key}
    return made, {e.check_name: (e.passed, e.severity) for e in result.get_asset_check_evaluations()}


def test_a_good_batch_with_some_refused_items_becomes_a_training_set(platform: PlatformResource, feeds: ScriptedServer) -> None:
    serve(feeds, good=30, bad=5)
    made, checks = materialized(platform)
    assert made == {"raw_news", "articles", "article_features", "labels", "training_set"}
    assert checks["quarantine_share_is_low"] == (False, dg.AssetCheckSeverity.WARN)
    assert checks["articles_keep_their_contract"][0]


def test_a_bad_batch_is_in_quarantine_and_no_training_set_is_made(platform: PlatformResource, feeds: ScriptedServer) -> None:
    serve(feeds, good=10, bad=30)
    made, checks = materialized(platform)
    assert made == {"raw_news", "labels"}
    assert checks["quarantine_share_is_low"] == (False, dg.AssetCheckSeverity.ERROR)
    with platform.engine().connect() as connection:
        rules = connection.execute(text("SELECT rule, count(*) FROM platform.quarantine GROUP BY rule")).all()
    assert [tuple(row) for row in rules] == [("published_at_is_readable", 30)]


def test_a_field_that_a_source_renamed_is_noticed_before_training(platform: PlatformResource, feeds: ScriptedServer) -> None:
    with platform.engine().begin() as connection:
        for day in range(1, 8):
            at = NOW - timedelta(days=day)
            before = [
                RawItem(
                    source="wire",
                    origin="o",
                    position=n,
                    title=f"Company {n} opens office {day}",
                    summary="As it said.",
                    url=f"https://e.example/{day}/{n}",
                    published_at=at,
                )
                for n in range(25)
            ]
            store_items(connection, before, run_id="before", now=at)
    serve(feeds, good=30, bad=0)
    made, checks = materialized(platform)
    assert made == {"raw_news", "labels"}
    assert checks["quarantine_share_is_low"][0]
    assert checks["sources_deliver_what_they_used_to"] == (False, dg.AssetCheckSeverity.ERROR)


def test_articles_that_lost_their_contract_stop_the_run_and_a_few_are_left_out(
    platform: PlatformResource, feeds: ScriptedServer
) -> None:
    serve(feeds, good=30, bad=0)
    materialized(platform, ASSETS[:3])
    spoil = "UPDATE platform.raw_data SET tickers = '{not/a/symbol}' WHERE id IN (SELECT id FROM platform.raw_data ORDER BY id LIMIT :n)"
    with platform.engine().begin() as connection:
        connection.execute(text(spoil), {"n": 3})
    made, checks = materialized(platform, ASSETS[:3])
    assert "article_features" in made
    assert checks["articles_keep_their_contract"] == (False, dg.AssetCheckSeverity.WARN)
    with platform.engine().begin() as connection:
        connection.execute(text(spoil), {"n": 15})
    made, checks = materialized(platform, ASSETS[:3])
    assert made == {"raw_news", "articles"}
    assert checks["articles_keep_their_contract"] == (False, dg.AssetCheckSeverity.ERROR)
    with platform.engine().begin() as connection:
        connection.execute(text("UPDATE platform.raw_data SET tickers = '{}'"))
    assert materialized(platform, ASSETS[:3])[1]["articles_keep_their_contract"][0]
