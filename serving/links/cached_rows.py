"""Rows that are read often and change rarely: kept for a few seconds, so that a dashboard does not become load on the database."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sentiment_platform.clock import Clock

KEPT_S = 5.0


@dataclass(frozen=True)
class ReadRows:
    """Rows and when they were read."""

    as_of: datetime
    rows: list[dict[str, Any]]


class CachedRows:
    """The last result of one query, for `KEPT_S` seconds."""

    def __init__(self, *, clock: Clock, kept_s: float = KEPT_S) -> None:
        self._clock = clock
        self._kept_s = kept_s
        self._read_at = 0.0
        self._rows: ReadRows | None = None

    async def get(self, read: Callable[[], Awaitable[list[dict[str, Any]]]]) -> ReadRows:
        """The kept rows, or what `read` returns now; its errors pass through, because old rows would look like fresh ones."""
        if self._rows is None or time.monotonic() - self._read_at > self._kept_s:
            self._rows = ReadRows(self._clock(), await read())
            self._read_at = time.monotonic()
        return self._rows
