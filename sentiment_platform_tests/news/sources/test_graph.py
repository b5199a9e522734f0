"""Sources of a catalogue in the asset graph: a backfill from an archive, and the note about a source that lacks its key."""

from pathlib import Path

import dagster as dg

from sentiment_platform.news.assets import raw_news
from sentiment_platform.news.checks import every_fetched_item_is_accounted_for, sources_are_fresh
from sentiment_platform.run_tags import range_tags
from sentiment_platform.store.resources import PlatformResource
from sentiment_platform_tests.news.sources.conftest import NOW

CATALOGUE = """
[old]
kind = "archive"
title = "Old"
path = "old.csv"
columns = "title=1,published_at=0"
[tiingo]
quota_per_day = 10
"""


def run(database_url: str, file: Path, tags: dict[str, str]) -> tuple[dg.ExecuteInProcessResult, str]:
    """One run of `raw_news` with its checks, and the table of its sources."""
    platform = PlatformResource(
        overrides={"DATABASE_URL": database_url, "SENTIMENT_SOURCES": str(file)}, fixed_now=NOW.isoformat()
    )
    definitions = dg.Definitions(
        assets=[raw_news],
        asset_checks=[every_fetched_item_is_accounted_for, sources_are_fresh],
        jobs=[dg.define_asset_job("news_job", dg.AssetSelection.assets(raw_news), executor_def=dg.in_process_executor)],
        resources={"platform": platform},
    )
    with dg.DagsterInstance.ephemeral() as instance:
        result = definitions.resolve_job_def("news_job").execute_in_process(instance=instance, tags=tags)
    platform.engine().dispose()
    (materialization, *_) = result.asset_materializations_for_node("raw_news")
    return result, str(materialization.metadata["sources"].value)


def test_a_range_of_past_days_takes_its_rows_from_the_archive_and_accounts_for_every_one(
    database_url: str, tmp_path: Path
) -> None:
    file = tmp_path / "sources.toml"
    file.write_text(CATALOGUE)
    (tmp_path / "old.csv").write_text("2024-05-01,Profit rises\n2024-05-02T09:00:00Z,Loss narrows\n2024-06-03,Sales fall\n")
    tags = range_tags("2024-05-01", "2024-05-31")
    result, sources = run(database_url, file, tags)
    checks = {check.check_name: check for check in result.get_asset_check_evaluations()}
    assert checks["every_fetched_item_is_accounted_for"].passed
    assert checks["every_fetched_item_is_accounted_for"].metadata["collections"].value == 2
    assert "| old | 2 | 2 | 0 | 0 | collected |" in sources
    assert "TIINGO_API_KEY is not set" in sources


def test_a_source_without_its_key_is_a_note_and_neither_a_failure_nor_stale(database_url: str, tmp_path: Path) -> None:
    file = tmp_path / "sources.toml"
    file.write_text(CATALOGUE)
    result, sources = run(database_url, file, {"dagster/partition": NOW.date().isoformat()})
    checks = {check.check_name: check for check in result.get_asset_check_evaluations()}
    assert result.success
    assert checks["sources_are_fresh"].passed
    assert "| tiingo | 0 | 0 | 0 | 0 | skipped | not asked: TIINGO_API_KEY is not set |" in sources
