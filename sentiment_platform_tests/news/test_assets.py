from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import dagster as dg
import pytest
from sqlalchemy import Engine, text

from sentiment_platform.news.admission import store_items
from sentiment_platform.news.assets import articles, raw_news
from sentiment_platform.news.checks import (
    a_source_answers,
    every_fetched_item_is_accounted_for,
    quarantine_share_is_low,
    sources_are_fresh,
)
from sentiment_platform.news.items import RawItem
from sentiment_platform.news.jobs import WITHOUT_ASKING
from sentiment_platform.news.schedules import collection_schedule
from sentiment_platform.run_tags import range_tags
from sentiment_platform.store.flags import set_flag
from sentiment_platform.store.resources import PlatformResource
from sentiment_platform_tests.news.server import ScriptedServer, item, reply, rss

NOW = datetime(2025, 1, 6, 12, tzinfo=UTC)
CHECKS = [a_source_answers, every_fetched_item_is_accounted_for, quarantine_share_is_low, sources_are_fresh]


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


@pytest.fixture
def platform(database_url: str, feeds: ScriptedServer) -> Iterator[PlatformResource]:
    hours = {"1": 2, "2": 3, "3": 30, "4": 80}
    items = [
        item(f"Story {n} moves", f"https://e.example/{n}", format_datetime(NOW - timedelta(hours=h))) for n, h in hours.items()
    ]
    feeds.answers["/wire"] = reply(
        rss(*items, item("Story 1 moves!", "https://copy.example/1", format_datetime(NOW - timedelta(hours=1)))), etag='"1"'
    )
    feeds.answers["/page"] = reply(b"<html>Log in</html>")
    platform = PlatformResource(
        overrides={
            "DATABASE_URL": database_url,
            "SENTIMENT_FEEDS": f"wire={feeds.url}/wire,page={feeds.url}/page",
            "SENTIMENT_ALLOW_PRIVATE_HOSTS": "yes",
        },
        fixed_now=NOW.isoformat(),
    )
    yield platform
    platform.engine().dispose()


NEWS_JOB = dg.define_asset_job("news_job", dg.AssetSelection.assets(raw_news, articles), executor_def=dg.in_process_executor)


def job_over(platform: PlatformResource) -> dg.JobDefinition:
    definitions = dg.Definitions(
        assets=[raw_news, articles],
        asset_checks=CHECKS,
        jobs=[NEWS_JOB],
        resources={"platform": platform},
    )
    dg.Definitions.validate_loadable(definitions)
    return definitions.resolve_job_def("news_job")


def run(
    instance: dg.DagsterInstance, platform: PlatformResource, first: str, last: str | None = None
) -> dg.ExecuteInProcessResult:
    job = job_over(platform)
    if last is None:
        return job.execute_in_process(instance=instance, partition_key=first, raise_on_error=False)
    tags = range_tags(first, last)
    return job.execute_in_process(instance=instance, tags=tags, raise_on_error=False)


def metadata(result: dg.ExecuteInProcessResult, asset: str) -> dict[str, object]:
    (materialization, *_) = result.asset_materializations_for_node(asset)
    return {name: value.value for name, value in materialization.metadata.items()}


def test_todays_run_collects_every_feed_stores_other_days_too_and_shows_its_arithmetic(
    instance: dg.DagsterInstance, platform: PlatformResource
) -> None:
    result = run(instance, platform, "2025-01-06")
    shown = metadata(result, "raw_news")
    assert result.success
    assert (shown["fetched"], shown["stored"], shown["duplicate"], shown["quarantined"]) == (5, 5, 0, 0)
    assert "| wire | 5 | 5 | 0 | 0 | collected |" in str(shown["sources"])
    assert "HTML page" in str(shown["sources"])
    assert "| 2025-01-05 | 1 |" in str(shown["other_days"])
    told = metadata(result, "articles")
    assert (told["articles"], told["stories"], told["syndicated_copies"]) == (3, 2, 1)
    assert told["late_days"] == "2025-01-03, 2025-01-05"
    checks = {e.check_name: (e.passed, e.severity) for e in result.get_asset_check_evaluations()}
    assert checks["every_fetched_item_is_accounted_for"] == (True, dg.AssetCheckSeverity.ERROR)
    assert checks["sources_are_fresh"] == (False, dg.AssetCheckSeverity.WARN)
    assert checks["quarantine_share_is_low"][0]


