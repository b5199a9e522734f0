"""What `exchange_calendars` says of an exchange, with what is known to be wrong in it put right.

The package (and pandas with it) is imported inside one function here and nowhere else in the house.
"""

import warnings
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import cache
from importlib import import_module
from typing import Any
from zoneinfo import ZoneInfo

_ZONES = {"XBOG": ZoneInfo("America/Bogota")}
"""The clock of an exchange whose hours the package gives on another's."""
_HOURS = {
    # The package has Xetra's hours for the floor in Frankfurt, which opens an hour earlier.
    "XFRA": (ZoneInfo("Europe/Berlin"), time(8), time(22)),
    # Mexico trades at New York's hours all year, though its own clocks are no longer changed.
    "XMEX": (ZoneInfo("America/New_York"), time(9, 30), time(16)),
    # Lima follows New York's summer: half past eight then, an hour later in winter.
    "XLIM": (ZoneInfo("America/Lima"), time(8, 30), time(16)),
}
"""Where the package's hours are too narrow: the earlier opening and the later close count, so that nothing is known too early."""


def zone_of_exchange(exchange: str) -> tzinfo | None:
    """The clock of an exchange; None where the package does not know it."""
    calendar = _calendar_class(exchange)
    return _ZONES.get(exchange) or (calendar.tz if calendar else None)


def known_span(exchange: str, first: date, last: date) -> tuple[date, date] | None:
    """The part of first <= day <= last whose holidays the package knows; None where that is none of it."""
    calendar = _calendar_class(exchange)
    if calendar is None:
        return None
    begin, end = calendar.bound_min(), calendar.bound_max()
    span = max(first, begin.date()) if begin else first, min(last, end.date()) if end else last
    return span if span[0] <= span[1] else None


def sessions_between(exchange: str, first: date, last: date) -> Iterator[tuple[date, datetime, datetime]]:
    """Date, opening and closing (aware UTC) of each session of a span that is known; nothing where the package cannot make it."""
    for begin, end, weekdays in _weeks(_calendar_class(exchange), first, last):
        for day, opened, closed in _sessions(exchange, begin, end, weekdays):
            opens_at, closes_at = opened.to_pydatetime().astimezone(UTC), closed.to_pydatetime().astimezone(UTC)
            if exchange in _HOURS:
                zone, opening, closing = _HOURS[exchange]
                opens_at = min(opens_at, datetime.combine(day, opening, zone).astimezone(UTC))
                closes_at = max(closes_at, datetime.combine(day, closing, zone).astimezone(UTC))
            yield day, opens_at, closes_at


def _sessions(exchange: str, first: date, last: date, weekdays: str) -> list[tuple[date, Any, Any]]:
    part = _part(_calendar_class(exchange), weekdays)
    with warnings.catch_warnings():
        # exchange_calendars 4.13 under pandas 3.1: its own use of an attribute that pandas 4 will change.
        warnings.simplefilter("ignore")
        try:
            made = part(start=first.isoformat(), end=last.isoformat())
        except ValueError:  # no session in these days, or years of which it has no rules
            return []
        return [(day.date(), made.opens[day], made.closes[day]) for day in made.opens.index]


def _part(calendar: Any, weekdays: str) -> Any:
    # pandas 3.1 no longer asks an offset that the package makes for weeks with other trading days: each part is a calendar of its own.
    return type(calendar.__name__, (calendar,), {"special_weekmasks": (), "weekmask": weekdays})


def _weeks(calendar: Any, first: date, last: date) -> Iterator[tuple[date, date, str]]:
    """The span in parts that have the same trading days of the week, as seven digits from Monday on."""
    bare = calendar.__new__(calendar)
    usual, begin = bare.weekmask, first
    special: list[Any] = sorted(getattr(bare, "special_weekmasks", ()), key=lambda one: one[1])
    for start, end, weekdays in special:
        since, until = start.date() if start else first, end.date()
        if until < first or since > last:
            continue
        if begin < since:
            yield begin, since - timedelta(days=1), usual
        yield max(begin, since), min(until, last), weekdays
        begin = until + timedelta(days=1)
    if begin <= last:
        yield begin, last, usual


@cache
def _calendar_class(exchange: str) -> Any:
    """The package's class for a code, or None; each stands in a file that has its code for a name."""
    if not exchange.isalpha() or not exchange.isupper():
        return None
    from exchange_calendars.pandas_extensions.offsets import OrthodoxEaster

    # pandas 3.1 asks an offset by another name than the package answers to.
    if "_add_datetime" not in vars(OrthodoxEaster):
        setattr(OrthodoxEaster, "_add_datetime", vars(OrthodoxEaster)["_apply"])  # noqa: B010  the checker forbids it by its name
    try:
        module = import_module(f"exchange_calendars.exchange_calendar_{exchange.lower()}")
    except ModuleNotFoundError:
        return None
    return getattr(module, f"{exchange}ExchangeCalendar")
