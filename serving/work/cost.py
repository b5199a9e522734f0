"""What a text costs a model, learned while it answers: seconds of a processor, so that busy neighbours do not inflate it."""

import time
from collections.abc import Callable
from typing import TypeVar

FORGETTING = 0.98
FIRST_S = 0.001
WAITS_BELOW = 0.03
"""A call that used less of its time than this share was not short of processor: it waited for something else."""
_T = TypeVar("_T")


class Cost:
    """Seconds of `texts` texts of `characters` characters together: a * texts + b * characters, by least squares with forgetting."""

    def __init__(self, first_s: float = FIRST_S) -> None:
        # Before anything was seen: a text of 100 characters costs `first_s`. It weighs as little as a hundredth of a text.
        self._tt, self._tc, self._cc = 0.01, 1.0, 100.0 + 100.0
        self._ts, self._cs = 0.01 * first_s, 1.0 * first_s

    def of(self, characters: int, texts: int = 1) -> float:
        """Estimated seconds, never below a hundredth of a millisecond a text."""
        per_text, per_character = self._solved()
        return max(1e-5 * texts, per_text * texts + per_character * characters)

    def learn(self, texts: int, characters: int, seconds: float) -> None:
        """One call with that many texts took that long."""
        self._tt = FORGETTING * self._tt + texts * texts
        self._tc = FORGETTING * self._tc + texts * characters
        self._cc = FORGETTING * self._cc + characters * characters
        self._ts = FORGETTING * self._ts + texts * seconds
        self._cs = FORGETTING * self._cs + characters * seconds

    def _solved(self) -> tuple[float, float]:
        determinant = self._tt * self._cc - self._tc * self._tc
        if determinant > 1e-3 * self._tt * self._cc:
            per_text = (self._ts * self._cc - self._cs * self._tc) / determinant
            per_character = (self._cs * self._tt - self._ts * self._tc) / determinant
            if per_text >= 0 and per_character >= 0:
                return per_text, per_character
            if per_text < 0:
                return 0.0, self._cs / self._cc
        # All texts were of one length, or longer ones were not dearer.
        return self._ts / self._tt, 0.0


def timed(call: Callable[[], _T]) -> tuple[_T, float, float]:
    """What `call` returns, the seconds it took, and those that it cost: of the processor, or all where it waited for something else."""
    started, worked = time.perf_counter(), time.thread_time()
    value = call()
    wall_s, busy_s = time.perf_counter() - started, time.thread_time() - worked
    return value, wall_s, busy_s if busy_s >= WAITS_BELOW * wall_s else wall_s
