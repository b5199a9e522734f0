"""Outcomes: what a symbol did after an article, less what the market did. A label that the market gave, late and noisily.

It is evidence on whether predictions are of use, and never an answer to what a text says: no training set takes an outcome.
Only what could be traded after the article was available counts: with daily bars, from the next opening of the symbol's own exchange
to a later close there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from hashlib import sha256
from statistics import fmean
from typing import Literal

from sqlalchemy import Engine

from sentiment_platform.market.calendar import CURRENCIES, SATURDAY, UNKNOWN, Session, TradingDays, trading_days
from sentiment_platform.market.outcome_contract import judge_outcomes, outcome_id, refused_outcome
from sentiment_platform.market.symbol_exchange import exchange_of
from sentiment_platform.store.market import Bar, bars_between
from sentiment_platform.store.outcomes import ArticleTime, OutcomeRecord, articles_with_symbols, write_outcomes
from sentiment_platform.store.quarantine import insert_quarantine, release, waiting_items
from sentiment_platform.store.splits import Question, questions_open
from sentiment_platform.symbols import symbols
from sentiment_platform.text.sentiment import Label

OUTCOME_RULE = "outcome-v2"
"""Names this file's arithmetic in every row; another arithmetic gets another name. v1 had New York's clock for every symbol."""
FORMER_RULES = ("outcome-v1",)
"""Rows of these rules are computed again, so many articles in a run."""
RECOMPUTED_AT_ONCE = 20_000
HORIZONS: Mapping[int, float] = {1: 0.005, 5: 0.01}
"""Sessions held -> the market-adjusted return up to which the outcome is neutral, either way (0.01 is one percent)."""
MIN_OTHERS = 3
"""Fewer other symbols of an exchange than this are no market."""
MARGIN = timedelta(days=49)
"""Calendar days that the longest horizon may need: 19 over the New Year of Taipei in 2026, 42 when Athens was shut in 2015."""

RELEASED_AT_ONCE = 10_000
"""Rows of quarantine that one run looks at, to release those of which it made good outcomes."""

Reason = Literal[
    "exchange_unknown",
    "horizon_not_over",
    "symbol_without_prices",
    "entry_price_missing",
    "exit_price_missing",
    "two_sources",
    "split_suspected",
    "market_unknown",
]
REASONS: Mapping[Reason, str] = {
    "exchange_unknown": "nobody knows on which exchange the symbol trades, or when that exchange was open",
    "horizon_not_over": "the last session of the horizon has not closed yet",
    "symbol_without_prices": "there are no prices of this symbol in these days",
    "entry_price_missing": "the bar of the first session after the article is missing",
    "exit_price_missing": "the bar of the last session of the horizon is missing",
    "two_sources": "entry and exit come from two sources, which adjust differently",
    "split_suspected": "the price changed its level as after a split, and nobody has said yet what it was (`market show` names the day)",
    "market_unknown": f"prices of a symbol of SENTIMENT_MARKET_SYMBOL, or of {MIN_OTHERS} other symbols of the same exchange, are missing",
}
PENDING: Reason = "horizon_not_over"
PASSING: tuple[Reason, ...] = (PENDING, "split_suspected")
"""Outcomes without a return for such a reason are looked at again, whichever days are asked for."""


class Prices:
    """The bars that were known at a time (aware UTC), and the returns between their opens and closes.

    `asked`: the open questions about splits; no return crosses one.
    """

    def __init__(self, bars: Sequence[Bar], now: datetime, market_symbol: str = "", asked: Sequence[Question] = ()) -> None:
        self._series: dict[str, dict[date, Bar]] = {}
        for bar in bars:
            if bar.available_at <= now:
                self._series.setdefault(bar.symbol, {})[bar.session] = bar
        self._asked: dict[str, list[date]] = {}
        for question in asked:
            self._asked.setdefault(question.symbol, []).append(question.day)
        self._market_symbols = {exchange_of(one): one for one in reversed(symbols(market_symbol).symbols)}
        self._of_exchange: dict[str, list[str]] = {}
        for one in sorted(self._series):
            self._of_exchange.setdefault(exchange_of(one), []).append(one)

    def has(self, symbol: str, session: date) -> bool:
        """Whether there is a bar of that date."""
        return session in self._series.get(symbol, {})

    def held(self, symbol: str, entry: date, exit_: date) -> float | Reason:
        """Return from the open of session `entry` to the close of session `exit_`, or why there is none."""
        series = self._series.get(symbol, {})
        first, last = series.get(entry), series.get(exit_)
        for day in self._asked.get(symbol, ()):
            # From that day on bars are refused until somebody answers: that they are missing has this reason.
            if entry < day <= exit_ or (day <= exit_ and (first is None or last is None)):
                return "split_suspected"
        if not series:
            return "symbol_without_prices"
        if first is None:
            return "entry_price_missing"
        if last is None:
            return "exit_price_missing"
        return last.close / first.open - 1.0 if first.source == last.source else "two_sources"

    def market(self, symbol: str, entry: date, exit_: date) -> tuple[float, str] | None:
        """The market's return over the same sessions and what stood for it; None where it is unknown.

        Only what keeps the same sessions is the market of a symbol: on another exchange the same dates are other hours, and some of them
        lie before the news. Without a market symbol of the exchange it is the equally weighted mean of all its other symbols: a symbol's
        own move is not its market.
        """
        exchange = exchange_of(symbol)
        if of_exchange := self._market_symbols.get(exchange):
            market_return = self.held(of_exchange, entry, exit_)
            return None if isinstance(market_return, str) else (market_return, of_exchange)
        others = [self.held(other, entry, exit_) for other in self._of_exchange.get(exchange, ()) if other != symbol]
        returns = [value for value in others if not isinstance(value, str)]
        return (fmean(returns), f"mean of {len(returns)} others") if len(returns) >= MIN_OTHERS else None


@dataclass(frozen=True, slots=True)
class OutcomesOfDays:
    """The outcomes of a span of days, how many changed, their digest, and how many broke their contract and are in quarantine."""

    records: tuple[OutcomeRecord, ...]
    changed: int
    digest: str
    refused: int


def compute_outcomes(
    articles: Sequence[ArticleTime], prices: Prices, span: tuple[date, date], now: datetime
) -> list[OutcomeRecord]:
    """An outcome for each article, symbol and horizon, or the reason for none; in the order of the articles.

    The entry is the open of the first session of the symbol's exchange that opens after `available_at`: news before the opening is
    traded the same day, news during or after the session the next. The exit is the close of the last session of the horizon, the
    entry's session counted. `span`: the first and last date of a session that is looked at.
    """
    named = {symbol for article in articles for symbol in article.symbols}
    of_exchange = {exchange: trading_days(*span, exchange) for exchange in {exchange_of(symbol) for symbol in named} - {UNKNOWN}}
    days = {symbol: _days(symbol, prices, of_exchange.get(exchange_of(symbol))) for symbol in named}
    return [
        _outcome(article, symbol, horizon, prices, days[symbol], now)
        for article in articles
        for symbol in sorted(set(article.symbols))
        for horizon in HORIZONS
    ]


def _days(symbol: str, prices: Prices, days: TradingDays | None) -> TradingDays | None:
    """When a symbol is traded. At weekends currencies are quoted by some vendors, and then it counts."""
    if days is None or exchange_of(symbol) != CURRENCIES:
        return days
    quoted = tuple(one for one in days.sessions if one.day.weekday() < SATURDAY or prices.has(symbol, one.day))
    return TradingDays(quoted, days.first, days.last)


def _outcome(
    article: ArticleTime, symbol: str, horizon: int, prices: Prices, days: TradingDays | None, now: datetime
) -> OutcomeRecord:
    def none(reason: Reason) -> OutcomeRecord:
        return OutcomeRecord(article_id=article.id, symbol=symbol, horizon_sessions=horizon, rule=OUTCOME_RULE, reason=reason)

    if days is None or not days.knows(article.available_at.date()):
        return none("exchange_unknown")
    sessions = _held_sessions(article, horizon, days)
    if sessions is None:
        return none(PENDING if days.last >= min(now.date(), _last_day(article)) else "exchange_unknown")
    if sessions[1].closes_at > now:
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


def _last_day(article: ArticleTime) -> date:
    """Within which any horizon ends."""
    return (article.available_at + MARGIN).date()


def outcome_label(adjusted_return: float, horizon: int) -> Label:
    """The direction of a market-adjusted return; within the horizon's band it is neutral."""
    band = HORIZONS[horizon]
    return "neutral" if abs(adjusted_return) <= band else "positive" if adjusted_return > 0 else "negative"


