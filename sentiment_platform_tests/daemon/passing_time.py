"""Time that passes between two daemons over one storage: what sensors and schedules remember of their last turn gets older."""

from datetime import timedelta

import dagster as dg
from dagster._core.scheduler.instigation import InstigatorStatus, ScheduleInstigatorData, SensorInstigatorData


def sensors_wait(instance: dg.DagsterInstance, length: timedelta) -> None:
    """Let every sensor have been evaluated so much earlier: after more than its interval it is due at once."""
    for state in instance.all_instigator_state():
        if isinstance(state.instigator_data, SensorInstigatorData):
            times = {name: at for name, at in state.instigator_data._asdict().items() if name.endswith("_timestamp") and at}
            earlier = {name: at - length.total_seconds() for name, at in times.items()}
            instance.update_instigator_state(state.with_data(state.instigator_data._replace(**earlier)))


def time_passes(instance: dg.DagsterInstance, length: timedelta) -> None:
    """The same for sensors and schedules: those that had a time in between are due too."""
    sensors_wait(instance, length)
    for state in instance.all_instigator_state():
        if isinstance(state.instigator_data, ScheduleInstigatorData):
            before = (state.instigator_data.start_timestamp or 0) - length.total_seconds()
            data = state.instigator_data._replace(start_timestamp=before, last_iteration_timestamp=before)
            instance.update_instigator_state(state.with_data(data))


def rests(instance: dg.DagsterInstance, schedule: str) -> None:
    """Let a schedule have no time any more: whether its hour comes round while a test runs is chance."""
    (state,) = (state for state in instance.all_instigator_state() if state.instigator_name == schedule)
    instance.update_instigator_state(state.with_status(InstigatorStatus.STOPPED))
