"""Claims about incidents of the parts that run, made by the asset and told to a real receiver."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import dagster as dg
import pytest
from sqlalchemy import Engine, insert

from sentiment_platform.monitoring import assets
from sentiment_platform.store.resources import PlatformResource
from sentiment_platform.store.sources import SourceState, write_source_state
from sentiment_platform.store.tables import CollectionRun
from sentiment_platform_tests.monitoring.seeding import NOW
from sentiment_platform_tests.monitoring.sink import Sink, running_sink

FEEDS = "wire=https://wire.example/rss,slow=https://slow.example/rss,new=https://new.example/rss"
Look = Callable[..., None]


@pytest.fixture
def sink() -> Iterator[Sink]:
    with running_sink() as sink:
        yield sink


@pytest.fixture
def look(database_url: str, sink: Sink) -> Look:
    """Call it to materialize `alerts` at a time, with settings changed by keywords."""

    def materialize(at: datetime = NOW, **changed: str) -> None:
        overrides = {"DATABASE_URL": database_url, "SENTIMENT_ALERT_WEBHOOK": sink.url, "SENTIMENT_ALERT_SECRET": "of tests"}
        platform = PlatformResource(overrides=overrides | {"SENTIMENT_FEEDS": FEEDS} | changed, fixed_now=at.isoformat())
        with dg.DagsterInstance.ephemeral() as instance:
            assert dg.materialize([assets.alerts], instance=instance, resources={"platform": platform}).success

    return materialize


def collected(engine: Engine, source: str, at: datetime, *, failures: int = 0, succeeded_at: datetime | None = None) -> None:
    """What one collection leaves: the state and a report, failed where `failures` in a row end with it."""
    state = SourceState(source, last_success_at=succeeded_at or (None if failures else at), consecutive_failures=failures)
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