def with_sources(platform: PlatformResource, **environ: str) -> PlatformResource:
    return PlatformResource(overrides=platform.overrides | environ, fixed_now=platform.fixed_now)


@pytest.mark.parametrize(
    ("environ", "day", "passed", "summary", "verdict"),
    [
        ({}, "2025-01-06", True, "- wire: 5 stored, 0 known, 0 refused", "1 of 2 sources"),
        (
            {},
            "2025-01-06",
            True,
            "- page: failed: The answer is an HTML page, not an RSS or Atom feed. Check the address",
            "1 of 2",
        ),
        ({"SENTIMENT_FEEDS": "page={page}"}, "2025-01-06", False, "- page: failed: ", "Nothing could be collected: page failed."),
        (
            {"SENTIMENT_FEEDS": ""},
            "2025-01-06",
            False,
            "- No source of news is chosen. Choose one: ",
            "No source of news is chosen.",
        ),
        (
            {"SENTIMENT_FEEDS": "", "SENTIMENT_SOURCES": "tiingo"},
            "2025-01-06",
            False,
            "- tiingo: off: TIINGO_API_KEY is not set. It is asked once that is set right; or take it out of SENTIMENT_SOURCES.",
            "No source of news is on. Each that is chosen is off: tiingo: TIINGO_API_KEY is not set.",
        ),
        ({}, "2024-05-03", False, "- What is on (wire, page) cannot be asked for these days", "What is on (wire, page)"),
    ],
    ids=["one works", "one fails", "all fail", "none chosen", "the chosen one is off", "no feed knows the past"],
)
def test_a_run_says_of_each_source_what_came_and_is_red_when_nothing_could_be_collected(
    instance: dg.DagsterInstance,
    platform: PlatformResource,
    feeds: ScriptedServer,
    environ: dict[str, str],
    day: str,
    passed: bool,
    summary: str,
    verdict: str,
) -> None:
    environ = {name: value.replace("{page}", f"{feeds.url}/page") for name, value in environ.items()}
    result = run(instance, with_sources(platform, TIINGO_API_KEY="", **environ), day)
    assert summary in str(metadata(result, "raw_news")["summary"])
    (check,) = [e for e in result.get_asset_check_evaluations() if e.check_name == "a_source_answers"]
    assert (check.passed, check.severity, result.success) == (passed, dg.AssetCheckSeverity.ERROR, True)
    assert verdict in (check.description or "")


def test_nothing_new_of_a_source_that_works_is_green_and_days_that_an_archive_filled_need_no_source(
    instance: dg.DagsterInstance, platform: PlatformResource
) -> None:
    """Also where nothing is chosen, and where the run asks nobody."""
    run(instance, platform, "2025-01-06")
    again = run(instance, platform, "2025-01-06")
    assert "- wire: nothing new since it was last asked" in str(metadata(again, "raw_news")["summary"])
    filled = run(instance, with_sources(platform, SENTIMENT_FEEDS=""), "2025-01-03")
    checks = {(e.check_name, e.passed) for result in (again, filled) for e in result.get_asset_check_evaluations()}
    assert ("a_source_answers", False) not in checks
    quiet = job_over(with_sources(platform, SENTIMENT_FEEDS="")).execute_in_process(
        instance=instance, partition_key="2025-01-06", run_config=WITHOUT_ASKING
    )
    assert str(metadata(quiet, "raw_news")["summary"]).startswith("No source was asked")
    assert {e.passed for e in quiet.get_asset_check_evaluations() if e.check_name == "a_source_answers"} == {True}


