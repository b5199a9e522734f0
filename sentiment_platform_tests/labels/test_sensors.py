from collections.abc import Iterator
from datetime import datetime, timedelta

import dagster as dg
import pytest
from sqlalchemy import Engine, insert

from sentiment_platform.clock import utc_now
from sentiment_platform.labels.sensors import COOL_DOWN, NEW_LABELS, new_labels_arrived
from sentiment_platform.store.label_sets import LabelSet, ensure_label_set
from sentiment_platform.store.resources import PlatformResource
from sentiment_platform.store.tables import Feedback, LabelRow, TrainingSet
from sentiment_platform_tests.monitoring.seeding import features, probabilities, seed_predictions


@pytest.fixture
def platform(database_url: str) -> Iterator[PlatformResource]:
    platform = PlatformResource(overrides={"DATABASE_URL": database_url})
    yield platform
    platform.engine().dispose()


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


@dg.op
def fail() -> None:
    raise dg.Failure("training fails, always", allow_retries=False)


@dg.job(name="train_job")
def failing_training() -> None:
    fail()


def seed_training_set(engine: Engine, created_at: datetime, digest: str = "first") -> None:
    with engine.begin() as connection:
        connection.execute(insert(TrainingSet).values(digest=digest, feature_schema="v1", summary={}, created_at=created_at))


def seed_labels(engine: Engine, n: int, inserted_at: datetime, label_set: str = "people", kind: str = "human") -> None:
    stamp = inserted_at.isoformat()
    rows = [
        {
            "id": f"{label_set} {stamp} {i}",
            "label_set": label_set,
            "external_id": f"{stamp} {i}",
            "annotator": "tests",
            "text": f"text {i} of {stamp}",
            "text_hash": f"{stamp} {i}",
            "label": "neutral",
            "weight": 1.0,
            "inserted_at": inserted_at,
        }
        for i in range(n)
    ]
    with engine.begin() as connection:
        ensure_label_set(connection, LabelSet(label_set, kind, "tests", None))
        connection.execute(insert(LabelRow), rows)


def seed_said(engine: Engine, n: int, shipped_at: datetime, *, voice: str | None = "desk", texts: int | None = None) -> None:
    """`n` pieces of feedback on answers to `texts` texts (default: to as many)."""
    answered = seed_predictions(engine, features(texts or n, 1), probabilities(texts or n, 1), prefix=f"{voice} {n}")
    rows = [
        {
            "id": f"feedback {voice} {n} {i}",
            "prediction_id": answered[i % len(answered)],
            "label": "neutral",
            "voice": voice,
            "received_at": shipped_at,
            "shipped_at": shipped_at,
        }
        for i in range(n)
    ]
    with engine.begin() as connection:
        connection.execute(insert(Feedback), rows)


def tick(instance: dg.DagsterInstance, platform: PlatformResource, cursor: str | None = None) -> dg.SensorResult | dg.SkipReason:
    with dg.build_sensor_context(instance=instance, cursor=cursor, resources={"platform": platform}) as context:
        result = new_labels_arrived(context)
    assert isinstance(result, dg.SensorResult | dg.SkipReason)
    return result


def requests(result: dg.SensorResult | dg.SkipReason) -> list[dg.RunRequest]:
    return list(result.run_requests or []) if isinstance(result, dg.SensorResult) else []


def test_labels_that_are_in_the_training_set_start_nothing(
    engine: Engine, platform: PlatformResource, instance: dg.DagsterInstance
) -> None:
    now = utc_now()
    seed_labels(engine, 5 * NEW_LABELS, now - timedelta(hours=2))
    no_set = tick(instance, platform)
    assert isinstance(no_set, dg.SkipReason)
    assert "no training set" in str(no_set.skip_message)
    seed_training_set(engine, now - timedelta(hours=1))
    assert requests(tick(instance, platform)) == []
    seed_labels(engine, NEW_LABELS - 1, now)
    assert requests(tick(instance, platform)) == []


def test_enough_new_labels_start_one_tagged_run_and_the_next_tick_none(
    engine: Engine, platform: PlatformResource, instance: dg.DagsterInstance
) -> None:
    now = utc_now()
    seed_training_set(engine, now - timedelta(hours=1))
    seed_labels(engine, NEW_LABELS, now)
    first = tick(instance, platform)
    assert isinstance(first, dg.SensorResult)
    (request,) = requests(first)
    assert request.tags["trigger"] == "new_labels"
    assert request.tags["reason"].startswith(f"{NEW_LABELS} new labels since")
    assert first.cursor == now.isoformat()
    assert requests(tick(instance, platform, first.cursor)) == []


