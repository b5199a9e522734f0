"""What starts by itself: every schedule and sensor of the graph, whether it is on, when it is due, and the switch for all of them.

A state that is stored (the Dagster UI stores one too) stands over what the code declares. Without one, what the code says holds.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from sentiment_platform.running.dagster_files import WORKSPACE, dagster_file

if TYPE_CHECKING:
    from dagster import DagsterInstance
    from dagster._core.remote_representation.external import RemoteRepository, RemoteSchedule, RemoteSensor


@dataclass(frozen=True, kw_only=True)
class Automation:
    """One schedule or sensor.

    Attributes:
        job: what it starts; several are joined by a comma.
        next_at: when a schedule that is on is due next, UTC; None for the others.
        every_s: how often a sensor looks; None for a schedule.
    """

    name: str
    kind: Literal["schedule", "sensor"]
    job: str
    on: bool
    description: str
    next_at: datetime | None = None
    every_s: int | None = None


def automations(instance: "DagsterInstance", now: datetime) -> list[Automation]:
    """Every schedule, the one that is due first at the top, then every sensor by name."""
    repository = _repository(instance)
    schedules = [_of_schedule(instance, schedule, now) for schedule in repository.get_schedules()]
    sensors = [_of_sensor(instance, sensor) for sensor in repository.get_sensors()]
    never = datetime.max.replace(tzinfo=UTC)
    return sorted(schedules, key=lambda one: (one.next_at or never, one.name)) + sorted(sensors, key=lambda one: one.name)


def switch(instance: "DagsterInstance", *, on: bool) -> list[str]:
    """Turn every schedule and sensor on, or off; the names of those that were not so before. A sensor keeps its cursor."""
    repository = _repository(instance)
    return sorted([*_switch_schedules(instance, repository, on=on), *_switch_sensors(instance, repository, on=on)])


def _switch_schedules(instance: "DagsterInstance", repository: "RemoteRepository", *, on: bool) -> Iterator[str]:
    for schedule in repository.get_schedules():
        stored = instance.get_instigator_state(schedule.get_remote_origin_id(), schedule.selector_id)
        if schedule.get_current_instigator_state(stored).is_running != on:
            if on:
                instance.start_schedule(schedule)
            else:
                instance.stop_schedule(schedule.get_remote_origin_id(), schedule.selector_id, schedule)
            yield schedule.name


def _switch_sensors(instance: "DagsterInstance", repository: "RemoteRepository", *, on: bool) -> Iterator[str]:
    for sensor in repository.get_sensors():
        stored = instance.get_instigator_state(sensor.get_remote_origin_id(), sensor.selector_id)
        if sensor.get_current_instigator_state(stored).is_running != on:
            if on:
                instance.start_sensor(sensor)
            else:
                instance.stop_sensor(sensor.get_remote_origin_id(), sensor.selector_id, sensor)
            yield sensor.name


def _of_schedule(instance: "DagsterInstance", schedule: "RemoteSchedule", now: datetime) -> Automation:
    stored = instance.get_instigator_state(schedule.get_remote_origin_id(), schedule.selector_id)
    on = schedule.get_current_instigator_state(stored).is_running
    return Automation(
        name=schedule.name,
        kind="schedule",
        job=schedule.job_name,
        on=on,
        description=schedule.description or "",
        next_at=next(schedule.execution_time_iterator(now.timestamp())).astimezone(UTC) if on else None,
    )


def _of_sensor(instance: "DagsterInstance", sensor: "RemoteSensor") -> Automation:
    stored = instance.get_instigator_state(sensor.get_remote_origin_id(), sensor.selector_id)
    return Automation(
        name=sensor.name,
        kind="sensor",
        job=", ".join(target.job_name for target in sensor.get_targets()),
        on=sensor.get_current_instigator_state(stored).is_running,
        description=sensor.description or "",
        every_s=sensor.min_interval_seconds,
    )


def _repository(instance: "DagsterInstance") -> "RemoteRepository":
    """The graph as Dagster's daemon sees it. A state belongs to the names of location and repository, whichever process writes it."""
    from dagster._core.remote_origin import InProcessCodeLocationOrigin, ManagedGrpcPythonEnvCodeLocationOrigin
    from dagster._core.workspace.load_target import WorkspaceFileTarget
    from dagster._utils.warnings import disable_dagster_warnings

    origins = WorkspaceFileTarget(paths=[str(dagster_file(WORKSPACE))]).create_origins()
    (origin,) = (one for one in origins if isinstance(one, ManagedGrpcPythonEnvCodeLocationOrigin))
    here = InProcessCodeLocationOrigin(origin.loadable_target_origin, location_name=origin.location_name)
    # Dagster reads a field that it has itself declared to be old.
    with disable_dagster_warnings():
        (repository,) = here.create_location(instance).get_repositories().values()
    return repository
