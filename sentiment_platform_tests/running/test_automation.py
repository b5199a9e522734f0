"""Schedules and sensors of the real graph: what is said of them is what Dagster does, and one switch turns all of them."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

from sentiment_platform.running.automation import automations, switch

NOW = datetime(2026, 11, 26, 14, 3, tzinfo=UTC)
pytestmark = pytest.mark.slow


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    """In a folder that is no checkout."""
    monkeypatch.chdir(tmp_path)
    with dg.instance_for_test() as instance:
        yield instance


def test_every_schedule_and_sensor_is_told_with_its_job_and_the_earliest_schedule_first(instance: dg.DagsterInstance) -> None:
    known = automations(instance, NOW)
    assert {one.name for one in known} >= {"collection_schedule", "weekly", "new_labels_arrived", "retraining_was_decided"}
    assert all(one.on and one.description and one.job for one in known)
    due = [one.next_at for one in known if one.next_at]
    assert due == sorted(due)
    (collection,) = (one for one in known if one.name == "collection_schedule")
    assert (collection.job, collection.next_at) == ("collect_job", datetime(2026, 11, 26, 14, 15, tzinfo=UTC))
    (labels,) = (one for one in known if one.name == "new_labels_arrived")
    assert (labels.job, labels.every_s, labels.next_at) == ("train_job", 60, None)


def test_the_switch_turns_all_of_them_off_and_on_once_and_keeps_the_cursor_of_a_sensor(instance: dg.DagsterInstance) -> None:
    names = sorted(one.name for one in automations(instance, NOW))
    assert switch(instance, on=False) == names
    assert switch(instance, on=False) == []
    assert not any(one.on or one.next_at for one in automations(instance, NOW))
    (sensor,) = (one for one in instance.all_instigator_state() if one.instigator_name == "new_labels_arrived")
    data = sensor.instigator_data
    assert data is not None
    instance.update_instigator_state(sensor.with_data(data._replace(cursor="here")))  # type: ignore[union-attr]
    assert switch(instance, on=True) == names
    (sensor,) = (one for one in instance.all_instigator_state() if one.instigator_name == "new_labels_arrived")
    assert sensor.instigator_data.cursor == "here"  # type: ignore[union-attr]
