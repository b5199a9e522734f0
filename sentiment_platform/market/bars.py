"""A daily bar as a source gives it, before the contract has seen it, and how its cells are read."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from math import isfinite
from typing import Any

from sentiment_platform.market.calendar import EXCHANGE_ZONE


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


def read_bar(cells: dict[str, Any], payload: dict[str, Any]) -> RawBar:
    """From cells under the names of `RawBar`'s fields, texts or numbers."""
    return RawBar(
        symbol=str(cells.get("symbol") or "").strip().upper() or None,
        session=read_session(cells.get("session")),
        open=read_number(cells.get("open")),
        high=read_number(cells.get("high")),
        low=read_number(cells.get("low")),
        close=read_number(cells.get("close")),
        volume=read_number(cells.get("volume")),
        payload=payload,
    )


def read_session(cell: object) -> date | None:
    """The date of a session: an ISO 8601 date or time as written, or milliseconds since 1970 read off the exchange's clock."""
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        try:
            return datetime.fromtimestamp(cell / 1000, UTC).astimezone(EXCHANGE_ZONE).date()
        except (ValueError, OverflowError, OSError):
            return None
    try:
        return date.fromisoformat(str(cell or "").strip()[:10])
    except ValueError:
        return None


def read_number(cell: object) -> float | None:
    """A finite number, or None."""
    if cell is None or isinstance(cell, bool) or not isinstance(cell, int | float | str):
        return None
    try:
        number = float(cell)
    except (ValueError, OverflowError):
        return None
    return number if isfinite(number) else None
