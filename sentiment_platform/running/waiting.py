"""Runs that wait in Dagster's queue for a machine that can do them, and what a headless run takes over of them.

A daemon that leaves training alone (`tick --leave-training`) leaves such runs behind; `run JOB --waiting` is what makes them.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from sentiment_platform.run_tags import REASON, TRIGGER

if TYPE_CHECKING:
    from dagster import DagsterInstance, DagsterRun

_JOINED = {TRIGGER: ",", REASON: " "}
"""Tags of which one run that answers several keeps every word, and what stands between them."""


def waiting_runs(instance: "DagsterInstance", job: str | None = None) -> "Sequence[DagsterRun]":
    """Runs in the queue, of `job` or of all, the oldest first."""
    import dagster as dg

    return instance.get_runs(dg.RunsFilter(job_name=job, statuses=[dg.DagsterRunStatus.QUEUED]), ascending=True)


def take_over(instance: "DagsterInstance", runs: "Iterable[DagsterRun]") -> dict[str, str]:
    """Take `runs` out of the queue; returns the tags of one run that answers all of them, with every reason.

    Of other tags the newest run's count. Dagster's own stay behind: they belong to the run that waited.
    """
    tags: dict[str, str] = {}
    for run in runs:
        for name, value in run.tags.items():
            if name in _JOINED and value not in (before := tags.get(name, "")):
                tags[name] = f"{before}{_JOINED[name]}{value}" if before else value
            elif name not in _JOINED and not name.lstrip(".").startswith("dagster/"):
                tags[name] = value
        instance.report_run_canceled(run, "A run without a daemon takes this one's place, with its tags.")
    return tags
