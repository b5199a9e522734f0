"""`tick`: the real dagster-daemon for one pass, for machines where nothing runs all the time (GitHub Actions).

A pass is proven by what it leaves in Dagster's storage, not by time: a second heartbeat of each part of the daemon, a tick of each
sensor, and no run that still waits or works.
"""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sentiment_platform.clock import utc_now
from sentiment_platform.errors import ConflictError
from sentiment_platform.local.processes.children import DAGSTER_STOP_TIMEOUT_S, Children, pid_path
from sentiment_platform.local.processes.process import LocalStackError, is_running
from sentiment_platform.run_tags import TRAINS
from sentiment_platform.running.dagster_files import WORKSPACE, dagster_file
from sentiment_platform.running.headless import dagster_instance
from sentiment_platform.running.pools import know_every_pool
from sentiment_platform.running.waiting import waiting_runs
from sentiment_platform.settings import Settings

if TYPE_CHECKING:
    from dagster import DagsterInstance

DAEMON = "dagster-daemon"
_LOOK_EVERY_S = 1.0


@dataclass(frozen=True, kw_only=True)
class TickReport:
    """What one pass did.

    Attributes:
        daemons: parts of the daemon that made their pass.
        sensors: name of each running sensor and what came of its ticks, such as `SKIPPED`.
        finished, failed: runs that ended well, or otherwise, during the pass.
        failed_ticks: names of sensors and schedules with a tick that failed.
        left: jobs of the runs that were left in the queue.
    """

    daemons: tuple[str, ...]
    sensors: Mapping[str, str]
    finished: int
    failed: int
    failed_ticks: tuple[str, ...]
    left: tuple[str, ...]


def daemon_command() -> tuple[str, ...]:
    """Starts the daemon over the graph."""
    return (DAEMON, "run", "-w", str(dagster_file(WORKSPACE)))


def refuse_a_second_daemon(state_dir: Path) -> None:
    """Two daemons would run every tick twice.

    Raises:
        ConflictError: a daemon that the platform started runs on this state folder.
    """
    if is_running(pid_path(state_dir, DAEMON)):
        raise ConflictError(
            f"A Dagster daemon already runs on {state_dir}; a second one would run every tick twice.",
            remedy="Leave the ticks to it, or stop the `sentiment-platform up` (or `tick`) that started it.",
        )


def tick_once(timeout_s: float, *, leave_training: bool = False) -> TickReport:
    """Start the daemon, wait until it has made a pass and every run has ended, stop it.

    With `leave_training` runs that train stay in the queue, for a machine that can train; nobody waits for them.

    Raises:
        ConflictError: a daemon runs already.
        LocalStackError: the pass took longer than `timeout_s`, or the daemon ended; the message quotes the end of its log.
    """
    state_dir = Settings.from_environment().state_dir.resolve()
    refuse_a_second_daemon(state_dir)
    with dagster_instance() as instance:
        know_every_pool(instance)
        watched = _Pass(instance, utc_now().timestamp(), leave_training)
        home = {"DAGSTER_HOME": str(_home_without_training(state_dir))} if leave_training else {}
        with Children(state_dir) as children:
            daemon = children.start(DAEMON, daemon_command(), home, stop_timeout_s=DAGSTER_STOP_TIMEOUT_S)
            while missing := watched.missing():
                if not daemon.running or utc_now().timestamp() - watched.started > timeout_s:
                    what = f"No end of the pass after {timeout_s:.0f} s" if daemon.running else "The daemon ended"
                    raise LocalStackError(
                        f"{what}; missing: {', '.join(missing)}. The end of its log:\n{daemon.log_tail()}\n",
                        remedy=f"See {daemon.order.log_path}; raise --timeout where runs take longer.",
                    )
                time.sleep(_LOOK_EVERY_S)
        return watched.report()


