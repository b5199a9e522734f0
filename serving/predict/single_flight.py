"""The same question at the same time is computed once in this process, however many ask, and whatever the cache does."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

KEPT_S = 10.0
MOST_KEPT = 4_000
_T = TypeVar("_T")


@dataclass(slots=True)
class _Flight(Generic[_T]):
    task: asyncio.Task[_T]
    waiting: int = 0


class SingleFlight(Generic[_T]):
    """Computations under way, by key. One whose last waiter has left is cancelled. Used from one event loop."""

    def __init__(self) -> None:
        self._flights: dict[str, _Flight[_T]] = {}

    def is_under_way(self, key: str) -> bool:
        """Whether somebody computes it."""
        return key in self._flights

    async def do(self, key: str, compute: Callable[[], Coroutine[Any, Any, _T]]) -> _T:
        """What the computation under way for `key` gives; `compute` begins one where there is none."""
        flight = self._flights.get(key)
        if flight is None:
            flight = self._flights[key] = _Flight(asyncio.get_running_loop().create_task(compute()))
            flight.task.add_done_callback(lambda _: self._end(key, flight))
        flight.waiting += 1
        try:
            return await asyncio.shield(flight.task)
        finally:
            flight.waiting -= 1
            if not flight.waiting and not flight.task.done():
                flight.task.cancel()
                self._end(key, flight)

    def _end(self, key: str, flight: _Flight[_T]) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]


class Recent(Generic[_T]):
    """What was computed or read within the last `KEPT_S`.

    A question that many ask at once costs no round trip each, and a cache that is slow or away has nothing computed again.
    """

    def __init__(self) -> None:
        self._kept: dict[str, tuple[float, _T]] = {}

    def get(self, key: str) -> _T | None:
        """It, if it was."""
        at, value = self._kept.get(key, (0.0, None))
        return value if time.monotonic() - at < KEPT_S else None

    def keep(self, key: str, value: _T) -> None:
        """Keep it, and forget the oldest."""
        self._kept[key] = (time.monotonic(), value)
        if len(self._kept) > MOST_KEPT:
            del self._kept[next(iter(self._kept))]
