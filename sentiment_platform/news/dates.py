"""Publication times as sources write them, read into aware UTC.

RFC 2822 (RSS), ISO 8601 (Atom), Unix seconds and milliseconds, and the shapes that archives bring. A time without a zone is UTC;
a zone that is not known makes the text unreadable, because an hour's error would be silent.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from email.utils import parsedate_to_datetime
from zoneinfo import ZoneInfo

_RFC_2822 = re.compile(
    r"(?:[A-Za-z]{3,9},? )?\d{1,2} [A-Za-z]{3,9} \d{2,4} \d{1,2}:\d{2}(?::\d{2})?(?: (?P<zone>\S+)(?: \(.*\))?)?"
)
# The zone names of RFC 2822; "Z" and the four of the United States are what mail software must know.
_RFC_ZONES = {"UT", "UTC", "GMT", "Z", "EST", "EDT", "CST", "CDT", "MST", "MDT", "PST", "PDT"}
_NEW_YORK_CLOCK = re.compile(r"(?P<clock>\d{1,2}:\d{2} [AP]M) ET (?:[A-Za-z]{3}, )?(?P<day>\d{1,2} [A-Za-z]+ \d{4})")
_ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}|\d{4}-W\d{2}-\d")
_DAY_SHAPES = ("%b %d %Y", "%B %d %Y", "%b %d, %Y", "%B %d, %Y", "%d-%b-%y", "%d-%b-%Y", "%d %b %Y", "%d %B %Y")


@dataclass(frozen=True, slots=True)
class PublicationTime:
    """`at`: aware UTC; `day_only`: the text names a day without a time of day, and `at` is its first moment."""

    at: datetime
    day_only: bool = False


def parse_time(text: str, zone: tzinfo = UTC) -> PublicationTime | None:
    """The time that `text` names; None when it cannot be read. A time or day without a zone is in `zone`.

    Where clocks are set back a time of day happens twice, and where they are set forward it does not happen: the later of the two
    readings counts, so that nothing seems to have been known before it was.
    """
    tidy = " ".join(text.split())
    for read in (_iso, _unix, _rfc_2822, _new_york_clock):
        time = _attempt(read, tidy, zone)
        if time is not None:
            return PublicationTime(time, day_only=bool(_ISO_DAY.fullmatch(tidy)))
    day = _attempt(_day, tidy, zone)
    return PublicationTime(day, day_only=True) if day is not None else None


def parse_instant(text: str) -> datetime | None:
    """The moment that `text` names, aware UTC; None when it cannot be read. A day alone is its first moment in UTC."""
    time = parse_time(text)
    return time.at if time else None


def _attempt(read: Callable[[str], datetime | None], text: str, zone: tzinfo) -> datetime | None:
    try:
        time = read(text)
        if time is None:
            return None
        return _in_utc(time.replace(tzinfo=zone) if time.tzinfo is None else time)
    except (ValueError, OverflowError):  # not of this shape, or outside the calendar
        return None


def _in_utc(time: datetime) -> datetime:
    return max(time.replace(fold=fold).astimezone(UTC) for fold in (0, 1))


def _iso(text: str) -> datetime | None:
    return datetime.fromisoformat(text) if len(text) >= 10 and text[:4].isdigit() and not text.isdigit() else None


def _unix(text: str) -> datetime | None:
    if not re.fullmatch(r"\d{9,10}|\d{12,13}", text):
        return None
    return datetime.fromtimestamp(int(text) / (1000 if len(text) > 10 else 1), UTC)


def _rfc_2822(text: str) -> datetime | None:
    match = _RFC_2822.fullmatch(text)
    if match is None:
        return None
    zone = match["zone"] or ""
    known = not zone or zone.upper() in _RFC_ZONES or re.fullmatch(r"[+-]\d{4}", zone)
    return parsedate_to_datetime(text) if known else None


def _new_york_clock(text: str) -> datetime | None:
    match = _NEW_YORK_CLOCK.fullmatch(text)
    if match is None:
        return None
    day, clock = _day(match["day"]), datetime.strptime(match["clock"], "%I:%M %p").time()  # noqa: DTZ007  the zone follows
    return datetime.combine(day, clock, ZoneInfo("America/New_York")) if day else None


def _day(text: str) -> datetime | None:
    for shape in _DAY_SHAPES:
        try:
            return datetime.strptime(text, shape)  # noqa: DTZ007  a day without a zone is UTC here
        except ValueError:
            continue
    return None
