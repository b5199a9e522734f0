"""One reader for every time that others wrote: of feeds, JSON, archives, labels, prices and requests. What it does not know is None.

A text is read whole, step by step: a day, a time of day and a zone in any order, and words that join them. It never takes the nearest
thing that it knows. A clock that the text does not name is the one that the source stated.
"""

import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo

from sentiment_platform.times.agreement import Named, agreed
from sentiment_platform.times.epochs import epoch_time
from sentiment_platform.times.shapes import YEAR, bare_time_at, day_at, month_and_day_at, time_at
from sentiment_platform.times.stated import Stated
from sentiment_platform.times.words import BRACKETED, JOINT, WEEKDAYS, fold
from sentiment_platform.times.zones import NAME

MAX_CHARACTERS = 100
FIRST_YEAR, LAST_YEAR = 1900, 2099
UNSTATED = Stated()

# A power of ten with fewer digits is what a spreadsheet left of a number: it may be hours off.
_NUMBER = re.compile(r"(?P<number>\d{8,20}(?:\.\d+)?|\d\.\d{7,}e\+?\d\d?)")
_JSON_DATE = re.compile(r"\\?/date\((?P<number>\d{9,13})(?:[+-]\d{4})?\)\\?/")
_BETWEEN = re.compile(r"(?:[ ,;|@·•—]|(?<= )[-–/](?= ))+")
_HYPHEN = re.compile(r"-(?=\d\d([:.])\d\d\1\d\d(?!\d))")
_OFFSET = re.compile(r"(?P<name>(?:utc|gmt|ut) ?)?(?P<sign>[+-])(?P<hours>\d{1,2})(?::?(?P<minutes>\d\d)(?::00)?)?(?![\d:])")
_COMMENT = re.compile(r"\((?P<inner>[^()]*)\)|\[(?P<region>[^][]*)\]")
_LETTERS = re.compile(r"[^\W\d_]+\.?")
_LONGEST_OFFSET = timedelta(hours=14)


@dataclass(frozen=True, slots=True)
class ReadTime:
    """`at`: aware UTC. `day`: the calendar day as the text has it, None for a number. `day_only`: no time of day is known, and `at` is
    the day's first moment. `is_assumed`: the text names no clock, so the stated one was taken. `local`: what its own clock shows, None
    for a number and a day alone."""

    at: datetime
    day: date | None = None
    day_only: bool = False
    is_assumed: bool = False
    local: datetime | None = field(default=None, compare=False)


def read_time(value: object, stated: Stated = UNSTATED) -> ReadTime | None:
    """The time that `value` names: a text, a number since 1970, a datetime or a date; None where that is not known for certain.

    Where clocks are set back a time of day happens twice, and where they are set forward it does not happen: the later of the two
    readings counts, so that nothing seems to have been known before it was. Years are 1900 to 2099. Never raises.
    """
    try:
        if isinstance(value, datetime):
            return _timed(value.replace(tzinfo=None), value.tzinfo, stated)
        if isinstance(value, date):
            return _day_alone(value, None, stated)
        if value is None or isinstance(value, bool):
            return None
        text = str(value)
        return _read(text, stated) if len(text) <= MAX_CHARACTERS else None
    except (ValueError, OverflowError):  # outside of the calendar, or a number that Python does not write out
        return None


def is_day_only(text: str | None) -> bool:
    """Whether a text names a day without a time of day."""
    read = read_time(text)
    return read is not None and read.day_only


def _read(text: str, stated: Stated) -> ReadTime | None:
    if stated.pattern:
        moment = stated.by_pattern(text.strip())
        if moment is None:
            return None
        if stated.is_day_only:
            return _day_alone(moment.date(), moment.tzinfo, stated)
        return _timed(moment.replace(tzinfo=None), moment.tzinfo, stated)
    text = fold(text).strip("\"'")
    number = _NUMBER.fullmatch(text) or _JSON_DATE.fullmatch(text)
    if number is None:
        return _Scan(text, stated).time()
    moment, written = epoch_time(number["number"]), _Scan(text.removesuffix(".0"), stated).time()
    # Digits that are a moment in one reading and a day in the other are neither.
    if moment and not written:
        return ReadTime(moment)
    return None if moment else written


