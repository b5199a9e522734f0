"""`tick`: the real dagster-daemon for one pass, for machines where nothing runs all the time (GitHub Actions)."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sentiment_platform.headless import dagster_instance
from sentiment_platform.local.children import Children
from sentiment_platform.local.process import LocalStackError
from sentiment_platform.settings import Settings

if TYPE_CHECKING:
    from dagster import DagsterInstance


_HEARTBEAT_S = 30
"""How often the daemon writes that it lives."""


@dataclass(frozen=True)
class TickReport:
    """Daemons whose heartbeat was seen, and how the runs that the pass started ended."""

    daemons: tuple[str, ...]
    finished: int
    failed: int


def tick_once(timeout_s: float) -> TickReport:
    """Start the daemon, wait for a heartbeat of each of its parts after now and for every unfinished run, stop it.

    Raises:
        LocalStackError: that took longer than `timeout_s`, or the daemon ended.
    """
    import dagster as dg

    started = time.time()
    with dagster_instance() as instance, Children(Settings.from_environment().state_dir) as children:
        daemon = children.start("dagster-daemon", ["dagster-daemon", "run", "-w", "workspace.yaml"])
        while True:
            if not daemon.running:
                raise LocalStackError(f"The daemon ended:\n{daemon.log_tail()}\n", remedy=f"See {daemon.order.log_path}.")
            beating = _heartbeats_since(instance, started)
            wanted = set(instance.get_required_daemon_types())
            unfinished = _unfinished(instance)
            # A daemon writes its first heartbeat before its first pass: only a second one proves the pass.
            if wanted <= beating and time.time() - started > 2 * _HEARTBEAT_S and not unfinished:
                break
            if time.time() - started > timeout_s:
                missing = ", ".join(sorted(wanted - beating)) or f"{unfinished} unfinished runs"
                raise LocalStackError(
                    f"No end of the pass after {timeout_s:.0f} s: {missing}.", remedy="Raise --timeout, or look at the runs."
                )
            time.sleep(1)
        records = instance.get_run_records(dg.RunsFilter(created_after=datetime.fromtimestamp(started, UTC)))
        failed = sum(record.dagster_run.status == dg.DagsterRunStatus.FAILURE for record in records)
        return TickReport(tuple(sorted(wanted)), len(records) - failed, failed)


def _unfinished(instance: "DagsterInstance") -> int:
    import dagster as dg

    status = dg.DagsterRunStatus
    return len(instance.get_runs(dg.RunsFilter(statuses=[status.QUEUED, status.NOT_STARTED, status.STARTING, status.STARTED])))


def _heartbeats_since(instance: "DagsterInstance", moment: float) -> set[str]:
    return {name for name, beat in instance.get_daemon_heartbeats().items() if beat.timestamp >= moment}
