"""The shapes of days and times of day in folded text, each as a step over the text: where it ends, and what it says.

Only what reads one way is read. A day such as 2/7/2024 needs its order stated. Not here: zones (`zones`), digits alone (`epochs`).
"""

import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Literal

from sentiment_platform.times.words import MONTHS

Order = Literal["dmy", "mdy", "ymd"]
"""In which order the three numbers of a day stand."""

_PIVOT = 69  # POSIX: 00 to 68 are of this century
_WORD = r"(?P<month>[^\W\d_]{3,})"
_Y, _D = r"(?P<year>\d{4})(?!\d)", r"(?P<day>\d{1,2})"
_NUMBERS = re.compile(
    r"(?P<first>\d{4}|\d{1,2})(?P<between> ?[-/.] ?)(?P<second>\d{1,2})(?P=between)(?P<third>\d{4}|\d{1,2})(?![\d:])\.?"
)
_COMPACT = re.compile(r"(?P<year>(?:19|20)\d\d)(?P<number>0\d|1[0-2])(?P<day>[0-3]\d)(?=$|\D|(?:\d{2}|\d{4}|\d{6}|\d{9})(?!\d))")
_WEEK = re.compile(r"(?P<year>\d{4})-?w(?P<week>\d\d)-?(?P<weekday>[1-7])(?![\d:])")
_ORDINAL = re.compile(r"(?P<year>\d{4})-(?P<ordinal>\d{3})(?![\d:-])")
_IDEOGRAPHS = re.compile(r"(?P<year>\d{4}) ?[年년] ?(?P<number>\d{1,2}) ?[月월] ?(?P<day>\d{1,2}) ?[日号號일]?")
# What Java prints of a mail's date in Japanese, Chinese and Korean: 02 7月 2024.
_JAVA = re.compile(rf"{_D} (?P<number>\d{{1,2}})[月월] {_Y}(?!:)")
_WORDS = tuple(
    re.compile(shape)
    for shape in (
        rf"{_D}(?:st|nd|rd|th|er|o|\.)?[ /-]*(?:de |of )?{_WORD}\.?,?[ /'-]*(?:del? )?(?P<year>\d{{4}}|\d\d)(?![\d:])",
        rf"{_WORD}\.?[ /-]*{_D}(?:st|nd|rd|th)?[ ,./-]+{_Y}(?!:)",
        rf"{_WORD}-{_D}-(?P<year>\d\d)(?![\d:])",
        rf"{_Y}[ ,./-]+{_WORD}\.?[ ,/-]*{_D}\.?(?![\d:])",
    )
)
_WORD_AND_DAY = re.compile(rf"{_WORD}\.? {_D}(?![\d:])")
YEAR = re.compile(_Y + r"(?!:)")

_HALF = r"(?: ?(?P<half>[ap])\.? ?m(?![a-z])\.?)?"
_CLOCK = re.compile(
    r"(?:(?P<before>上午|下午|午前|午後|오전|오후|am|pm|凌晨|清晨|早上|傍晚|晚上) ?)?"
    r"(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:[.,](?P<fraction>\d{1,12})|:(?P<thousandths>\d{3}))?)?"
    rf"(?![:\d]){_HALF}"
)
_SIGNS = re.compile(
    r"(?:(?P<before>上午|下午|午前|午後|오전|오후|凌晨|清晨|早上|傍晚|晚上) ?)?(?P<hour>\d{1,2}) ?[时時点點시]"
    r"(?: ?(?P<minute>\d{1,2}) ?[分분]?(?: ?(?P<second>\d{1,2}) ?[秒초])?(?![\d:]))?"
)
_HOUR = re.compile(r"(?P<hour>\d{1,2})(?:[.h](?P<minute>\d\d))? ?(?P<half>[ap])\.? ?m(?![a-z])\.?")
_FRENCH = re.compile(r"(?P<hour>\d{1,2}) ?(?:h|uhr)(?: ?(?P<minute>\d\d)(?![\d:]))?(?![^\W_])")
_NOON = re.compile(r"(?P<hour>12)(?::00)? noon(?![a-z])")
_DOTS = re.compile(r"(?P<hour>\d{1,2})\.(?P<minute>\d\d)(?:\.(?P<second>\d\d)(?:[.,](?P<fraction>\d{1,12}))?)?(?![.:\d])" + _HALF)
_BARE = re.compile(
    r"(?P<hour>\d\d)(?:(?P<minute>\d\d)(?:(?P<second>\d\d)(?:[.,]?(?P<fraction>(?<=[.,])\d{1,12}|\d{3}))?)?)?(?![\d:])"
)
_AFTERNOON = {"下午", "午後", "오후", "pm", "p", "傍晚", "晚上"}
_EVENING = {"傍晚", "晚上"}