def test_feedback_counts_as_a_label_once_whether_it_was_taken_in_or_not(
    engine: Engine, platform: PlatformResource, instance: dg.DagsterInstance
) -> None:
    now = utc_now()
    seed_training_set(engine, now - timedelta(hours=1))
    seed_said(engine, NEW_LABELS - 1, now)
    seed_labels(engine, NEW_LABELS - 1, now, label_set="feedback")
    assert requests(tick(instance, platform)) == []
    seed_labels(engine, 1, now)
    assert len(requests(tick(instance, platform))) == 1


def test_ten_thousand_anonymous_words_or_as_many_of_one_key_on_one_text_start_no_training(
    engine: Engine, database_url: str, platform: PlatformResource, instance: dg.DagsterInstance
) -> None:
    now = utc_now()
    seed_training_set(engine, now - timedelta(hours=1))
    seed_said(engine, 10_000, now, voice=None, texts=500)
    seed_said(engine, 10_001, now, texts=1)
    skipped = tick(instance, platform)
    assert isinstance(skipped, dg.SkipReason)
    assert str(skipped.skip_message).startswith("1 new labels")
    # The control: where the setting says so, those without a key are one more voice, on 500 texts.
    learning = PlatformResource(overrides={"DATABASE_URL": database_url, "SENTIMENT_ANONYMOUS_FEEDBACK": "learn"})
    (request,) = requests(tick(instance, learning))
    learning.engine().dispose()
    assert request.tags["reason"].startswith("501 new labels")


def test_what_no_person_said_starts_no_training(engine: Engine, platform: PlatformResource, instance: dg.DagsterInstance) -> None:
    now = utc_now()
    seed_training_set(engine, now - timedelta(hours=1))
    for kind in ("machine", "outcome"):
        seed_labels(engine, NEW_LABELS, now, label_set=kind, kind=kind)
    assert isinstance(tick(instance, platform), dg.SkipReason)
    seed_labels(engine, NEW_LABELS, now)
    assert len(requests(tick(instance, platform))) == 1


def test_a_training_under_way_makes_the_labels_wait_without_forgetting_them(
    engine: Engine, platform: PlatformResource, instance: dg.DagsterInstance
) -> None:
    now = utc_now()
    seed_training_set(engine, now - timedelta(hours=1))
    seed_labels(engine, NEW_LABELS, now)
    instance.add_run(dg.DagsterRun(job_name="train_job", status=dg.DagsterRunStatus.STARTED))
    assert isinstance(tick(instance, platform), dg.SkipReason)
    with dg.DagsterInstance.ephemeral() as idle:
        assert len(requests(tick(idle, platform))) == 1
    seed_training_set(engine, now + timedelta(minutes=1), digest="second")  # the run took them in
    with dg.DagsterInstance.ephemeral() as idle:
        assert requests(tick(idle, platform)) == []


def test_labels_within_the_cool_down_wait_for_its_end(
    engine: Engine, database_url: str, platform: PlatformResource, instance: dg.DagsterInstance
) -> None:
    now = utc_now()
    seed_training_set(engine, now - timedelta(hours=1))
    failing_training.execute_in_process(instance=instance, raise_on_error=False)
    seed_labels(engine, NEW_LABELS, now)
    assert isinstance(tick(instance, platform), dg.SkipReason)
    later = PlatformResource(
        overrides={"DATABASE_URL": database_url}, fixed_now=(now + COOL_DOWN + timedelta(minutes=1)).isoformat()
    )
    assert len(requests(tick(instance, later))) == 1
    later.engine().dispose()


def test_a_run_that_always_fails_is_not_repeated_for_the_same_labels(
    engine: Engine, database_url: str, instance: dg.DagsterInstance
) -> None:
    now = utc_now()
    seed_training_set(engine, now - timedelta(hours=1))
    seed_labels(engine, NEW_LABELS, now)
    cursor, asked = None, 0
    for hour in range(0, 100, 5):  # far beyond the cool-down
        later = PlatformResource(overrides={"DATABASE_URL": database_url}, fixed_now=(now + timedelta(hours=hour)).isoformat())
        result = tick(instance, later, cursor)
        later.engine().dispose()
        for _request in requests(result):
            asked += 1
            failing_training.execute_in_process(instance=instance, raise_on_error=False)
        cursor = result.cursor if isinstance(result, dg.SensorResult) else cursor
    assert asked == 1