class _Scan:
    """One text on its way from left to right."""

    def __init__(self, text: str, stated: Stated) -> None:
        self._text, self._stated = text, stated
        self._day: date | None = None
        self._month_and_day: tuple[int, int] | None = None
        self._since_midnight: timedelta | None = None
        self._zones: list[Named] = []

    def time(self) -> ReadTime | None:
        at = 0
        while at < len(self._text):
            after = self._step(at)
            if after is None or after <= at:
                return None
            at = after
        if self._day is None:
            return None
        return self._assembled(self._day)

    def _step(self, at: int) -> int | None:
        if match := _BETWEEN.match(self._text, at):
            return self._bare_time(match.end()) or match.end()
        return self._time(at) or self._date(at) or self._offset(at) or self._joint(at) or self._name(at) or self._comment(at)

    def _bare_time(self, at: int) -> int | None:
        """Digits behind a day and a blank; an hour alone is none."""
        if self._day is None or self._since_midnight is not None:
            return None
        read = bare_time_at(self._text, at)
        if read is None or read[0] - at < 4:
            return None
        end, self._since_midnight = read
        return end

    def _time(self, at: int) -> int | None:
        if self._since_midnight is not None:
            return None
        read = time_at(self._text, at)
        if read is None and self._day is not None:
            is_joined = self._text.startswith(("t", "_"), at) or _HYPHEN.match(self._text, at)
            is_glued = self._text[at - 1].isdigit()
            if is_joined:
                read = time_at(self._text, at + 1) or bare_time_at(self._text, at + 1)
            elif is_glued:
                read = bare_time_at(self._text, at)
        if read is None:
            return None
        end, self._since_midnight = read
        return end

    def _date(self, at: int) -> int | None:
        if self._day is not None:
            return None
        if self._month_and_day is not None:
            match = YEAR.match(self._text, at)
            if match is None:
                return None
            self._day = date(int(match["year"]), *self._month_and_day)
            return match.end()
        if whole := day_at(self._text, at, self._stated.order):
            end, self._day = whole
            return end
        if partial := month_and_day_at(self._text, at):
            end, self._month_and_day = partial
            return end
        return None

    def _offset(self, at: int) -> int | None:
        match = _OFFSET.match(self._text, at)
        # Behind a day alone a hyphen may begin an hour, and one digit alone is no offset.
        if match is None or not (match["name"] or (self._since_midnight is not None and len(match["hours"]) == 2)):
            return None
        return self._named(match.end(), _offset(match))

    def _name(self, at: int) -> int | None:
        match = NAME.match(self._text, at)
        if match is None or (self._day is None and self._since_midnight is None):
            return None
        return self._named(match.end(), match[0])

    def _comment(self, at: int) -> int | None:
        """A zone in brackets, or a weekday; behind a zone any other words only explain."""
        match = _COMMENT.match(self._text, at)
        if match is None:
            return None
        inner = (match["inner"] or match["region"] or "").strip()
        if inner.rstrip(".") in BRACKETED:
            return match.end()
        if self._since_midnight is None:
            return None
        offset = _OFFSET.fullmatch(inner)
        if offset:
            return self._named(match.end(), _offset(offset))
        if NAME.fullmatch(inner):
            return self._named(match.end(), inner, in_brackets=True)
        return match.end() if self._zones else None

    def _named(self, end: int, zone: str | timezone | None, *, in_brackets: bool = False) -> int | None:
        if zone is None:
            return None
        self._zones.append(Named(zone, in_brackets))
        return end

    def _joint(self, at: int) -> int | None:
        if match := JOINT.match(self._text, at):
            return match.end()
        match = _LETTERS.match(self._text, at)
        return match.end() if match and match[0].rstrip(".") in WEEKDAYS else None

    def _assembled(self, day: date) -> ReadTime | None:
        local = datetime(day.year, day.month, day.day) + (self._since_midnight or timedelta())  # noqa: DTZ001  its zone follows
        zone = agreed(self._zones, local, self._stated.zone) if self._zones else None
        if self._zones and zone is None:
            return None
        return _day_alone(day, zone, self._stated) if self._since_midnight is None else _timed(local, zone, self._stated, day)


def _offset(match: re.Match[str]) -> timezone | None:
    minutes = int(match["minutes"] or 0)
    offset = timedelta(hours=int(match["hours"]), minutes=minutes)
    if minutes > 59 or offset > _LONGEST_OFFSET:
        return None
    return timezone(-offset if match["sign"] == "-" else offset)


def _timed(local: datetime, zone: tzinfo | None, stated: Stated, day: date | None = None) -> ReadTime | None:
    at = _in_utc(local, zone or stated.zone)
    if not FIRST_YEAR <= at.year <= LAST_YEAR:
        return None
    return ReadTime(at, day or local.date(), is_assumed=zone is None, local=local)


def _day_alone(day: date, zone: tzinfo | None, stated: Stated) -> ReadTime | None:
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        return None
    at = _in_utc(datetime(day.year, day.month, day.day), zone or stated.zone)  # noqa: DTZ001  its zone is the second argument
    return ReadTime(at, day, day_only=True, is_assumed=zone is None)


def _in_utc(local: datetime, zone: tzinfo) -> datetime:
    return max(local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
