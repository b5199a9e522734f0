"""Claims about incidents of the parts that run, made by the asset and told to a real receiver."""

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from datetime import datetime, timedelta

import dagster as dg
import pytest
from sqlalchemy import Engine, insert

from sentiment_platform.alerts import assets
from sentiment_platform.definitions import defs
from sentiment_platform.store.resources import PlatformResource
from sentiment_platform.store.sources import SourceState, write_source_state
from sentiment_platform.store.tables import CollectionRun
from sentiment_platform_tests.alerts.sink import Sink, running_sink
from sentiment_platform_tests.monitoring.seeding import NOW

FEEDS = "wire=https://wire.example/rss,slow=https://slow.example/rss,new=https://new.example/rss"
Look = Callable[..., None]


@pytest.fixture
def sink() -> Iterator[Sink]:
    with running_sink() as sink:
        yield sink


@pytest.fixture
def look(database_url: str, sink: Sink) -> Look:
    """Call it to materialize `alerts` at a time, with settings changed by keywords."""

    def materialize(at: datetime = NOW, instance: dg.DagsterInstance | None = None, **changed: str) -> None:
        overrides = {"DATABASE_URL": database_url, "SENTIMENT_ALERT_WEBHOOK": sink.url, "SENTIMENT_ALERT_SECRET": "of tests"}
        platform = PlatformResource(overrides=overrides | {"SENTIMENT_FEEDS": FEEDS} | changed, fixed_now=at.isoformat())
        with nullcontext(instance) if instance else dg.DagsterInstance.ephemeral() as used:
            assert dg.materialize([assets.alerts], instance=used, resources={"platform": platform}).success

    return materialize


def collected(engine: Engine, source: str, at: datetime, *, failures: int = 0, succeeded_at: datetime | None = None) -> None:
    """What one collection leaves: the state and a report, failed where `failures` in a row end with it."""
    state = SourceState(source=source, last_success_at=succeeded_at or (None if failures else at), consecutive_failures=failures)
    counts = {"fetched": 0, "stored": 0, "duplicate": 0, "quarantined": 0}
    outcome = {"outcome": "failed", "detail": f"{source} answers 500."} if failures else {"outcome": "not_modified"}
    with engine.begin() as connection:
        write_source_state(connection, state)
        connection.execute(insert(CollectionRun).values(run_id="run", source=source, finished_at=at, **counts, **outcome))


def test_a_source_that_fails_three_times_is_told_once_and_once_more_when_it_is_back(
    engine: Engine, look: Look, sink: Sink
) -> None:
    collected(engine, "wire", NOW)
    collected(engine, "gone", NOW - timedelta(days=9), failures=40)  # no longer configured
    look()
    for failures in (1, 2):
        collected(engine, "wire", NOW + failures * timedelta(minutes=15), failures=failures, succeeded_at=NOW)
        look(NOW + timedelta(hours=1))
    assert sink.told == []  # the control: `new` was never asked, `wire` may be back at the next try
    for failures in (3, 4):
        collected(engine, "wire", NOW + failures * timedelta(minutes=15), failures=failures, succeeded_at=NOW)
        look(NOW + timedelta(hours=1))
    assert sink.told == [("open", "stale:wire")]
    incident = sink.messages[0]["incident"]
    assert (incident["class"], incident["source"]) == ("data_quality", "sources_are_fresh")
    assert incident["summary"] == "wire brings nothing new: wire answers 500."
    look(NOW + timedelta(hours=2), SENTIMENT_SOURCES="no such source")
    assert len(sink.told) == 1  # settings that cannot be read judge nothing, and hold up nothing
    collected(engine, "wire", NOW + timedelta(hours=2))
    look(NOW + timedelta(hours=2))
    look(NOW + timedelta(hours=2))
    assert sink.told == [("open", "stale:wire"), ("resolve", "stale:wire")]


def test_a_source_that_was_not_collected_for_a_day_is_stale(engine: Engine, look: Look, sink: Sink) -> None:
    collected(engine, "wire", NOW)
    collected(engine, "slow", NOW - timedelta(hours=23))
    look()
    assert sink.told == []
    look(NOW + timedelta(hours=2))
    assert sink.told == [("open", "stale:slow")]
    assert "last collected at 2025-03-09T13:00:00" in sink.messages[0]["incident"]["summary"]


def test_a_source_that_never_succeeded_is_told_after_its_third_failure(engine: Engine, look: Look, sink: Sink) -> None:
    collected(engine, "new", NOW, failures=2)
    look()
    assert sink.told == []
    collected(engine, "new", NOW + timedelta(minutes=15), failures=3)
    look(NOW + timedelta(minutes=20))
    assert sink.told == [("open", "stale:new")]


def job(name: str, step: str) -> dg.JobDefinition:
    """A job of that name with one step, which does what its run was tagged to do."""

    @dg.op(name=step)
    def work(context: dg.OpExecutionContext) -> None:
        if context.run.tags["ends"] == "badly":
            raise RuntimeError("as it was told")

    @dg.job(name=name, executor_def=dg.in_process_executor)
    def made() -> None:
        work()

    return made


def test_a_job_whose_newest_run_failed_is_told_once_until_a_run_succeeds(look: Look, sink: Sink) -> None:
    train, other = job("train_job", "vader_model"), job("somebodys_own_job", "vader_model")
    with dg.DagsterInstance.ephemeral() as instance:

        def ends(made: dg.JobDefinition, how: str) -> str:
            return made.execute_in_process(instance=instance, tags={"ends": how}, raise_on_error=False).run_id

        ends(train, "badly")
        ends(train, "well")
        ends(other, "badly")
        look(instance=instance)
        assert sink.told == []  # the control: a failure that is over, and one of a job that nobody asked to watch
        first = ends(train, "badly")
        look(instance=instance)
        ends(train, "badly")
        cancelled = instance.create_run_for_job(train, tags={"ends": "well"})
        instance.report_run_canceled(cancelled)
        look(instance=instance)
        assert sink.told == [("open", "run:train_job")]
        incident = sink.messages[0]["incident"]
        assert incident["class"] == "system"
        assert incident["summary"] == f"The newest run of train_job failed in vader_model, run {first}."
        ends(train, "well")
        look(instance=instance)
        look(instance=instance)
        assert sink.told == [("open", "run:train_job"), ("resolve", "run:train_job")]


def test_the_watched_jobs_are_those_that_run_by_themselves() -> None:
    repository = defs.get_repository_def()
    of_themselves = {of.job_name for of in [*repository.schedule_defs, *repository.sensor_defs]}
    assert set(assets.WATCHED_JOBS) == of_themselves - {"alert_job"}
