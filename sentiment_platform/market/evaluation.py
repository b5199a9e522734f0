"""Whether the stored prices may be used: what was refused lately, and where days are missing. Plain functions over what was read."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sentiment_platform.market.calendar import trading_days
from sentiment_platform.store.market import Bar, Coverage

MAX_REFUSED_SHARE = 0.05
MAX_SESSIONS_BEHIND = 2
"""So many closed sessions may be missing at the end before a series counts as stale."""


@dataclass(frozen=True, slots=True)
class RefusedShare:
    """Bars that arrived in some time: how many were stored, and how many refused by which rule."""

    stored: int
    refused: Mapping[str, int]

    @property
    def share(self) -> float:
        """From 0 to 1; 0 where there was nothing."""
        refused = sum(self.refused.values())
        return refused / (refused + self.stored) if refused else 0.0

    @property
    def is_low(self) -> bool:
        """Whether what was stored may be built on."""
        return self.share <= MAX_REFUSED_SHARE


@dataclass(frozen=True, slots=True)
class Completeness:
    """Symbol -> the sessions inside of its series that have no bar; and symbol -> how many closed sessions it is behind."""

    gaps: Mapping[str, tuple[date, ...]]
    behind: Mapping[str, int]

    @property
    def holds(self) -> bool:
        """No gap, and nobody behind."""
        return not self.gaps and not self.behind


def evaluate_completeness(
    bars: Sequence[Bar], coverage: Sequence[Coverage], first: date, last: date, now: datetime, live: Sequence[str]
) -> Completeness:
    """Gaps of every symbol with first <= session <= last, and how far the symbols `live`, which are fetched, are behind."""
    days = trading_days(first, last)
    have: dict[str, set[date]] = defaultdict(set)
    for bar in bars:
        have[bar.symbol].add(bar.session)
    gaps: dict[str, tuple[date, ...]] = {}
    ends: dict[str, date] = {}
    for symbol in sorted({one.symbol for one in coverage}):
        mine = [one for one in coverage if one.symbol == symbol]
        begin, ends[symbol] = min(one.first for one in mine), max(one.last for one in mine)
        expected = [session.day for session in days.sessions if begin <= session.day <= ends[symbol]]
        if missing := tuple(day for day in expected if day not in have[symbol]):
            gaps[symbol] = missing
    closed = [session.day for session in days.sessions if session.closes_at <= now]
    behind = {symbol: sum(day > ends.get(symbol, date.min) for day in closed) for symbol in live}
    return Completeness(gaps, {symbol: n for symbol, n in behind.items() if n > MAX_SESSIONS_BEHIND})
