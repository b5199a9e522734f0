"""The contract of daily bars: the rules, and which of them a bar breaks."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any

from sentiment_platform.contracts import Contract, in_words
from sentiment_platform.market.bars import RawBar
from sentiment_platform.market.calendar import final_at
from sentiment_platform.market.symbol_exchange import exchange_of

MAX_FACTOR = 2.0
"""A close above this multiple of the one before, or below its inverse, is taken for an unadjusted split or another unit."""
MAX_PAUSE = timedelta(days=7)
"""Closes further apart are not compared."""
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
    "price_does_not_jump": "the close is more than twice or less than half of the one before: unadjusted split, or another unit",
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
    """Every bar is in exactly one of the two, in its original order."""

    accepted: tuple[RawBar, ...]
    refused: tuple[RefusedBar, ...]


def judge_bars(
    bars: Sequence[RawBar], now: datetime, closes_before: Mapping[str, float], *, accept_jumps: bool = False
) -> JudgedBars:
    """Hold `bars` against the contract.

    Args:
        now: aware UTC; a session that closes later is not over.
        closes_before: symbol -> the stored close just before these bars, from which the first of them must not jump.
        accept_jumps: a person has looked, and the moves are real.
    """
    if not bars:
        return JudgedBars((), ())
    jumps = set[int]() if accept_jumps else _after_a_jump(bars, closes_before)
    broken = price_contract().broken(_frame(bars, now, jumps))
    refused = tuple(RefusedBar(bars[index], rules[0], in_words(rules, RULES)) for index, rules in broken.items())
    return JudgedBars(tuple(bar for index, bar in enumerate(bars) if index not in broken), refused)


def _after_a_jump(bars: Sequence[RawBar], closes_before: Mapping[str, float]) -> set[int]:
    """Positions of the bars on another level than those before them.

    Each close is compared with the last one that was on the level: a spike is one bar, a lasting change of level all bars after it.
    """
    comparable = [
        (bar.symbol, bar.session, bar.close, n)
        for n, bar in enumerate(bars)
        if bar.symbol is not None and bar.session is not None and bar.close is not None and bar.close > 0
    ]
    level = dict(closes_before)
    newest: dict[str, date] = {}
    jumped: set[int] = set()
    for symbol, session, close, n in sorted(comparable):
        before = level.get(symbol)
        paused = symbol in newest and session - newest[symbol] > MAX_PAUSE
        newest[symbol] = session
        if before is not None and not paused and not 1 / MAX_FACTOR <= close / before <= MAX_FACTOR:
            jumped.add(n)
        else:
            level[symbol] = close
    return jumped


def _frame(bars: Sequence[RawBar], now: datetime, jumps: set[int]) -> Any:
    import polars as pl

    closes = [final_at(exchange_of(bar.symbol or ""), bar.session) if bar.session else None for bar in bars]
    said: dict[tuple[str | None, date | None], set[tuple[float | None, ...]]] = defaultdict(set)
    for bar in bars:
        said[bar.symbol, bar.session].add((bar.open, bar.high, bar.low, bar.close))
    values: dict[str, Any] = {name: [getattr(bar, name) for bar in bars] for name in ("symbol", "session", *_NUMBERS)}
    values["closes_at"] = closes
    values["now"] = [now] * len(bars)
    values["words"] = [len(said[bar.symbol, bar.session]) for bar in bars]
    values["jumps"] = [n in jumps for n in range(len(bars))]
    return pl.DataFrame(values, schema=_columns())


_NUMBERS = ("open", "high", "low", "close", "volume")


def _columns() -> dict[str, Any]:
    import polars as pl

    instant = pl.Datetime("us", "UTC")
    numbers = dict.fromkeys(_NUMBERS, pl.Float64())
    others = {"closes_at": instant, "now": instant, "words": pl.Int64(), "jumps": pl.Boolean()}
    return {"symbol": pl.String(), "session": pl.Date(), **numbers, **others}


@cache
def price_contract() -> Contract:
    """The contract of daily bars."""
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
        "price_does_not_jump": ~pl.col("jumps"),
    }
    return Contract("PriceContract", _columns(), holds)
