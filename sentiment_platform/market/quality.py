"""The contract of daily bars: the rules, and which of them a bar breaks."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any

from sentiment_platform.contracts import Contract, in_words
from sentiment_platform.market.bars import RawBar
from sentiment_platform.market.calendar import final_at
from sentiment_platform.market.series import KnownSeries, SeriesWalk
from sentiment_platform.market.symbol_exchange import exchange_of
from sentiment_platform.store.splits import RULE, Question

ROUNDING = 1e-6
"""Relative slack between open or close and the day's range: adjusted prices are products of rounded numbers."""

RULES: Mapping[str, str] = {
    "symbol_is_present": "there is no symbol",
    "session_is_a_date": (
        "the day is missing or cannot be read: a number or a time must be midnight in UTC, or midnight or the opening at the symbol's"
        " exchange; state its clock with --zone, or `zone` of the source"
    ),
    "session_is_a_trading_day": "the symbol's exchange is closed on that day: a weekend or a holiday",
    "session_is_over": "the session has not closed yet at the symbol's exchange, so its bar is not final",
    "prices_are_present": "open, high, low or close is missing or no number",
    "prices_are_positive": "a price is zero or negative",
    "high_is_the_highest": "high is below open, low or close",
    "low_is_the_lowest": "low is above open, high or close",
    "volume_is_not_negative": "the volume is negative",
    "session_has_one_bar": "the same day stands there twice with different prices",
    RULE: "the price is on another level than before: as after a split, or in another unit",
}
"""Name of each rule -> what is wrong where it is broken; a bar is filed under the first that it breaks."""


@dataclass(frozen=True, slots=True)
class RefusedBar:
    """A bar that broke the contract: the first rule in the order of RULES, and all of them in words."""

    bar: RawBar
    rule: str
    detail: str

    @property
    def row(self) -> str:
        """The row as it came, in one line."""
        return ", ".join(f"{name}={cell}" for name, cell in self.bar.payload.items())


@dataclass(frozen=True, slots=True)
class JudgedBars:
    """Every bar is in exactly one of the first two, in its original order.

    `questions`: the changes of level that nobody answered; `news`: those that the volume tells to be real, in words;
    `accepted_moves`: (symbol, day) of those that `accept_jumps` accepted.
    """

    accepted: tuple[RawBar, ...]
    refused: tuple[RefusedBar, ...]
    questions: tuple[Question, ...] = ()
    news: tuple[str, ...] = ()
    accepted_moves: tuple[tuple[str, date], ...] = ()


def judge_bars(
    bars: Sequence[RawBar],
    now: datetime,
    closes_before: Mapping[str, float],
    *,
    accept_jumps: bool = False,
    known: Mapping[str, KnownSeries] | None = None,
    source: str = "",
) -> JudgedBars:
    """Hold `bars` of one source against the contract.

    Args:
        now: aware UTC; a session that closes later is not over.
        closes_before: symbol -> the close just before these bars, where nothing else of its series is `known`.
        accept_jumps: a person has looked, and the moves are real.
        known: symbol -> what is stored and answered, among which these bars take their places.
    """
    if not bars and not known:
        return JudgedBars((), ())
    broken = price_contract().broken(_frame(bars, now)) if bars else {}
    levels = SeriesWalk(bars, broken.keys(), closes_before, known or {}, source)
    levels.walk(accept=accept_jumps)
    for n in levels.off:
        broken[n] = [RULE]
    refused = tuple(
        RefusedBar(bars[n], rules[0], levels.off.get(n) or in_words(rules, RULES)) for n, rules in sorted(broken.items())
    )
    accepted = tuple(bar for n, bar in enumerate(bars) if n not in broken)
    return JudgedBars(accepted, refused, tuple(levels.questions), tuple(levels.news), tuple(levels.accepted))


def _frame(bars: Sequence[RawBar], now: datetime) -> Any:
    import polars as pl

    closes = [final_at(exchange_of(bar.symbol or ""), bar.session) if bar.session else None for bar in bars]
    said: dict[tuple[str | None, date | None], set[tuple[float | None, ...]]] = defaultdict(set)
    for bar in bars:
        said[bar.symbol, bar.session].add((bar.open, bar.high, bar.low, bar.close))
    values: dict[str, Any] = {name: [getattr(bar, name) for bar in bars] for name in ("symbol", "session", *_NUMBERS)}
    values["closes_at"] = closes
    values["now"] = [now] * len(bars)
    values["words"] = [len(said[bar.symbol, bar.session]) for bar in bars]
    return pl.DataFrame(values, schema=_columns())


_NUMBERS = ("open", "high", "low", "close", "volume")


def _columns() -> dict[str, Any]:
    import polars as pl

    instant = pl.Datetime("us", "UTC")
    numbers = dict.fromkeys(_NUMBERS, pl.Float64())
    others = {"closes_at": instant, "now": instant, "words": pl.Int64()}
    return {"symbol": pl.String(), "session": pl.Date(), **numbers, **others}


@cache
def price_contract() -> Contract:
    """The contract of a single bar; whether a series changes its level is looked at after it."""
    import polars as pl

    opened, high, low, close = (pl.col(name) for name in ("open", "high", "low", "close"))
    known, over = pl.col("session").is_not_null(), pl.col("closes_at")
    highest = pl.max_horizontal(opened, low, close)
    lowest = pl.min_horizontal(opened, high, close)
    holds: dict[str, pl.Expr] = {
        "symbol_is_present": pl.col("symbol").is_not_null(),
        "session_is_a_date": known,
        "session_is_a_trading_day": ~known | over.is_not_null(),
        "session_is_over": over <= pl.col("now"),
        "prices_are_present": pl.all_horizontal(price.is_not_null() for price in (opened, high, low, close)),
        "prices_are_positive": pl.all_horizontal((price > 0).fill_null(True) for price in (opened, high, low, close)),
        "high_is_the_highest": high * (1 + ROUNDING) >= highest,
        "low_is_the_lowest": low * (1 - ROUNDING) <= lowest,
        "volume_is_not_negative": pl.col("volume") >= 0,
        "session_has_one_bar": ~known | (pl.col("words") == 1),
    }
    return Contract("PriceContract", _columns(), holds)
