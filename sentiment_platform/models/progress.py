"""Turns "n more units are done" into `Progress` reports with a rate and a remaining time.

One meter per stage of long work. How a report is shown (bar, log line, metadata) is the sink's business.
"""

import time
from collections import deque
from collections.abc import Callable

from sentiment_platform.models.family import Progress, ProgressSink

WINDOW_S = 20.0


def throttled(sink: ProgressSink, every_s: float, clock: Callable[[], float] = time.monotonic) -> ProgressSink:
    """`sink` told at most once in `every_s` seconds and stage, and of each stage's end."""
    last: dict[str, float] = {}

    def told(progress: Progress) -> None:
        now = clock()
        if progress.done >= progress.total or now - last.get(progress.stage, -float("inf")) >= every_s:
            last[progress.stage] = now
            sink(progress)

    return told


class ProgressMeter:
    """Counts units of one stage and reports at most every `interval_s` seconds, and always at the end.

    The rate is that of the last `WINDOW_S` seconds, so that it follows a machine that becomes busy or free. Not thread-safe.

    Args:
        sink: receives the reports.
        stage: what the work is called.
        total: units in all; 0 or more.
        interval_s: shortest time between two reports.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        sink: ProgressSink,
        stage: str,
        total: int,
        *,
        interval_s: float = 0.5,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sink = sink
        self._stage = stage
        self._total = total
        self._interval_s = interval_s
        self._clock = clock
        self._done = 0
        self._note = ""
        self._started = clock()
        self._reported = -float("inf")
        self._history: deque[tuple[float, int]] = deque([(self._started, 0)])

    def advance(self, units: int, note: str | None = None) -> None:
        """`units` more are done; `note` replaces the note that reports carry."""
        now = self._clock()
        self._done += units
        self._note = self._note if note is None else note
        self._history.append((now, self._done))
        while len(self._history) > 2 and now - self._history[1][0] >= WINDOW_S:
            self._history.popleft()
        if now - self._reported >= self._interval_s or self._done >= self._total:
            self._report(now)

    def finish(self, note: str | None = None) -> None:
        """The stage has ended, perhaps before its total: the last report has done equal to total and nothing remaining."""
        self._total = self._done
        self._note = self._note if note is None else note
        self._report(self._clock())

    @property
    def rate(self) -> float:
        """Units per second over the whole stage so far; 0.0 before any time has passed."""
        elapsed = self._clock() - self._started
        return self._done / elapsed if elapsed > 0 else 0.0

    def _report(self, now: float) -> None:
        self._reported = now
        since, done_then = self._history[0]
        elapsed = self._history[-1][0] - since
        rate = (self._history[-1][1] - done_then) / elapsed if elapsed > 0 else 0.0
        left = max(self._total - self._done, 0)
        remaining_s = 0.0 if left == 0 else left / rate if rate > 0 else float("inf")
        self._sink(
            Progress(stage=self._stage, done=self._done, total=self._total, rate=rate, remaining_s=remaining_s, note=self._note)
        )
