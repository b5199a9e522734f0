"""When an exchange trades: its sessions with their opening and closing times in UTC, half days and holidays included.

Which exchange a symbol trades on is `market.symbol_exchange`; how the package that knows exchanges is asked, `market.exchange_package`.
"""

from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import cached_property, lru_cache

NEW_YORK = "XNYS"
"""ISO 10383 code of New York. XNYS and XNAS keep the same hours."""
CRYPTO, CURRENCIES = "crypto", "currencies"
"""What trades always: its sessions are the days of UTC. Two names, because neither is the market of the other."""
UNKNOWN = "unknown"
"""Of a symbol whose exchange nobody stated, or whose hours are not known."""
SATURDAY = 5
"""The weekday with which a weekend begins."""
OVER_EVERYWHERE = timedelta(days=1, hours=12)
"""From the first moment of a date in UTC to its end at UTC-12, where every date ends last."""


@dataclass(frozen=True, slots=True)
class Session:
    """One trading day: the exchange's date, opening and closing in aware UTC."""

    day: date
    opens_at: datetime
    closes_at: datetime


@dataclass(frozen=True)
class TradingDays:
    """The sessions of a span of days, in order. Whether the exchange trades on a date is known from `first` to `last` at most."""

    sessions: tuple[Session, ...]
    first: date = date.min
    last: date = date.max

    @cached_property
    def _position(self) -> dict[date, int]:
        return {session.day: position for position, session in enumerate(self.sessions)}

    @cached_property
    def _opens(self) -> list[datetime]:
        return [session.opens_at for session in self.sessions]

    def knows(self, day: date) -> bool:
        """Whether it is known if the exchange trades on that date."""
        return self.first <= day <= self.last

    def on(self, day: date) -> Session | None:
        """The session of that date, or None: a weekend, a holiday, or outside of the span."""
        position = self._position.get(day)
        return None if position is None else self.sessions[position]

    def first_open_after(self, at: datetime) -> Session | None:
        """The first session that opens strictly after `at`; None beyond the span, and where an earlier one may be unknown."""
        position = bisect_right(self._opens, at)
        return self.sessions[position] if position < len(self.sessions) and self.knows(at.astimezone(UTC).date()) else None

    def later(self, session: Session, sessions: int) -> Session | None:
        """The session so many sessions after `session`; None beyond the span."""
        position = self._position[session.day] + sessions
        return self.sessions[position] if position < len(self.sessions) else None

    def last_closed(self, at: datetime) -> Session | None:
        """The newest session that was over at `at`."""
        return next((session for session in reversed(self.sessions) if session.closes_at <= at), None)


def trading_days(first: date, last: date, exchange: str = NEW_YORK) -> TradingDays:
    """The sessions of an exchange with first <= day <= last; none where its hours are not known."""
    parts = [_decade(exchange, decade) for decade in range(first.year // 10, last.year // 10 + 1)]
    known = [part for part in parts if part.first <= part.last]
    if not known:
        return TradingDays((), date.max, date.min)
    return TradingDays(
        tuple(session for part in known for session in part.sessions if first <= session.day <= last),
        known[0].first,
        known[-1].last,
    )


def session_on(exchange: str, day: date) -> Session | None:
    """The session of that date, or None: the exchange is closed then, or its hours are not known."""
    return _decade(exchange, day.year // 10).on(day)


def final_at(exchange: str, day: date) -> datetime | None:
    """From when on the bar of a date can be known: the close of its session. None where there is no session on it.

    Where the hours of the exchange are not known, it is the moment at which the date is over everywhere on earth: never earlier.
    """
    decade = _decade(exchange, day.year // 10)
    if not decade.knows(day):
        return _midnight(day) + OVER_EVERYWHERE
    session = decade.on(day)
    return session.closes_at if session else None


def newest_final_day(exchange: str, first: date, last: date, now: datetime) -> date | None:
    """The newest date from `first` to `last` whose bar can be known at `now`; None where there is none."""
    days = (last - timedelta(days=back) for back in range((last - first).days + 1))
    return next((day for day in days if (final := final_at(exchange, day)) is not None and final <= now), None)


def exchange_zone(exchange: str) -> tzinfo | None:
    """The clock off which the date of a session is read; None where it is not known."""
    if exchange in (CRYPTO, CURRENCIES):
        return UTC
    from sentiment_platform.market.exchange_package import zone_of_exchange

    return zone_of_exchange(exchange)


@lru_cache(maxsize=256)
def _decade(exchange: str, decade: int) -> TradingDays:
    """The sessions of the years `decade` * 10 to `decade` * 10 + 9, as far as they are known."""
    first, last = date(decade * 10, 1, 1), date(decade * 10 + 9, 12, 31)
    if exchange in (CRYPTO, CURRENCIES):
        starts = [_midnight(first) + timedelta(days=n) for n in range((last - first).days + 1)]
        return TradingDays(tuple(Session(start.date(), start, start + timedelta(days=1)) for start in starts), first, last)
    from sentiment_platform.market.exchange_package import known_span, sessions_between

    span = known_span(exchange, first, last)
    if span is None:
        return TradingDays((), date.max, date.min)
    sessions = tuple(Session(*one) for one in sessions_between(exchange, *span))
    return TradingDays(sessions, *span) if sessions else TradingDays((), date.max, date.min)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
