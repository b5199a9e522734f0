"""Late news tick by tick: which runs are asked for, that they make exactly their days, and that nothing is asked for forever."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import dagster as dg
import pytest
from sqlalchemy import text

from sentiment_platform.features.assets import article_features
from sentiment_platform.news import checks as news_checks
from sentiment_platform.news.admission import store_items
from sentiment_platform.news.assets import articles, raw_news
from sentiment_platform.news.items import RawItem
from sentiment_platform.news.jobs import collect_job
from sentiment_platform.news.late import ATTEMPTS, DAYS_A_RUN, RUNS_AT_ONCE, Asked, plan, read_cursor, write_cursor
from sentiment_platform.news.sensors import late_news_arrived
from sentiment_platform.run_tags import PARTITION, RANGE_END, RANGE_START, range_tags
from sentiment_platform.sentiment.assets import article_sentiment
from sentiment_platform.store.collection_reports import record_collection
from sentiment_platform.store.late_news import WaitingDay
from sentiment_platform.store.resources import PlatformResource
from sentiment_platform_tests.news.server import ScriptedServer, reply

NOW = datetime(2025, 1, 6, 12, tzinfo=UTC)
TICK = timedelta(minutes=15)


class Daemon:
    """Looks as the daemon does, with the cursor of the last look, and executes what is asked for."""

    def __init__(self, instance: dg.DagsterInstance, overrides: dict[str, str]) -> None:
        self.instance, self.overrides, self.now, self.cursor = instance, overrides, NOW, ""
        self.keys: set[str | None] = set()

    @property
    def platform(self) -> PlatformResource:
        return PlatformResource(overrides=self.overrides, fixed_now=self.now.isoformat())

    def look(self) -> list[dg.RunRequest]:
        found = self.evaluate()
        if not isinstance(found, dg.SensorResult):
            return []
        self.cursor = found.cursor or ""
        requests = list(found.run_requests or ())
        assert not {request.run_key for request in requests} & self.keys
        self.keys |= {request.run_key for request in requests}
        return requests

    def evaluate(self) -> dg.SensorResult | dg.SkipReason:
        resources = {"platform": self.platform}
        with dg.build_sensor_context(instance=self.instance, cursor=self.cursor, resources=resources) as context:
            found = late_news_arrived(context)
        assert isinstance(found, dg.SensorResult | dg.SkipReason)
        return found

    def job(self) -> dg.JobDefinition:
        return dg.Definitions(
            assets=[raw_news, articles, article_features, article_sentiment],
            asset_checks=dg.load_asset_checks_from_modules([news_checks]),
            jobs=[collect_job],
            resources={"platform": self.platform},
        ).resolve_job_def("collect_job")

    def execute(self, requests: Sequence[dg.RunRequest]) -> list[dg.ExecuteInProcessResult]:
        job = self.job()
        return [
            job.execute_in_process(
                instance=self.instance,
                partition_key=request.partition_key,
                tags=request.tags,
                run_config=request.run_config,
                raise_on_error=False,
            )
            for request in requests
        ]

    def sql(self, statement: str) -> Any:
        platform = self.platform
        with platform.engine().begin() as connection:
            result = connection.execute(text(statement))
            found = [tuple(row) for row in result] if result.returns_rows else []
        platform.engine().dispose()
        return found

    def arrive(self, *published: datetime, run_id: str = "wire-run") -> None:
        """Articles come in now, as a source's turn stores them."""
        items = [
            RawItem(source="wire", origin="f", position=1, title=f"Item of {at.isoformat()}", url=f"https://e.example/{at:%s}",
                    published_at=at, published_text=at.isoformat())
            for at in published
        ]  # fmt: skip
        platform = self.platform
        with platform.engine().begin() as connection:
            tally = store_items(connection, items, run_id=run_id, now=self.now)
            record_collection(connection, tally.report("wire", run_id, "collected", None, self.now))
        platform.engine().dispose()


@pytest.fixture
def daemon(database_url: str, redis_url: str, feeds: ScriptedServer) -> Iterator[Daemon]:
    feeds.answers["/wire"] = reply(b"", status=500)
    overrides = {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "SENTIMENT_FEEDS": f"wire={feeds.url}/wire",
        "SENTIMENT_ALLOW_PRIVATE_HOSTS": "yes",
    }
    with dg.DagsterInstance.ephemeral() as instance:
        yield Daemon(instance, overrides)


def days(requests: Sequence[dg.RunRequest]) -> list[tuple[str, str]]:
    return [(r.partition_key or r.tags[RANGE_START], r.partition_key or r.tags[RANGE_END]) for r in requests]


def made(daemon: Daemon, asset: str) -> set[str]:
    return set(daemon.instance.get_materialized_partitions(dg.AssetKey(asset)))