def update_outcomes(
    engine: Engine, start: datetime, end: datetime, now: datetime, market_symbol: str = "", *, run_id: str
) -> OutcomesOfDays:
    """Outcomes of the articles published in [start, end), of all that had none for a reason of PASSING, and of some whose
    outcome is of a former rule. `market_symbol`: what stands for the market, at most one symbol an exchange."""
    with engine.connect() as connection:
        articles = articles_with_symbols(connection, start, end, PASSING, rule=OUTCOME_RULE, of_former=RECOMPUTED_AT_ONCE)
        known = [article.available_at for article in articles] or [now]
        span = min(known).date(), max(known).date() + MARGIN
        prices = Prices(bars_between(connection, *span), now, market_symbol, questions_open(connection))
    computed = compute_outcomes(articles, prices, span, now)
    records, broken = judge_outcomes(computed)
    released = {outcome_id(record) for record in records}
    released |= {outcome_id(replace(record, rule=rule)) for record in computed for rule in FORMER_RULES}
    with engine.begin() as connection:
        changed = write_outcomes(connection, records)
        insert_quarantine(connection, [refused_outcome(computed[n], rules, run_id, now) for n, rules in broken.items()])
        waiting = waiting_items(connection, "outcomes", source=None, rule=None, after="", limit=RELEASED_AT_ONCE)
        release(connection, [item.id for item in waiting if item.id in released], now)
    return OutcomesOfDays(tuple(records), changed, sha256(repr(records).encode()).hexdigest(), len(broken))
