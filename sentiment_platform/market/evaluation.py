"""Whether the stored prices may be used: what was refused lately, and which sessions of its exchange each symbol lacks."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Connection

from sentiment_platform.market.calendar import CURRENCIES, SATURDAY, UNKNOWN, Session, trading_days
from sentiment_platform.market.symbol_exchange import exchange_of
from sentiment_platform.store.market import Bar, Coverage, bars_between, coverage

MAX_REFUSED_SHARE = 0.05
WINDOW = timedelta(days=45)
"""How far back missing sessions are looked for."""
SHOWN = 5
"""So many missing days of a symbol are named."""
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
    """Symbol -> the sessions of its exchange inside of its series that have no bar; symbol -> how many closed sessions it is behind; and
    the symbols whose exchange is not known, of which nobody can say what is missing."""

    gaps: Mapping[str, tuple[date, ...]]
    behind: Mapping[str, int]
    unknown: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """No gap, and nobody behind."""
        return not self.gaps and not self.behind

    @property
    def by_exchange(self) -> Mapping[str, tuple[str, ...]]:
        """Exchange -> what is missing there, a sentence a symbol."""
        said: dict[str, list[str]] = defaultdict(list)
        for symbol, days in self.gaps.items():
            rest = f" and {len(days) - SHOWN} more" if len(days) > SHOWN else ""
            said[exchange_of(symbol)].append(f"{symbol} lacks {', '.join(map(str, days[:SHOWN]))}{rest}")
        for symbol, sessions in self.behind.items():
            said[exchange_of(symbol)].append(f"{symbol} is {sessions} sessions behind")
        for symbol in self.unknown:
            said[UNKNOWN].append(f"{symbol} has no exchange that is known, so no outcomes")
        return {exchange: tuple(sentences) for exchange, sentences in sorted(said.items())}


def completeness_now(connection: Connection, now: datetime, live: Sequence[str]) -> Completeness:
    """Of what is stored for the `WINDOW` before `now`; `live` are the symbols that are fetched."""
    first, last = (now - WINDOW).date(), now.date()
    return evaluate_completeness(bars_between(connection, first, last), coverage(connection), first, last, now, live)


def evaluate_completeness(
    bars: Sequence[Bar], coverage: Sequence[Coverage], first: date, last: date, now: datetime, live: Sequence[str]
) -> Completeness:
    """Gaps of every symbol with first <= session <= last, and how far the symbols `live`, which are fetched, are behind."""
    have: dict[str, set[date]] = defaultdict(set)
    for bar in bars:
        have[bar.symbol].add(bar.session)
    begins: dict[str, date] = {}
    ends: dict[str, date] = {}
    for one in coverage:
        begins[one.symbol] = min(one.first, begins.get(one.symbol, one.first))
        ends[one.symbol] = max(one.last, ends.get(one.symbol, one.last))
    gaps: dict[str, tuple[date, ...]] = {}
    behind: dict[str, int] = {}
    for symbol in sorted({*ends, *live}):
        expected = _expected(exchange_of(symbol), first, last)
        begin, end = begins.get(symbol, date.max), ends.get(symbol, date.min)
        if missing := tuple(one.day for one in expected if begin <= one.day <= end and one.day not in have[symbol]):
            gaps[symbol] = missing
        late = sum(one.day > end and one.closes_at <= now for one in expected)
        if symbol in live and late > MAX_SESSIONS_BEHIND:
            behind[symbol] = late
    unknown = tuple(symbol for symbol in sorted({*ends, *live}) if exchange_of(symbol) == UNKNOWN)
    return Completeness(gaps, behind, unknown)


def _expected(exchange: str, first: date, last: date) -> list[Session]:
    """The sessions of which a bar is expected: at weekends not every vendor quotes currencies."""
    sessions = trading_days(first, last, exchange).sessions
    return [one for one in sessions if exchange != CURRENCIES or one.day.weekday() < SATURDAY]
