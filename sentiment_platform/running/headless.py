"""Run the graph's jobs without a daemon or a web server: what GitHub Actions, the command line and the demo call.

The run is recorded in Dagster's storage like any other, so the UI shows it. Success means: no step failed, and no check of severity
ERROR failed, blocking or not.
"""

import os
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from sentiment_platform.errors import PermanentError
from sentiment_platform.queues.work_queues import queue_of
from sentiment_platform.run_tags import PARTITION, SHOWN_WITH_ITS_JOB, range_tags
from sentiment_platform.running.over_workers import execute_over_workers
from sentiment_platform.running.pools import know_pools
from sentiment_platform.running.run_owner import owner_tags
from sentiment_platform.running.run_signals import RunInterrupted, interruptible
from sentiment_platform.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Generator

    from dagster import AssetCheckEvaluation, DagsterEvent, DagsterInstance, EventLogEntry, JobDefinition

_OWN_ERROR = re.compile(r"sentiment_platform\.[\w.]+: (.+)")


@dataclass(frozen=True, kw_only=True)
class RunOutcome:
    """What a run did.

    Attributes:
        metadata: asset key -> metadata of its materialization, as plain values.
        failures: names of failed steps and of failed checks of severity ERROR, each with why where that is known; `warnings` likewise.
        tags: those that the run had at its end.
    """

    run_id: str
    success: bool
    metadata: Mapping[str, Mapping[str, Any]]
    failures: tuple[str, ...]
    warnings: tuple[str, ...]
    tags: Mapping[str, str]


@contextmanager
def dagster_instance() -> "Generator[DagsterInstance]":
    """The instance of DAGSTER_HOME.

    Raises:
        PermanentError: DAGSTER_HOME is not set, or holds no configuration: Dagster would make an instance of SQLite files there, whose
            runs nobody else sees.
    """
    import dagster as dg

    home = os.environ.get("DAGSTER_HOME")
    if not home:
        raise PermanentError("DAGSTER_HOME is not set.", remedy="Run through `sentiment-platform`, or source `.env.local`.")
    if not (Path(home) / "dagster.yaml").is_file():
        raise PermanentError(
            f"There is no dagster.yaml in {home}.",
            remedy="Run through `sentiment-platform`, which puts one there: it names the database that runs are kept in.",
        )
    with dg.DagsterInstance.get() as instance:
        yield instance


def job_names() -> list[str]:
    """Every job of the graph."""
    from sentiment_platform.definitions import defs

    return sorted(job.name for job in defs.resolve_all_job_defs() if not job.name.startswith("__"))


def job_named(name: str) -> "JobDefinition":
    """A job of the graph.

    Raises:
        PermanentError: there is no such job.
    """
    from sentiment_platform.definitions import defs

    if name not in job_names():
        raise PermanentError(f"There is no job {name!r}.", remedy=f"The jobs are {', '.join(job_names())}.")
    return defs.resolve_job_def(name)


def require_partition(job: "JobDefinition", partition: str | None) -> None:
    """Raise PermanentError unless `partition` (None: none) is what the job can be run with."""
    days = job.partitions_def
    if days is None:
        if partition is not None:
            raise PermanentError(f"{job.name} has no days.", remedy="Run it without --partition.")
        return
    if partition is None:
        remedy = "Give one with --partition, or a range with --from and --to."
        raise PermanentError(f"{job.name} is run for a day.", remedy=remedy)
    known = days.get_partition_keys()
    if partition not in known:
        raise PermanentError(f"{partition} is no day of {job.name}.", remedy=days_of(known, partition))


def days_of(known: Sequence[str], asked: str) -> str:
    """Which days a job has, and where `asked` comes before them, how it gets it; what a remedy says."""
    earlier = f" For earlier ones set SENTIMENT_FIRST_DAY={asked}." if known and asked < known[0] else ""
    return f"Its days are {known[0]} to {known[-1]}.{earlier}" if known else "SENTIMENT_FIRST_DAY lies in the future."


