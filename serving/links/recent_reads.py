"""Answers that are read from the database: kept for a few seconds under what was asked, and read once for all who ask at once."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, TypeVar

T = TypeVar("T")
KEPT_S = 5.0
MOST_KEPT = 100


class RecentReads:
    """What was read in the last `kept_s` seconds, `MOST_KEPT` questions at most; used from one event loop."""

    def __init__(self, *, kept_s: float = KEPT_S) -> None:
        self._kept_s = kept_s
        self._reads: dict[Hashable, tuple[float, asyncio.Future[Any]]] = {}

    async def get(self, question: Hashable, read: Callable[[], Awaitable[T]]) -> T:
        """The kept answer to `question`, or what `read` returns now.

        Errors go to all who wait for this read and are not kept: old rows would look like fresh ones.
        """
        kept = self._reads.get(question)
        if kept is not None and time.monotonic() - kept[0] < self._kept_s and not _failed(kept[1]):
            return await asyncio.shield(kept[1])
        self._reads.pop(question, None)
        while len(self._reads) >= MOST_KEPT:
            del self._reads[next(iter(self._reads))]
        reading = asyncio.ensure_future(read())
        self._reads[question] = (time.monotonic(), reading)
        # One who leaves does not take the answer from the others.
        return await asyncio.shield(reading)


def _failed(reading: "asyncio.Future[Any]") -> bool:
    return reading.done() and (reading.cancelled() or reading.exception() is not None)
