"""A daily bar as a source gives it, before the contract has seen it, and how its cells are read."""

from dataclasses import dataclass
from datetime import date, datetime, time
from math import isfinite
from typing import Any

from sentiment_platform.market.calendar import CRYPTO, CURRENCIES, NEW_YORK, exchange_zone, session_on
from sentiment_platform.market.symbol_exchange import exchange_of
from sentiment_platform.symbols import symbol
from sentiment_platform.text_files.numbers import number_of
from sentiment_platform.times.reading import UNSTATED, read_time
from sentiment_platform.times.stated import Stated


@dataclass(frozen=True, slots=True, kw_only=True)
class RawBar:
    """One row of a source; what it lacks or what cannot be read is None. `payload` is the row as it came."""

    symbol: str | None
    session: date | None
    open: float | None
    high: float | None
    low: float | None
    close: float | None
    volume: float | None
    payload: dict[str, Any]


def read_bar(cells: dict[str, Any], payload: dict[str, Any], stated: Stated | None = None) -> RawBar:
    """From cells under the names of `RawBar`'s fields, texts or numbers; `stated` as for `read_session`."""
    named = symbol(cells.get("symbol"))
    return RawBar(
        symbol=named,
        session=read_session(cells.get("session"), stated, exchange_of(named or "")),
        open=read_number(cells.get("open")),
        high=read_number(cells.get("high")),
        low=read_number(cells.get("low")),
        close=read_number(cells.get("close")),
        volume=read_number(cells.get("volume")),
        payload=payload,
    )


def read_session(cell: object, stated: Stated | None = None, exchange: str = NEW_YORK) -> date | None:
    """The date of a session at `exchange` (`market.calendar`): a day as a text has it, or the day that a vendor means by a moment.

    A moment is a number since 1970, or a text with a time of day. It is a day where it is midnight in UTC, or midnight or the opening at
    the exchange; a text also where its own clock is at midnight, is the exchange's, or is not named and cannot mean another day.
    `stated` says on whose clock moments are days, and how days are written. What nobody can say is None.
    """
    read = read_time(cell, stated or UNSTATED)
    if read is None:
        return None
    stated = stated if stated and stated.has_zone else None
    if read.local is None:
        return read.day or (_of_stated(read.at, stated, exchange) if stated else _of_moment(read.at, exchange))
    if exchange in (CRYPTO, CURRENCIES) and read.at.replace(tzinfo=None) != read.local:
        return _of_moment(read.at, exchange)
    if read.local.time() == time() or (stated and read.is_assumed):
        return read.day
    if stated:
        return _of_stated(read.at, stated, exchange)
    meant = _of_moment(read.at, exchange)
    if read.is_assumed:
        return read.day if meant in (None, read.day) else None
    return meant or (read.day if _is_clock_of(exchange, read.local, read.at) else None)


def _is_clock_of(exchange: str, local: datetime, at: datetime) -> bool:
    zone = exchange_zone(exchange)
    return zone is not None and at.astimezone(zone).replace(tzinfo=None) == local


def _of_stated(at: datetime, stated: Stated, exchange: str) -> date | None:
    local = at.astimezone(stated.zone)
    # What trades always has the days of UTC: the day of another clock begins before the opening that is taken for its own.
    return None if exchange in (CRYPTO, CURRENCIES) and local.utcoffset() else local.date()


def _of_moment(at: datetime, exchange: str) -> date | None:
    if at.time() == time():
        return at.date()
    zone = exchange_zone(exchange)
    if zone is None:
        return None
    local = at.astimezone(zone)
    if local.time() == time():
        return local.date()
    session = session_on(exchange, local.date())
    return session.day if session and session.opens_at == at else None


def read_number(cell: object) -> float | None:
    """A finite number, or None."""
    if cell is None or isinstance(cell, bool) or not isinstance(cell, int | float | str):
        return None
    if isinstance(cell, str):
        return number_of(cell)
    try:
        number = float(cell)
    except OverflowError:
        return None
    return number if isfinite(number) else None