def test_exactly_the_days_of_late_articles_are_made_again_and_no_source_is_asked(daemon: Daemon, feeds: ScriptedServer) -> None:
    daemon.arrive(NOW - timedelta(hours=1))  # today: the next tick's
    assert daemon.look() == []
    two_days, four_days, five_days = (NOW - timedelta(days=n) for n in (2, 4, 5))
    daemon.arrive(two_days, four_days, five_days, datetime(2017, 12, 31, tzinfo=UTC))
    requests = daemon.look()
    assert days(requests) == [("2025-01-01", "2025-01-02"), ("2025-01-04", "2025-01-04")]
    assert all(request.tags["trigger"] == "late_news" for request in requests)
    # Before they run, nothing is asked for twice.
    daemon.now += TICK
    assert daemon.look() == []
    assert all(result.success for result in daemon.execute(requests))
    assert feeds.requests == []
    for asset in ("raw_news", "articles", "article_features"):
        assert made(daemon, asset) == {"2025-01-01", "2025-01-02", "2025-01-04"}
    late = (
        "SELECT count(*) FROM platform.processed_features JOIN platform.raw_data ON raw_data.id = article_id WHERE published_at"
    )
    assert daemon.sql(f"{late} BETWEEN '2024-12-31T00:00Z' AND '2025-01-05T00:00Z'") == [(3,)]
    for _ in range(20):
        daemon.now += TICK
        assert daemon.look() == []
    assert daemon.cursor == "{}"
    # Another article of a day that was made: that day again, and no other.
    daemon.arrive(two_days - timedelta(hours=3), run_id="another")
    assert days(daemon.look()) == [("2025-01-04", "2025-01-04")]


def test_yesterday_belongs_to_the_regular_runs_for_an_hour_and_then_to_late_news(daemon: Daemon) -> None:
    daemon.now = datetime(2025, 1, 6, 0, 45, tzinfo=UTC)
    daemon.arrive(datetime(2025, 1, 5, 23, 59, 59, tzinfo=UTC))
    assert daemon.look() == []
    daemon.now += TICK
    assert days(daemon.look()) == [("2025-01-05", "2025-01-05")]


@pytest.mark.slow
def test_a_run_that_can_never_succeed_is_asked_for_three_times_until_another_article_comes(daemon: Daemon) -> None:
    # The defect: the database refuses every story of one day.
    daemon.sql(
        "CREATE FUNCTION platform.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no stories today'; END $$;"
        "CREATE TRIGGER refuse BEFORE INSERT ON platform.story_clusters FOR EACH ROW EXECUTE FUNCTION platform.refuse()"
    )
    daemon.arrive(NOW - timedelta(days=3))
    asked_at: list[datetime] = []
    for _ in range(96):
        requests = daemon.look()
        assert len(requests) <= 1
        if requests:
            asked_at.append(daemon.now)
            assert [result.success for result in daemon.execute(requests)] == [False]
        daemon.now += TICK
    assert [at - NOW for at in asked_at] == [timedelta(hours=n) for n in range(ATTEMPTS)]
    found = daemon.evaluate()
    assert isinstance(found, dg.SensorResult)
    assert found.skip_reason
    assert "2025-01-03" in (found.skip_reason.skip_message or "")
    daemon.sql("DROP TRIGGER refuse ON platform.story_clusters")
    daemon.arrive(NOW - timedelta(days=3, hours=1), run_id="another")
    (request,) = daemon.look()
    assert daemon.execute([request])[0].success
    daemon.now += TICK
    assert (daemon.look(), daemon.cursor) == ([], "{}")


def test_while_a_backfill_is_under_way_nothing_is_asked_for_and_the_regular_runs_keep_nobody_waiting(daemon: Daemon) -> None:
    daemon.arrive(NOW - timedelta(days=2))
    tags = range_tags("2025-01-01", "2025-01-05")
    backfill = daemon.instance.create_run_for_job(daemon.job(), tags=tags)
    assert daemon.look() == []
    daemon.instance.report_run_failed(backfill)
    daemon.instance.create_run_for_job(daemon.job(), tags={PARTITION: "2025-01-06"})
    assert days(daemon.look()) == [("2025-01-04", "2025-01-04")]


def test_what_is_in_quarantine_waits_for_nobody(daemon: Daemon) -> None:
    daemon.arrive(NOW - timedelta(days=2))
    daemon.sql(
        "INSERT INTO platform.quarantine (id, boundary, source, rule, detail, payload, fetched_at, run_id) "
        "SELECT 'article:' || id, 'articles', 'wire', 'r', 'd', '{}', now(), 'x' FROM platform.raw_data"
    )
    assert daemon.look() == []
    daemon.sql("UPDATE platform.quarantine SET released_at = now()")
    assert days(daemon.look()) == [("2025-01-04", "2025-01-04")]


def test_an_import_of_years_is_asked_for_in_bounded_runs() -> None:
    first = date(2020, 1, 1)
    every_day = [WaitingDay(first + timedelta(days=n), 1, "a") for n in range(800)]
    weekdays = [one for one in every_day if one.day.weekday() < 5]
    for waiting, looks in ((every_day, 3), (weekdays, 12)):
        asked: dict[date, Asked] = {}
        seen: list[date] = []
        for _ in range(looks):
            late = plan(waiting, asked, NOW)
            assert len(late.ranges) <= RUNS_AT_ONCE
            for start, end in late.ranges:
                span = [start + timedelta(days=n) for n in range((end - start).days + 1)]
                assert len(span) <= DAYS_A_RUN
                seen += span
            asked = read_cursor(write_cursor(late.asked))
        assert seen == [one.day for one in waiting]
    assert read_cursor("what another version wrote") == {}
