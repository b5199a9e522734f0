"""What was asked of the server, so that a test can count calls and see where tokens were sent.

Kept in memory, bounded, and free of secrets: no token, no query.
"""

import threading
from collections import deque
from datetime import datetime

import msgspec

from sentiment_platform.github_server.handler import Authorization
from sentiment_platform_tests.github_server.faults import FaultKind

CAPACITY = 20_000


class RequestRecord(msgspec.Struct, frozen=True):
    """One request; `status` is what was sent (0: the connection was closed without an answer)."""

    at: datetime
    method: str
    path: str
    authorization: Authorization
    status: int
    counted: bool
    fault: FaultKind | None


class RequestLog:
    """The last 20,000 requests, oldest first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._records: deque[RequestRecord] = deque(maxlen=CAPACITY)

    def add(self, record: RequestRecord) -> None:
        with self._lock:
            self._records.append(record)

    def all(self) -> list[RequestRecord]:
        with self._lock:
            return list(self._records)

    def counted(self) -> int:
        """How many requests were charged to a quota."""
        return sum(record.counted for record in self.all())

    def clear(self) -> None:
        with self._lock:
            self._records.clear()