def _home_without_training(state_dir: Path) -> Path:
    """A home of the same instance, whose daemon starts no run that trains."""
    import yaml

    configured: dict[str, Any] = yaml.safe_load((Path(os.environ["DAGSTER_HOME"]) / "dagster.yaml").read_text("utf-8"))
    configured["concurrency"]["runs"]["tag_concurrency_limits"] = [{"key": TRAINS, "limit": 0}]
    home = state_dir / "without-training"
    home.mkdir(parents=True, exist_ok=True)
    (home / "dagster.yaml").write_text(yaml.safe_dump(configured), "utf-8")
    return home


@dataclass
class _Pass:
    instance: "DagsterInstance"
    started: float
    leave_training: bool
    first_beats: dict[str, float] = field(default_factory=dict[str, float])
    passed: set[str] = field(default_factory=set[str])

    def missing(self) -> list[str]:
        """What the pass has not done yet, in words; empty at its end."""
        self._look_at_heartbeats()
        ticks = self._ticks()
        waiting = [f"a pass of {name}" for name in sorted(set(self.instance.get_required_daemon_types()) - self.passed)]
        waiting += [f"a tick of {name}" for name in self._sensors() if name not in ticks]
        waiting += [f"the end of a tick of {name}" for name, outcomes in ticks.items() if "STARTED" in outcomes]
        if unfinished := self._unfinished():
            waiting.append(f"the end of {unfinished} runs")
        return waiting

    def report(self) -> TickReport:
        """What has happened since the start."""
        import dagster as dg

        ended = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
        runs = self.instance.get_runs(dg.RunsFilter(statuses=ended, updated_after=datetime.fromtimestamp(self.started, UTC)))
        finished = sum(run.status == dg.DagsterRunStatus.SUCCESS for run in runs)
        ticks = self._ticks()
        return TickReport(
            daemons=tuple(sorted(self.passed)),
            sensors={name: ", ".join(sorted(set(ticks[name]))) for name in self._sensors()},
            finished=finished,
            failed=len(runs) - finished,
            failed_ticks=tuple(sorted(name for name, outcomes in ticks.items() if "FAILURE" in outcomes)),
            left=tuple(sorted({run.job_name for run in waiting_runs(self.instance)})),
        )

    def _look_at_heartbeats(self) -> None:
        for name, beat in self.instance.get_daemon_heartbeats().items():
            if beat.timestamp >= self.started and beat.timestamp > self.first_beats.setdefault(name, beat.timestamp):
                # The first is written before the first pass.
                self.passed.add(name)

    def _sensors(self) -> list[str]:
        """Sensors that nobody has switched off. Read from the graph: were it not to load in the daemon, no tick would be missed there."""
        from sentiment_platform.definitions import defs

        stopped = {state.instigator_name for state in self.instance.all_instigator_state() if state.status.value == "STOPPED"}
        return [sensor.name for sensor in defs.get_repository_def().sensor_defs if sensor.name not in stopped]

    def _ticks(self) -> dict[str, list[str]]:
        """Name of each sensor and schedule that has ticked since the start, and the states of those ticks."""
        ticks: dict[str, list[str]] = {}
        for state in self.instance.all_instigator_state():
            for tick in self.instance.get_ticks(state.instigator_origin_id, state.selector_id, limit=20):
                # The timestamp of a schedule's tick is when it was due, which may be long ago.
                if (tick.end_timestamp or tick.timestamp) >= self.started:
                    ticks.setdefault(state.instigator_name, []).append(tick.status.value)
        return ticks

    def _unfinished(self) -> int:
        import dagster as dg

        status = dg.DagsterRunStatus
        begun = [status.NOT_STARTED, status.STARTING, status.STARTED, status.CANCELING]
        # What began before this pass is somebody else's, or died: nobody knows when it ends.
        ours = dg.RunsFilter(statuses=begun, updated_after=datetime.fromtimestamp(self.started, UTC))
        runs = [*waiting_runs(self.instance), *self.instance.get_runs(ours)]
        return sum(not (self.leave_training and TRAINS in run.tags) for run in runs)