def test_a_second_run_of_the_day_changes_nothing_and_keeps_the_data_version(
    instance: dg.DagsterInstance, platform: PlatformResource
) -> None:
    first, second = run(instance, platform, "2025-01-06"), run(instance, platform, "2025-01-06")
    for asset in ("raw_news", "articles"):
        versions = [r.asset_materializations_for_node(asset)[0].tags["dagster/data_version"] for r in (first, second)]
        assert versions[0] == versions[1]
    assert metadata(second, "raw_news")["stored"] == 0
    assert metadata(second, "articles") == {**metadata(first, "articles"), "late_days": "none"}
    with platform.engine().connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM platform.story_clusters")).scalar_one() == 5


def test_a_past_day_fetches_nothing_and_reports_what_archives_brought(
    instance: dg.DagsterInstance, platform: PlatformResource, feeds: ScriptedServer
) -> None:
    at = datetime(2024, 5, 3, 9, tzinfo=UTC)
    archived = RawItem(source="archive", origin="a.csv", position=1, title="An old story", published_at=at, published_text="x")
    with platform.engine().begin() as connection:
        store_items(connection, [archived], run_id="import", now=NOW, archived=True)
    result = run(instance, platform, "2024-05-03")
    assert feeds.requests == []
    assert metadata(result, "raw_news")["dagster/partition_row_count"] == 1
    assert "| archive | 1 |" in str(metadata(result, "raw_news")["articles_by_source"])
    assert metadata(result, "articles")["stories"] == 1


def test_a_range_of_days_is_one_run(instance: dg.DagsterInstance, platform: PlatformResource, feeds: ScriptedServer) -> None:
    result = run(instance, platform, "2025-01-03", "2025-01-06")
    assert result.success
    assert len(result.asset_materializations_for_node("raw_news")) == 4
    assert len([path for path, _ in feeds.requests if path == "/wire"]) == 1
    assert (metadata(result, "raw_news")["dagster/partition_row_count"], metadata(result, "articles")["late_days"]) == (5, "none")


def test_an_item_that_is_unaccounted_for_stops_the_run_before_articles(
    instance: dg.DagsterInstance, platform: PlatformResource
) -> None:
    # The defect: the report of a collection claims a stored row that the database does not have.
    with platform.engine().begin() as connection:
        connection.execute(
            text(
                "CREATE FUNCTION platform.miscount() RETURNS trigger LANGUAGE plpgsql AS "
                "$$ BEGIN NEW.stored := NEW.stored + 1; NEW.fetched := NEW.fetched + 1; RETURN NEW; END $$"
            )
        )
        connection.execute(
            text(
                "CREATE TRIGGER miscount BEFORE INSERT ON platform.collection_runs FOR EACH ROW "
                "WHEN (NEW.stored > 0) EXECUTE FUNCTION platform.miscount()"
            )
        )
    result = run(instance, platform, "2025-01-06")
    assert not result.success
    assert {e.check_name for e in result.get_asset_check_evaluations() if not e.passed} >= {"every_fetched_item_is_accounted_for"}
    assert instance.get_latest_materialization_event(dg.AssetKey("articles")) is None


def test_a_refused_item_that_quarantine_did_not_keep_stops_the_run_too(
    instance: dg.DagsterInstance, platform: PlatformResource, feeds: ScriptedServer
) -> None:
    feeds.answers["/wire"] = reply(
        rss(item("Story 1 moves", "https://e.example/1", format_datetime(NOW)), item("", "https://e.example/2", "soon"))
    )
    with platform.engine().begin() as connection:
        lose = "CREATE FUNCTION platform.lose() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$"
        connection.execute(text(lose))
        connection.execute(
            text("CREATE TRIGGER lose BEFORE INSERT ON platform.quarantine FOR EACH ROW EXECUTE FUNCTION platform.lose()")
        )
    result = run(instance, platform, "2025-01-06")
    (found,) = (e for e in result.get_asset_check_evaluations() if e.check_name == "every_fetched_item_is_accounted_for")
    assert (result.success, found.passed, found.metadata["unbalanced"].value) == (False, False, "wire")


