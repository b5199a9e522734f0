"""Bars for tests: as a source gives them, and as they are stored."""

from datetime import UTC, date, datetime
from typing import Any

from sentiment_platform.market.bars import RawBar, read_bar
from sentiment_platform.market.calendar import trading_days
from sentiment_platform.store.market import Bar

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)


def raw(session: object = "2025-11-25", symbol: object = "EXM", close: object = 10.0, **cells: Any) -> RawBar:
    """A sound bar but for what is given."""
    row = {"symbol": symbol, "session": session, "open": close, "high": close, "low": close, "close": close, "volume": 1000}
    return read_bar(row | cells, row | cells)


def sessions(first: str, last: str) -> list[date]:
    return [session.day for session in trading_days(date.fromisoformat(first), date.fromisoformat(last)).sessions]


def stored(symbol: str, session: date, open_: float, close: float, source: str = "made") -> Bar:
    day = trading_days(session, session).sessions[0]
    high, low = max(open_, close), min(open_, close)
    return Bar(
        symbol=symbol,
        session=session,
        open=open_,
        high=high,
        low=low,
        close=close,
        volume=1000,
        source=source,
        available_at=day.closes_at,
        fetched_at=NOW,
        run_id="run",
    )
