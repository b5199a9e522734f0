"""Processes that have ended by themselves are started again: at once, then after growing pauses.

A process that has never run well is not: starting it again would hide why, and a port that is taken does not become free. Which
processes there are is the business of `stack` and `children`.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.exc import SQLAlchemyError

from sentiment_platform.clock import utc_now
from sentiment_platform.errors import PlatformError
from sentiment_platform.local.processes.process import LocalStackError, SupervisedProcess

WELL_AFTER_S = 10.0
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 10.0
LOOK_EVERY_S = 0.25
Log = Callable[[str], None]


@dataclass(kw_only=True)
class _Kept:
    process: SupervisedProcess
    well: bool
    started: float
    before_restart: Callable[[], object]
    pause_s: float = 0.0
    due: float | None = None


class Keeper:
    """Looks after processes. Used from one thread at a time; `running()` brings its own."""

    def __init__(self, log: Log = lambda _: None, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._log = log
        self._clock = clock
        self._kept: list[_Kept] = []

    def keep(
        self, process: SupervisedProcess, *, well: bool = False, before_restart: Callable[[], object] = lambda: None
    ) -> None:
        """Look after a process that was started just now.

        Args:
            well: it has shown already that it works.
            before_restart: tidies up what the ended process has left; while it fails the process is not started. A LocalStackError
                of it says that no start can help.
        """
        self._kept.append(_Kept(process=process, well=well, started=self._clock(), before_restart=before_restart))

    def look(self) -> None:
        """Start again what has ended and whose pause is over.

        Raises:
            LocalStackError: a process has ended that never ran well; the message quotes its log. Or starting it again cannot help.
        """
        for kept in self._kept:
            self._look_at(kept, self._clock())

    def _look_at(self, kept: _Kept, now: float) -> None:
        order = kept.process.order
        if kept.due is None:
            lived_long = now - kept.started >= WELL_AFTER_S
            if lived_long:
                kept.well, kept.pause_s = True, 0.0
            if kept.process.running:
                return
            if not kept.well:
                raise LocalStackError(
                    f"{order.name} ended. The end of its log:\n{kept.process.log_tail()}\n", remedy=f"See {order.log_path}."
                )
            kept.due = now + kept.pause_s
            kept.pause_s = min(max(2 * kept.pause_s, FIRST_PAUSE_S), LONGEST_PAUSE_S)
        if now >= kept.due:
            # First, so that a start that fails is tried again after the next pause.
            kept.started, kept.due = now, None
            try:
                kept.before_restart()
            except LocalStackError:
                raise
            except (PlatformError, SQLAlchemyError) as error:
                self._log(f"{utc_now():%H:%M:%S} UTC: {order.name} has ended by itself and is not started yet: {error}")
                return
            self._log(f"{utc_now():%H:%M:%S} UTC: {order.name} has ended by itself and is started again; see {order.log_path}.")
            kept.process.start()


class KeeperThread:
    """A keeper at work in the background, over processes that have all shown that they work."""

    def __init__(self, keeper: Keeper, log: Log = lambda _: None) -> None:
        self._keeper = keeper
        self._log = log
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="keeper", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Return when nothing will be started any more."""
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(LOOK_EVERY_S):
            try:
                self._keeper.look()
            except (LocalStackError, OSError) as error:
                self._log(str(error))