def day_at(text: str, at: int, order: Order | None) -> tuple[int, date] | None:
    """A whole day that begins at `at`, and where it ends; None where there is none, or where it reads two ways."""
    if match := _NUMBERS.match(text, at):
        day = _by_numbers(match, order)
        return (match.end(), day) if day else None
    for shape, read in _SHAPES:
        if (match := shape.match(text, at)) and (day := read(match)):
            return match.end(), day
    return None


def month_and_day_at(text: str, at: int) -> tuple[int, tuple[int, int]] | None:
    """A month in words and its day, of a year that stands elsewhere (`jul 2 10:00:00 2024`)."""
    match = _WORD_AND_DAY.match(text, at)
    number = MONTHS.get(match["month"]) if match else None
    return (match.end(), (number, int(match["day"]))) if match and number else None


def time_at(text: str, at: int) -> tuple[int, timedelta] | None:
    """A time of day that begins at `at`, as time since midnight: `9:31 pm`, `09:31:05.25`, `10h30`. 24:00 is the end of the day."""
    for shape in (_NOON, _CLOCK, _SIGNS, _HOUR, _FRENCH):
        if match := shape.match(text, at):
            since_midnight = _since_midnight(match)
            return (match.end(), since_midnight) if since_midnight is not None else None
    return None


def bare_time_at(text: str, at: int) -> tuple[int, timedelta] | None:
    """A time of day in digits alone or with dots, as it may stand behind a day: `1000`, `100000123`, `9.31`, `01.31.00 PM`; or `noon`."""
    if text.startswith("noon", at):
        return at + len("noon"), timedelta(hours=12)
    match = _DOTS.match(text, at) or _BARE.match(text, at)
    since_midnight = _since_midnight(match) if match else None
    return (match.end(), since_midnight) if match and since_midnight is not None else None


def _since_midnight(match: re.Match[str]) -> timedelta | None:
    parts = match.groupdict()
    hour, minute, second = int(parts["hour"]), int(parts.get("minute") or 0), int(parts.get("second") or 0)
    half = parts.get("half") or parts.get("before")
    if half:
        if not 1 <= hour <= 12 or (half in _EVENING and hour == 12):
            return None
        hour = hour % 12 + (12 if half in _AFTERNOON else 0)
    microsecond = int((parts.get("fraction") or parts.get("thousandths") or "").ljust(6, "0")[:6])
    is_end_of_day = hour == 24 and not (minute or second or microsecond)
    is_leap_second = minute == 59 and second == 60
    if minute > 59 or not (hour < 24 or is_end_of_day) or not (second < 60 or is_leap_second):
        return None
    # A leap second is the first of the next minute: later than what it names, never earlier.
    return timedelta(hours=hour, minutes=minute, seconds=second, microseconds=0 if is_leap_second else microsecond)


def _by_numbers(match: re.Match[str], order: Order | None) -> date | None:
    first, second, third = match["first"], match["second"], match["third"]
    places: dict[Order, tuple[str, str, str]] = {
        "dmy": (third, second, first),
        "mdy": (third, first, second),
        "ymd": (first, second, third),
    }
    if len(first) == 4:
        allowed: list[Order] = ["ymd"]
    elif len(third) == 4:
        allowed = ["dmy", "mdy"]
    elif order is None and "/" not in match["between"]:
        return None  # a year of two digits between dots or hyphens stands first in some countries and last in others
    else:
        allowed = ["dmy", "mdy", "ymd"]
    if order and len(allowed) > 1:
        allowed = [one for one in allowed if one == order]
    days = {day for one in allowed if (day := _day(*places[one]))}
    return days.pop() if len(days) == 1 else None


def _by_words(match: re.Match[str]) -> date | None:
    number = MONTHS.get(match["month"])
    return _day(match["year"], number, match["day"]) if number else None


def _by_numbered_month(match: re.Match[str]) -> date | None:
    return _day(match["year"], match["number"], match["day"])


def _by_week(match: re.Match[str]) -> date | None:
    try:
        return date.fromisocalendar(int(match["year"]), int(match["week"]), int(match["weekday"]))
    except ValueError:
        return None


def _by_ordinal(match: re.Match[str]) -> date | None:
    first, ordinal = _day(match["year"], 1, "1"), int(match["ordinal"])
    day = first + timedelta(days=ordinal - 1) if first and ordinal else None
    return day if first and day and day.year == first.year else None


def _day(year: str, month: str | int, day: str) -> date | None:
    number = int(year) + (0 if len(year) > 2 else 1900 if int(year) >= _PIVOT else 2000)
    try:
        return date(number, int(month), int(day))
    except ValueError:
        return None


_SHAPES: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], date | None]], ...] = (
    (_COMPACT, _by_numbered_month),
    (_WEEK, _by_week),
    (_ORDINAL, _by_ordinal),
    *((shape, _by_words) for shape in _WORDS),
    (_IDEOGRAPHS, _by_numbered_month),
    (_JAVA, _by_numbered_month),
)
