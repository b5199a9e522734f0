"""The hourly quota: 60 requests without a token, 5,000 with one (1,000 for the token of an Actions run).

Source: https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
Quotas live in memory: a restarted server starts full.
"""

import threading
from dataclasses import dataclass
from datetime import datetime, timedelta

WINDOW = timedelta(hours=1)


@dataclass(frozen=True)
class Quota:
    """One caller's quota as it stands; `reset` is in Unix seconds."""

    limit: int
    used: int
    reset: int
    exceeded: bool = False

    @property
    def remaining(self) -> int:
        return max(self.limit - self.used, 0)

    def headers(self) -> dict[str, str]:
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Reset": str(self.reset),
            "X-RateLimit-Used": str(self.used),
            "X-RateLimit-Resource": "core",
        }


class RateLimits:
    """Counts requests by caller in fixed windows of an hour that begin with a caller's first request."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._windows: dict[str, tuple[int, datetime]] = {}

    def look(self, caller: str, limit: int, now: datetime) -> Quota:
        with self._lock:
            used, end = self._window(caller, now)
        return Quota(limit, used, int(end.timestamp()))

    def take(self, caller: str, limit: int, now: datetime) -> Quota:
        """Count one request; when none is left nothing is counted and the quota says `exceeded`."""
        with self._lock:
            used, end = self._window(caller, now)
            if used >= limit:
                return Quota(limit, used, int(end.timestamp()), exceeded=True)
            self._windows[caller] = (used + 1, end)
            return Quota(limit, used + 1, int(end.timestamp()))

    def give_back(self, caller: str, limit: int, now: datetime) -> Quota:
        """Undo one `take`, for an answer that turned out to be free."""
        with self._lock:
            used, end = self._window(caller, now)
            self._windows[caller] = (max(used - 1, 0), end)
            return Quota(limit, max(used - 1, 0), int(end.timestamp()))

    def _window(self, caller: str, now: datetime) -> tuple[int, datetime]:
        used, end = self._windows.get(caller, (0, now + WINDOW))
        return (used, end) if now < end else (0, now + WINDOW)
