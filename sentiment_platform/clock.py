"""The one place where the product reads the time of day.

Here: what a clock is, and the system's. Code that needs the time takes a `Clock`, or a moment, as an argument; `PlatformResource.now` is
the clock of a run. Not here: durations (`time.monotonic`), and leases and stamps that PostgreSQL takes from its own clock.
"""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Gives the current time, aware and in UTC."""


def utc_now() -> datetime:
    """The system's clock."""
    return datetime.now(UTC)
