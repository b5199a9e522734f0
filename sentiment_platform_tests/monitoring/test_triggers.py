"""From a trigger to a run, on the clock of the test: alone, two at once, within the cool-down, and the week by itself."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
from sqlalchemy import Engine

from sentiment_platform.monitoring.causes import LastTraining, LivePerformance
from sentiment_platform.monitoring.decision import Decision, decide
from sentiment_platform.monitoring.sensors import retraining_was_decided
from sentiment_platform.monitoring.severity import Severity
from sentiment_platform.promotion.schedules import weekly
from sentiment_platform.run_tags import REASON, TRIGGER
from sentiment_platform.store.decisions import newest_decisions, write_decision
from sentiment_platform.store.resources import PlatformResource
from sentiment_platform_tests.monitoring.deciding import FALLEN, OLD, POLICY, RECENT, STEADY, drift
from sentiment_platform_tests.monitoring.seeding import NOW, VERSION


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def run_of(
    engine: Engine,
    platform: PlatformResource,
    instance: dg.DagsterInstance,
    at: datetime,
    severity: Severity,
    performance: LivePerformance,
    cursor: str | None = None,
    training: LastTraining = RECENT,
) -> tuple[list[dg.RunRequest], str | None]:
    """What monitoring decides at that hour, stored, and what the next tick of the sensor asks for; its cursor."""
    with engine.begin() as connection:
        earlier = [Decision.of(stored) for stored in newest_decisions(connection, 10, retrain=True)]
        decision = decide(at, VERSION, drift(severity), performance, training, earlier, POLICY)
        write_decision(connection, decision.to_stored(), "monitoring")
    with dg.build_sensor_context(instance=instance, cursor=cursor, resources={"platform": platform}) as context:
        result = retraining_was_decided(context)
    if not isinstance(result, dg.SensorResult):
        return [], cursor
    return list(result.run_requests or []), result.cursor


@pytest.mark.parametrize(
    ("severity", "performance", "training", "trigger"),
    [
        ("high", STEADY, RECENT, "data_drift"),
        ("none", FALLEN, RECENT, "performance_degradation"),
        ("none", STEADY, OLD, "age"),
        ("high", FALLEN, RECENT, "data_drift,performance_degradation"),
    ],
)
def test_a_trigger_or_two_at_once_start_one_run_with_every_reason_and_the_next_hours_none(
    engine: Engine,
    platform: PlatformResource,
    instance: dg.DagsterInstance,
    severity: Severity,
    performance: LivePerformance,
    training: LastTraining,
    trigger: str,
) -> None:
    (request,), cursor = run_of(engine, platform, instance, NOW, severity, performance, None, training)
    assert request.tags[TRIGGER] == trigger
    assert len(request.tags[REASON].split("; ")) == len(trigger.split(","))
    for hour in (1, 12, 23):
        asked, cursor = run_of(engine, platform, instance, NOW + timedelta(hours=hour), severity, performance, cursor, training)
        assert asked == []


def test_another_trigger_within_the_cool_down_starts_none_and_after_it_one(
    engine: Engine, platform: PlatformResource, instance: dg.DagsterInstance
) -> None:
    (_,), cursor = run_of(engine, platform, instance, NOW, "high", STEADY)
    held, cursor = run_of(engine, platform, instance, NOW + timedelta(hours=5), "high", FALLEN, cursor)
    assert held == []
    (later,), _ = run_of(engine, platform, instance, NOW + timedelta(hours=25), "none", FALLEN, cursor)
    assert later.tags[TRIGGER] == "performance_degradation"


def test_nothing_starts_nothing(engine: Engine, platform: PlatformResource, instance: dg.DagsterInstance) -> None:
    assert run_of(engine, platform, instance, NOW, "none", STEADY) == ([], None)


def test_the_week_starts_one_run_on_monday_tagged_with_it_and_a_tick_that_comes_again_the_same_one() -> None:
    monday = datetime(2025, 3, 10, 4, 23, tzinfo=UTC)
    ticks = [weekly.evaluate_tick(dg.build_schedule_context(scheduled_execution_time=monday)) for _ in range(2)]
    ((first,), (again,)) = (list(tick.run_requests or []) for tick in ticks)
    assert first.tags[TRIGGER] == "weekly"
    assert first.run_key == again.run_key
    assert weekly.cron_schedule == "23 4 * * 1"
