"""How busy the event loop is: how late its timers come, which share of the time its thread works, how many requests that answers.

Looked at ten times a second; what is told is of the last minute. A tenth of a second in which requests were refused at the door, because
they could not be answered in time, counts as full: what rests between refusals is no room.
"""

import asyncio
import time
from collections import deque
from dataclasses import dataclass

from serving.metrics import Metrics

EVERY_S = 0.1
MINUTE = 600
"""Looks that a minute has."""
ENOUGH = 0.02
"""Share of the time that the loop must have worked before anything follows from it for full load."""


@dataclass(frozen=True, slots=True)
class _Look:
    at: float
    full_s: float
    requests: int
    refused: int
    lag_s: float


class LoopWatch:
    """`run` is a task of the loop that is watched."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._worked_s = self._full_s = 0.0
        self._looks: deque[_Look] = deque(maxlen=MINUTE)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            asked = time.perf_counter()
            await asyncio.sleep(EVERY_S)
            now = time.perf_counter()
            lag_s = max(0.0, now - asked - EVERY_S)
            self._metrics.loop_lag.observe(lag_s)
            self._look(now, lag_s)

    def _look(self, now: float, lag_s: float) -> None:
        worked_s, refused = time.thread_time(), self._metrics.requests_refused()
        if self._looks:
            last = self._looks[-1]
            self._full_s += now - last.at if refused > last.refused else worked_s - self._worked_s
        self._worked_s = worked_s
        self._looks.append(_Look(now, self._full_s, self._metrics.requests_answered(), refused, lag_s))

    @property
    def lag_p99_s(self) -> float:
        """How late the slowest hundredth of the timers came, in seconds; 0 before anything was seen."""
        lags = sorted(look.lag_s for look in self._looks)
        return lags[int(0.99 * (len(lags) - 1))] if lags else 0.0

    @property
    def requests_per_s(self) -> float:
        """Requests answered a second, refusals among them."""
        seconds = self.seconds
        return (self._looks[-1].requests - self._looks[0].requests) / seconds if seconds else 0.0

    @property
    def refused_per_s(self) -> float:
        """Those of them that were refused at the door."""
        seconds = self.seconds
        return (self._looks[-1].refused - self._looks[0].refused) / seconds if seconds else 0.0

    @property
    def saturation(self) -> float:
        """Share of the time in which the loop's thread worked or had to refuse, 0 to 1. At 1 every further request waits longer, or is refused."""
        seconds = self.seconds
        return min(1.0, (self._looks[-1].full_s - self._looks[0].full_s) / seconds) if seconds else 0.0

    @property
    def capacity_per_s(self) -> float | None:
        """Requests a second that the loop could answer if all were as those answered in the last minute; None after one with next to none."""
        return (self.requests_per_s - self.refused_per_s) / self.saturation if self.saturation >= ENOUGH else None

    @property
    def seconds(self) -> float:
        """Of how many seconds all this is told: a minute, or less after a start."""
        return self._looks[-1].at - self._looks[0].at if len(self._looks) > 1 else 0.0
