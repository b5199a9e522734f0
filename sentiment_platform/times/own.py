"""Days and moments that this platform, its settings and its command line write: ISO 8601 and nothing else."""

from datetime import date, datetime


def own_moment(text: str) -> datetime:
    """What `datetime.isoformat` wrote, to the microsecond.

    Raises:
        ValueError: it is not ISO 8601.
    """
    return datetime.fromisoformat(text)


def own_day(text: str) -> date:
    """A day as 2026-03-01.

    Raises:
        ValueError: it is none.
    """
    return date.fromisoformat(text)
