from datetime import timedelta

import dagster as dg
import pytest
from sqlalchemy import Engine

from sentiment_platform.clock import utc_now
from sentiment_platform.monitoring.sensors import retraining_was_decided
from sentiment_platform.store.resources import PlatformResource
from sentiment_platform_tests.monitoring.seeding import seed_decision


@dg.op
def fail() -> None:
    raise dg.Failure("training fails, always", allow_retries=False)


@dg.job(name="train_job")
def failing_training() -> None:
    fail()


def tick(instance: dg.DagsterInstance, platform: PlatformResource, cursor: str | None = None) -> dg.SensorResult | dg.SkipReason:
    with dg.build_sensor_context(instance=instance, cursor=cursor, resources={"platform": platform}) as context:
        result = retraining_was_decided(context)
    assert isinstance(result, dg.SensorResult | dg.SkipReason)
    return result


def requests(result: dg.SensorResult | dg.SkipReason) -> list[dg.RunRequest]:
    return list(result.run_requests or []) if isinstance(result, dg.SensorResult) else []


@pytest.fixture
def instance():  # type: ignore[no-untyped-def]
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def test_a_decision_starts_one_run_tagged_with_its_causes_and_the_next_tick_none(
    engine: Engine, platform: PlatformResource, instance: dg.DagsterInstance
) -> None:
    seed_decision(engine, "quiet", utc_now(), retrain=False, kinds=())
    assert requests(tick(instance, platform)) == []
    seed_decision(engine, "drifted", utc_now(), kinds=("data_drift", "age"))
    first = tick(instance, platform)
    assert isinstance(first, dg.SensorResult)
    (request,) = requests(first)
    assert (request.run_key, request.tags["trigger"]) == ("drifted", "age,data_drift")
    assert (request.tags["decision"], request.tags["reason"]) == ("drifted", "because of drifted.")
    assert requests(tick(instance, platform, first.cursor)) == []


def test_decisions_that_wait_together_start_one_run_for_all_of_them(
    engine: Engine, platform: PlatformResource, instance: dg.DagsterInstance
) -> None:
    seed_decision(engine, "first", utc_now() - timedelta(days=2), kinds=("data_drift",))
    seed_decision(engine, "second", utc_now(), kinds=("performance_degradation",))
    result = tick(instance, platform)
    assert isinstance(result, dg.SensorResult)
    (request,) = requests(result)
    assert request.tags["trigger"] == "data_drift,performance_degradation"
    assert request.tags["reason"] == "because of first. because of second."
    assert requests(tick(instance, platform, result.cursor)) == []


@pytest.mark.parametrize("status", [dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTED])
def test_a_training_under_way_answers_the_decision(
    engine: Engine, platform: PlatformResource, instance: dg.DagsterInstance, status: dg.DagsterRunStatus
) -> None:
    instance.add_run(dg.DagsterRun(job_name="train_job", status=status))
    seed_decision(engine, "drifted", utc_now() + timedelta(minutes=1))
    result = tick(instance, platform)
    assert isinstance(result, dg.SensorResult)
    assert requests(result) == []
    assert result.cursor is not None
    assert "drifted" in result.cursor
    seed_decision(engine, "drifted again", utc_now() + timedelta(minutes=2))
    instance.add_run(dg.DagsterRun(job_name="monitor_job", status=dg.DagsterRunStatus.STARTED))
    with dg.DagsterInstance.ephemeral() as idle:
        assert [r.run_key for r in requests(tick(idle, platform, result.cursor))] == ["drifted again"]


def test_a_training_before_the_decision_does_not_answer_it(
    engine: Engine, platform: PlatformResource, instance: dg.DagsterInstance
) -> None:
    failing_training.execute_in_process(instance=instance, raise_on_error=False)
    seed_decision(engine, "drifted", utc_now() + timedelta(minutes=1))
    assert len(requests(tick(instance, platform))) == 1


def test_a_run_that_always_fails_is_asked_for_once_and_not_in_a_storm(
    engine: Engine, platform: PlatformResource, instance: dg.DagsterInstance
) -> None:
    seed_decision(engine, "drifted", utc_now() - timedelta(minutes=1))
    cursor, asked = None, 0
    for _ in range(20):
        result = tick(instance, platform, cursor)
        for _request in requests(result):
            asked += 1
            failing_training.execute_in_process(instance=instance, raise_on_error=False)
        cursor = result.cursor if isinstance(result, dg.SensorResult) else cursor
    assert asked == 1


def test_without_its_cursor_the_sensor_still_does_not_repeat_a_run(
    engine: Engine, platform: PlatformResource, instance: dg.DagsterInstance
) -> None:
    seed_decision(engine, "drifted", utc_now() - timedelta(minutes=1))
    assert len(requests(tick(instance, platform))) == 1
    failing_training.execute_in_process(instance=instance, raise_on_error=False)
    assert requests(tick(instance, platform, cursor=None)) == []
