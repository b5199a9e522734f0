"""When an exchange trades: its sessions with their opening and closing times in UTC, half days and holidays included.

`exchange_calendars` (and pandas with it) is imported inside one function here and nowhere else in the house.
"""

import warnings
from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property, lru_cache
from zoneinfo import ZoneInfo

EXCHANGE = "XNYS"
"""ISO 10383 code of the exchange whose sessions count. XNYS and XNAS keep the same hours."""
EXCHANGE_ZONE = ZoneInfo("America/New_York")
"""Where the date of a session is read off the clock."""


@dataclass(frozen=True, slots=True)
class Session:
    """One trading day: the exchange's date, opening and closing in aware UTC."""

    day: date
    opens_at: datetime
    closes_at: datetime


@dataclass(frozen=True)
class TradingDays:
    """The sessions of a span of days, in order."""

    sessions: tuple[Session, ...]

    @cached_property
    def _position(self) -> dict[date, int]:
        return {session.day: position for position, session in enumerate(self.sessions)}

    @cached_property
    def _opens(self) -> list[datetime]:
        return [session.opens_at for session in self.sessions]

    def on(self, day: date) -> Session | None:
        """The session of that date, or None: a weekend, a holiday, or outside of the span."""
        position = self._position.get(day)
        return None if position is None else self.sessions[position]

    def first_open_after(self, at: datetime) -> Session | None:
        """The first session that opens strictly after `at`; None beyond the span."""
        position = bisect_right(self._opens, at)
        return self.sessions[position] if position < len(self.sessions) else None

    def later(self, session: Session, sessions: int) -> Session | None:
        """The session so many sessions after `session`; None beyond the span."""
        position = self._position[session.day] + sessions
        return self.sessions[position] if position < len(self.sessions) else None

    def last_closed(self, at: datetime) -> Session | None:
        """The newest session that was over at `at`."""
        return next((session for session in reversed(self.sessions) if session.closes_at <= at), None)


def trading_days(first: date, last: date, exchange: str = EXCHANGE) -> TradingDays:
    """The sessions with first <= day <= last."""
    sessions = _years(first.year, last.year, exchange)
    return TradingDays(tuple(session for session in sessions if first <= session.day <= last))


@lru_cache(maxsize=8)
def _years(first: int, last: int, exchange: str) -> tuple[Session, ...]:
    with warnings.catch_warnings():
        # exchange_calendars 4.13 under pandas 3.1: its own use of an attribute that pandas 4 will change.
        warnings.simplefilter("ignore")
        from exchange_calendars import get_calendar

        calendar = get_calendar(exchange, start=f"{first}-01-01", end=f"{last}-12-31")
        opens, closes = calendar.opens, calendar.closes
        return tuple(
            Session(day.date(), opened.to_pydatetime().astimezone(UTC), closed.to_pydatetime().astimezone(UTC))
            for day, opened, closed in zip(opens.index, opens, closes, strict=True)
        )