def test_an_article_that_arrives_late_joins_the_story_and_does_not_rename_it(
    instance: dg.DagsterInstance, platform: PlatformResource, feeds: ScriptedServer
) -> None:
    run(instance, platform, "2025-01-06")
    feeds.answers["/wire"] = reply(
        rss(item("STORY 1 MOVES", "https://first.example/1", format_datetime(NOW - timedelta(hours=40))))
    )
    run(instance, platform, "2025-01-06")
    with platform.engine().connect() as connection:
        stories = connection.execute(
            text(
                "SELECT story_id, count(*) FROM platform.story_clusters JOIN platform.raw_data ON id = article_id "
                "WHERE title ILIKE 'story 1 moves%' GROUP BY 1"
            )
        ).all()
        opener = connection.execute(text("SELECT id FROM platform.raw_data WHERE url = 'https://e.example/1'")).scalar_one()
    assert [tuple(row) for row in stories] == [(opener, 3)]


def tick(at: datetime, instance: dg.DagsterInstance, **environ: str) -> list[dg.RunRequest]:
    """What the schedule asks for, nothing where it says why not."""
    platform = PlatformResource(overrides={"SENTIMENT_FEEDS": "", "SENTIMENT_SOURCES": ""} | environ)
    with dg.build_schedule_context(instance=instance, scheduled_execution_time=at, resources={"platform": platform}) as context:
        requests = collection_schedule(context)
    if isinstance(requests, dg.SkipReason):
        assert "No source of news is chosen. Choose one: SENTIMENT_SOURCES=gdelt" in (requests.skip_message or "")
        return []
    return requests


def test_where_nobody_has_chosen_a_source_no_tick_starts_a_run_and_one_that_is_off_is_for_the_run_to_say(
    instance: dg.DagsterInstance,
) -> None:
    assert tick(NOW, instance) == []
    assert len(tick(NOW, instance, SENTIMENT_SOURCES="tiingo", TIINGO_API_KEY="")) == 1


def test_while_collection_is_switched_off_no_tick_starts_a_run(
    instance: dg.DagsterInstance, engine: Engine, database_url: str
) -> None:
    def asked() -> list[dg.RunRequest] | str:
        platform = PlatformResource(overrides={"DATABASE_URL": database_url, "SENTIMENT_FEEDS": "", "SENTIMENT_SOURCES": "gdelt"})
        with dg.build_schedule_context(
            instance=instance, scheduled_execution_time=NOW, resources={"platform": platform}
        ) as context:
            requests = collection_schedule(context)
        platform.engine().dispose()
        return (requests.skip_message or "") if isinstance(requests, dg.SkipReason) else requests

    for enabled in (False, True):
        with engine.begin() as connection:
            set_flag(connection, "collection", enabled=enabled, expected=None, reason="test", actor="ada", at=NOW)
        told = asked()
        assert len(told) == 1 if enabled else "switched off" in told


def test_every_tick_of_a_day_requests_that_day_once_and_the_first_hour_yesterday_too(instance: dg.DagsterInstance) -> None:
    midnight = datetime(2025, 1, 6, tzinfo=UTC)
    ticks = [tick(midnight + timedelta(minutes=15 * n), instance, SENTIMENT_SOURCES="gdelt") for n in range(96)]
    today = [request for requests in ticks for request in requests if request.partition_key == "2025-01-06"]
    yesterday = [request for requests in ticks for request in requests if request.partition_key == "2025-01-05"]
    assert (len(today), len(yesterday)) == (96, 4)
    assert all(len(requests) == 2 for requests in ticks[:4])
    assert len({request.run_key for request in today + yesterday}) == 100


def test_the_partition_of_today_exists_while_today_is_going_on(engine: Engine) -> None:
    from sentiment_platform.news.partitions import daily

    keys = daily.get_partition_keys(current_time=NOW)
    assert (keys[0], keys[-1]) == ("2018-01-01", "2025-01-06")
