"""The wall clock as an argument: everything here that needs the time takes a `Clock`."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The system clock as an aware UTC time."""
    return datetime.now(UTC)
