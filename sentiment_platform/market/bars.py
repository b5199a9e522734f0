"""A daily bar as a source gives it, before the contract has seen it, and how its cells are read."""

from dataclasses import dataclass
from datetime import UTC, date, time, tzinfo
from math import isfinite
from typing import Any

from sentiment_platform.market.calendar import EXCHANGE_ZONE
from sentiment_platform.symbols import symbol
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
    return RawBar(
        symbol=symbol(cells.get("symbol")),
        session=read_session(cells.get("session"), stated),
        open=read_number(cells.get("open")),
        high=read_number(cells.get("high")),
        low=read_number(cells.get("low")),
        close=read_number(cells.get("close")),
        volume=read_number(cells.get("volume")),
        payload=payload,
    )


def read_session(cell: object, stated: Stated | None = None) -> date | None:
    """The date of a session: the day as a text has it, or the day that begins with the moment of a number since 1970.

    `stated`: on whose clock a number is read, and how days are written. Without it a number is a day only where it is midnight in UTC or
    at the exchange: what it means otherwise nobody can say, and it is None.
    """
    read = read_time(cell, stated or UNSTATED)
    if read is None or read.day is not None:
        return read.day if read else None
    clocks: list[tzinfo] = [stated.zone] if stated else [UTC, EXCHANGE_ZONE]
    days = (local.date() for zone in clocks if (local := read.at.astimezone(zone)) and (stated or local.time() == time()))
    return next(days, None)


def read_number(cell: object) -> float | None:
    """A finite number, or None."""
    if cell is None or isinstance(cell, bool) or not isinstance(cell, int | float | str):
        return None
    try:
        number = float(cell)
    except (ValueError, OverflowError):
        return None
    return number if isfinite(number) else None
