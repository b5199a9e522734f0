"""Outcomes: what a symbol did after an article, less what the market did. A label that the market gave, late and noisily.

It is evidence on whether predictions are of use, and never an answer to what a text says: no training set takes an outcome.
Only what could be traded after the article was available counts: with daily bars, from the next opening to a later close.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import sha256
from statistics import fmean
from typing import Literal

from sqlalchemy import Engine

from sentiment_platform.market.calendar import Session, TradingDays, trading_days
from sentiment_platform.market.outcome_contract import judge_outcomes, outcome_id, refused_outcome
from sentiment_platform.store.market import Bar, bars_between
from sentiment_platform.store.outcomes import ArticleTime, OutcomeRecord, articles_with_symbols, write_outcomes
from sentiment_platform.store.quarantine import insert_quarantine, release, waiting_items
from sentiment_platform.symbols import symbol
from sentiment_platform.text.sentiment import Label

OUTCOME_RULE = "outcome-v1"
"""Names this file's arithmetic in every row; another arithmetic gets another name."""
HORIZONS: Mapping[int, float] = {1: 0.005, 5: 0.01}
"""Sessions held -> the market-adjusted return up to which the outcome is neutral, either way (0.01 is one percent)."""
MIN_OTHERS = 3
"""Fewer other symbols than this are no market."""
MARGIN = timedelta(days=21)
"""Calendar days that the longest horizon may need: five sessions over the turn of a year, with room."""

RELEASED_AT_ONCE = 10_000
"""Rows of quarantine that one run looks at, to release those of which it made good outcomes."""

Reason = Literal[
    "horizon_not_over", "symbol_without_prices", "entry_price_missing", "exit_price_missing", "two_sources", "market_unknown"
]
REASONS: Mapping[Reason, str] = {
    "horizon_not_over": "the last session of the horizon has not closed yet",
    "symbol_without_prices": "there are no prices of this symbol in these days",
    "entry_price_missing": "the bar of the first session after the article is missing",
    "exit_price_missing": "the bar of the last session of the horizon is missing",
    "two_sources": "entry and exit come from two sources, which adjust differently",
    "market_unknown": f"prices of the market's symbol, or of {MIN_OTHERS} other symbols, are missing",
}
PENDING: Reason = "horizon_not_over"


class Prices:
    """The bars that were known at a time (aware UTC), and the returns between their opens and closes."""

    def __init__(self, bars: Sequence[Bar], now: datetime, market_symbol: str = "") -> None:
        self._series: dict[str, dict[date, Bar]] = {}
        for bar in bars:
            if bar.available_at <= now:
                self._series.setdefault(bar.symbol, {})[bar.session] = bar
        self._market_symbol = market_symbol

    def held(self, symbol: str, entry: date, exit_: date) -> float | Reason:
        """Return from the open of session `entry` to the close of session `exit_`, or why there is none."""
        series = self._series.get(symbol)
        if not series:
            return "symbol_without_prices"
        first, last = series.get(entry), series.get(exit_)
        if first is None:
            return "entry_price_missing"
        if last is None:
            return "exit_price_missing"
        return last.close / first.open - 1.0 if first.source == last.source else "two_sources"

    def market(self, symbol: str, entry: date, exit_: date) -> tuple[float, str] | None:
        """The market's return over the same sessions and what stood for it; None where it is unknown.

        Without a market symbol it is the equally weighted mean of all other symbols: a symbol's own move is not its market.
        """
        if self._market_symbol:
            market_return = self.held(self._market_symbol, entry, exit_)
            return None if isinstance(market_return, str) else (market_return, self._market_symbol)
        others = [self.held(other, entry, exit_) for other in sorted(self._series) if other != symbol]
        returns = [value for value in others if not isinstance(value, str)]
        return (fmean(returns), f"mean of {len(returns)} others") if len(returns) >= MIN_OTHERS else None


@dataclass(frozen=True, slots=True)
class OutcomesOfDays:
    """The outcomes of a span of days, how many changed, their digest, and how many broke their contract and are in quarantine."""

    records: tuple[OutcomeRecord, ...]
    changed: int
    digest: str
    refused: int


def compute_outcomes(articles: Sequence[ArticleTime], prices: Prices, days: TradingDays, now: datetime) -> list[OutcomeRecord]:
    """An outcome for each article, symbol and horizon, or the reason for none; in the order of the articles.

    The entry is the open of the first session that opens after `available_at`: news before the opening is traded the same day, news
    during or after the session the next. The exit is the close of the last session of the horizon, the entry's session counted.
    """
    return [
        _outcome(article, symbol, horizon, prices, days, now)
        for article in articles
        for symbol in sorted(set(article.symbols))
        for horizon in HORIZONS
    ]


def _outcome(article: ArticleTime, symbol: str, horizon: int, prices: Prices, days: TradingDays, now: datetime) -> OutcomeRecord:
    def none(reason: Reason) -> OutcomeRecord:
        return OutcomeRecord(article_id=article.id, symbol=symbol, horizon_sessions=horizon, rule=OUTCOME_RULE, reason=reason)

    sessions = _held_sessions(article, horizon, days)
    if sessions is None or sessions[1].closes_at > now:
        return none(PENDING)
    entry, exit_ = sessions
    own = prices.held(symbol, entry.day, exit_.day)
    if isinstance(own, str):
        return none(own)
    market = prices.market(symbol, entry.day, exit_.day)
    if market is None:
        return none("market_unknown")
    adjusted = own - market[0]
    return OutcomeRecord(
        article_id=article.id,
        symbol=symbol,
        horizon_sessions=horizon,
        rule=OUTCOME_RULE,
        entry_at=entry.opens_at,
        available_at=exit_.closes_at,
        symbol_return=own,
        market_return=market[0],
        adjusted_return=adjusted,
        label=outcome_label(adjusted, horizon),
        market=market[1],
    )


def _held_sessions(article: ArticleTime, horizon: int, days: TradingDays) -> tuple[Session, Session] | None:
    entry = days.first_open_after(article.available_at)
    exit_ = days.later(entry, horizon - 1) if entry else None
    return (entry, exit_) if entry and exit_ else None


def outcome_label(adjusted_return: float, horizon: int) -> Label:
    """The direction of a market-adjusted return; within the horizon's band it is neutral."""
    band = HORIZONS[horizon]
    return "neutral" if abs(adjusted_return) <= band else "positive" if adjusted_return > 0 else "negative"


def update_outcomes(
    engine: Engine, start: datetime, end: datetime, now: datetime, market_symbol: str = "", *, run_id: str
) -> OutcomesOfDays:
    """Outcomes of the articles published in [start, end), and of all whose horizon was not over when last looked at."""
    with engine.connect() as connection:
        articles = articles_with_symbols(connection, start, end, PENDING)
        known = [article.available_at for article in articles] or [now]
        first, last = min(known).date(), max(known).date() + MARGIN
        prices = Prices(bars_between(connection, first, last), now, symbol(market_symbol) or "")
    computed = compute_outcomes(articles, prices, trading_days(first, last), now)
    records, broken = judge_outcomes(computed)
    sound = {outcome_id(record) for record in records}
    with engine.begin() as connection:
        changed = write_outcomes(connection, records)
        insert_quarantine(connection, [refused_outcome(computed[n], rules, run_id, now) for n, rules in broken.items()])
        waiting = waiting_items(connection, "outcomes", source=None, rule=None, after="", limit=RELEASED_AT_ONCE)
        release(connection, [item.id for item in waiting if item.id in sound], now)
    return OutcomesOfDays(tuple(records), changed, sha256(repr(records).encode()).hexdigest(), len(broken))
