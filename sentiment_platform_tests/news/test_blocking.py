"""Bad input stops before training: the blocking checks in real runs of the jobs that are shipped, from feed to training set."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import dagster as dg
import pytest
from sqlalchemy import text

from sentiment_platform.definitions import defs
from sentiment_platform.labels.importers import plain
from sentiment_platform.labels.importing import import_labels, import_report
from sentiment_platform.local.demo.sample_data import sample_directory
from sentiment_platform.news.admission import store_items
from sentiment_platform.news.items import RawItem
from sentiment_platform.store.quarantine import release
from sentiment_platform.store.resources import PlatformResource
from sentiment_platform_tests.news.server import ScriptedServer, item, reply, rss

NOW = datetime(2025, 1, 31, 12, tzinfo=UTC)
TODAY = "2025-01-31"


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


Said = tuple[set[str], dict[str, tuple[bool, dg.AssetCheckSeverity]]]


def run(platform: PlatformResource, job: str, partition_key: str | None = None) -> Said:
    """What a run of a shipped job made, and what its checks said."""
    here = dg.Definitions(assets=defs.assets, asset_checks=defs.asset_checks, jobs=defs.jobs, resources={"platform": platform})
    with dg.DagsterInstance.ephemeral() as instance:
        result = here.resolve_job_def(job).execute_in_process(
            instance=instance, partition_key=partition_key, raise_on_error=False
        )
    made = {event.asset_key.to_user_string() for event in result.get_asset_materialization_events() if event.asset_key}
    return made, {e.check_name: (e.passed, e.severity) for e in result.get_asset_check_evaluations()}


def collect(platform: PlatformResource) -> Said:
    return run(platform, "collect_job", TODAY)


def train(platform: PlatformResource) -> Said:
    """Without a registry it ends at the models at the latest: what is looked at here comes before."""
    return run(platform, "train_job")


def test_a_good_batch_with_some_refused_items_becomes_a_training_set(platform: PlatformResource, feeds: ScriptedServer) -> None:
    serve(feeds, good=30, bad=5)
    made, checks = collect(platform)
    assert made == {"raw_news", "articles", "article_features", "article_sentiment"}
    assert checks["quarantine_share_is_low"] == (False, dg.AssetCheckSeverity.WARN)
    assert checks["articles_keep_their_contract"][0]
    made, checks = train(platform)
    assert made == {"labels", "training_set"}
    assert checks["what_training_takes_in_is_sound"] == (False, dg.AssetCheckSeverity.WARN)


def test_a_bad_batch_is_in_quarantine_and_nothing_is_trained_until_it_was_fixed(
    platform: PlatformResource, feeds: ScriptedServer
) -> None:
    serve(feeds, good=10, bad=30)
    made, checks = collect(platform)
    assert made == {"raw_news"}
    assert checks["quarantine_share_is_low"] == (False, dg.AssetCheckSeverity.ERROR)
    with platform.engine().connect() as connection:
        rules = connection.execute(text("SELECT rule, count(*) FROM platform.quarantine GROUP BY rule")).all()
    assert [tuple(row) for row in rules] == [("published_at_is_readable", 30)]
    made, checks = train(platform)
    assert made == {"labels"}
    assert checks["what_training_takes_in_is_sound"] == (False, dg.AssetCheckSeverity.ERROR)
    with platform.engine().begin() as connection:
        release(connection, list(connection.execute(text("SELECT id FROM platform.quarantine")).scalars()), NOW)
    made, checks = train(platform)
    assert made == {"labels", "training_set"}
    assert checks["what_training_takes_in_is_sound"][0]


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
    made, checks = collect(platform)
    assert made == {"raw_news"}
    assert checks["quarantine_share_is_low"][0]
    assert checks["sources_deliver_what_they_used_to"] == (False, dg.AssetCheckSeverity.ERROR)
    made, checks = train(platform)
    assert made == {"labels"}
    assert checks["what_training_takes_in_is_sound"] == (False, dg.AssetCheckSeverity.ERROR)


def test_labels_of_a_file_that_was_mostly_refused_are_not_trained_on_until_it_is_read_again(
    platform: PlatformResource, tmp_path: Path
) -> None:
    def read(labels: Sequence[str], now: datetime) -> None:
        path = tmp_path / "desk.csv"
        path.write_text("\n".join(["text,label", *(f"Unit {n} sold more,{label}" for n, label in enumerate(labels))]))
        import_report(platform.engine(), plain(path, "desk", "CC0-1.0"), run_id="run", now=now)

    read(["great"] * 15 + ["positive"] * 15, NOW - timedelta(hours=1))
    made, checks = train(platform)
    assert made == {"labels"}
    assert checks["what_training_takes_in_is_sound"] == (False, dg.AssetCheckSeverity.ERROR)
    read(["positive"] * 30, NOW)
    made, checks = train(platform)
    assert made == {"labels", "training_set"}
    assert checks["what_training_takes_in_is_sound"][0]


def test_articles_that_lost_their_contract_stop_the_run_and_a_few_are_left_out(
    platform: PlatformResource, feeds: ScriptedServer
) -> None:
    serve(feeds, good=30, bad=0)
    collect(platform)
    spoil = "UPDATE platform.raw_data SET tickers = '{not/a/symbol}' WHERE id IN (SELECT id FROM platform.raw_data ORDER BY id LIMIT :n)"
    with platform.engine().begin() as connection:
        connection.execute(text(spoil), {"n": 3})
    made, checks = collect(platform)
    assert "article_features" in made
    assert checks["articles_keep_their_contract"] == (False, dg.AssetCheckSeverity.WARN)
    with platform.engine().begin() as connection:
        connection.execute(text(spoil), {"n": 15})
    made, checks = collect(platform)
    assert made == {"raw_news", "articles"}
    assert checks["articles_keep_their_contract"] == (False, dg.AssetCheckSeverity.ERROR)
    assert train(platform)[0] == {"labels"}
    with platform.engine().begin() as connection:
        connection.execute(text("UPDATE platform.raw_data SET tickers = '{}'"))
    assert collect(platform)[1]["articles_keep_their_contract"][0]