def run_job(
    instance: "DagsterInstance",
    name: str,
    *,
    partition: str | None = None,
    partition_range: tuple[str, str] | None = None,
    tags: Mapping[str, str] | None = None,
    run_config: Mapping[str, Any] | None = None,
    log_level: str = "INFO",
    on_step: Callable[[str], object] = lambda _: None,
) -> RunOutcome:
    """Execute a job in this process; its steps on workers, where settings say so.

    Args:
        partition: one day, `2026-11-23`.
        partition_range: first and last day, both included, in one run; repeating it overwrites the same partitions. A range of months
            is better off with `backfill.run_range`.
        log_level: what of the run's log goes to the terminal; Dagster's storage keeps all of it.
        on_step: told the name of each step when it starts.

    Raises:
        PermanentError: there is no such job, or the partition is none of its.
        RunInterrupted: SIGINT or SIGTERM ended the run, which is recorded as cancelled and holds no place in a pool.
    """
    job = job_named(name)
    if partition_range is None:
        require_partition(job, partition)
    all_tags = owner_tags() | SHOWN_WITH_ITS_JOB | dict(tags or {})
    if partition_range is not None:
        all_tags |= range_tags(*partition_range)
    # A range is one event a day and asset: written in batches it takes seconds instead of minutes.
    os.environ.setdefault("DAGSTER_EVENT_BATCH_SIZE", "500")
    config = {"loggers": {"console": {"config": {"log_level": log_level}}}, **(run_config or {})}
    run_id = str(uuid4())

    def look(entry: "EventLogEntry") -> None:
        if entry.dagster_event is not None and entry.dagster_event.is_step_start:
            on_step(entry.step_key or name)

    know_pools(instance, [job])
    instance.add_event_listener(run_id, look)
    try:
        with interruptible(lambda: _begin_cancelling(instance, run_id)):
            if queue_of(name, Settings.from_environment()):
                partition_tags = {PARTITION: partition} if partition else {}
                result = execute_over_workers(instance, job, run_id, {**all_tags, **partition_tags}, config)
            else:
                result = job.execute_in_process(
                    instance=instance,
                    partition_key=partition,
                    tags=all_tags,
                    run_config=config,
                    raise_on_error=False,
                    run_id=run_id,
                )
    except RunInterrupted as interrupted:
        _end_as_cancelled(instance, run_id, f"This run was {interrupted}.")
        raise
    failures = [_failed_step(event) for event in result.all_events if event.is_step_failure]
    warnings: list[str] = []
    for check in result.get_asset_check_evaluations():
        if not check.passed:
            (failures if check.severity.value == "ERROR" else warnings).append(_red_check(check))
    metadata = {
        event.asset_key.to_user_string(): {key: value.value for key, value in event.materialization.metadata.items()}
        for event in result.get_asset_materialization_events()
        if event.asset_key is not None
    }
    run = instance.get_run_by_id(run_id)
    return RunOutcome(
        run_id=run_id,
        success=result.success and not failures,
        metadata=metadata,
        failures=tuple(dict.fromkeys(failures)),
        warnings=tuple(dict.fromkeys(warnings)),
        tags=dict(run.tags) if run else {},
    )


def _failed_step(event: "DagsterEvent") -> str:
    """Its name, and what the platform's own error says; of another's the log has the rest."""
    name, error = event.step_key or "run", event.step_failure_data.error
    said = _OWN_ERROR.match(error.cause.message) if error and error.cause else None
    return f"{name}: {said[1].strip().rstrip('.')}" if said else name


def _red_check(check: "AssetCheckEvaluation") -> str:
    said = (check.description or "").strip().rstrip(".")
    return f"check {check.check_name}: {said}" if said else f"check {check.check_name}"


def _begin_cancelling(instance: "DagsterInstance", run_id: str) -> None:
    run = instance.get_run_by_id(run_id)
    if run is not None and not run.is_finished:
        instance.report_run_canceling(run)


def _end_as_cancelled(instance: "DagsterInstance", run_id: str, message: str) -> None:
    """Also where Dagster was faster and called it failed: a daemon tries failed runs again, and this one was not wanted any more."""
    run = instance.get_run_by_id(run_id)
    if run is not None and run.status.value not in ("CANCELED", "SUCCESS"):
        instance.report_run_canceled(run, message)
    instance.event_log_storage.free_concurrency_slots_for_run(run_id)
