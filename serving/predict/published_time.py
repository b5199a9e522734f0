"""When a text was published, as a client wrote it, or a refusal that says why."""

from datetime import UTC, datetime, timedelta

from sentiment_platform.times.reading import read_time
from serving.contract.problems import Problem

EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
LATEST_AHEAD = timedelta(days=1)
_FORM = "Write it like 2026-03-02T09:30:00Z, with an offset or the name of a zone."


def published_time(text: str | None, now: datetime) -> datetime | None:
    """The instant in UTC; None for None.

    Raises:
        Problem: 400 for what is no time of day on a clock that the text names, for a bare number, and for times before 1990 or more
            than a day ahead of `now`.
    """
    if text is None:
        return None
    read = read_time(text)
    if read is None or read.day is None:
        raise _refusal(f"It is no time from 1990 on that can be read for certain. {_FORM}")
    if read.day_only or read.is_assumed:
        raise _refusal(f"It names no {'time of day' if read.day_only else 'clock'}. {_FORM}")
    if not EARLIEST <= read.at <= now + LATEST_AHEAD:
        raise _refusal("Times from 1990 to a day ahead can be used.")
    return read.at


def _refusal(detail: str) -> Problem:
    return Problem(400, "unusable_time", detail, field="published_at")
