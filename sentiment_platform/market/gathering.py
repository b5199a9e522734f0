"""What bars of a source must be judged with: those that wait for an answer, what is stored, and what people said of splits.

Bars that their source did not adjust to a split that a person named are brought to its level here, so that a file may come again.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from math import log
from statistics import median

from sqlalchemy import Connection

from sentiment_platform.market.bars import RawBar, read_bar
from sentiment_platform.market.levels import LONGEST_PAUSE, LevelDay
from sentiment_platform.market.ratios import parse_ratio
from sentiment_platform.market.series import KnownSeries, level_day
from sentiment_platform.store.market import bars_between, lock_prices
from sentiment_platform.store.quarantine import Boundary
from sentiment_platform.store.splits import READ_AS, Answer, answers, questions_open, waiting_bars, write_answer

BOUNDARY: Boundary = "market_prices"


@dataclass(frozen=True, slots=True)
class GatheredBars:
    """Bars of one source with all that they must be judged with.

    `bars` are those given, at the level of the named splits, then those that waited for an answer and that no given one replaces;
    `waiting`: (symbol, session) -> ids in quarantine; `known`: symbol -> what is stored and answered.
    """

    bars: tuple[RawBar, ...]
    waiting: Mapping[tuple[str, date], Sequence[str]]
    known: Mapping[str, KnownSeries]


def gather(connection: Connection, bars: Sequence[RawBar], source: str, symbols: Collection[str] = ()) -> GatheredBars:
    """What `bars`, and those of `symbols` that wait, are judged with. Prices are locked until the transaction ends."""
    lock_prices(connection)
    concerned = sorted({bar.symbol for bar in bars if bar.symbol} | set(symbols))
    given = {(bar.symbol, bar.session) for bar in bars}
    waiting: dict[tuple[str, date], list[str]] = defaultdict(list)
    held: dict[tuple[str, date], RawBar] = {}
    for row_id, row_source, payload in waiting_bars(connection, BOUNDARY, concerned):
        bar = read_bar(payload[READ_AS], {name: cell for name, cell in payload.items() if name != READ_AS})
        if row_source == source and bar.symbol and bar.session:
            waiting[bar.symbol, bar.session].append(row_id)
            held[bar.symbol, bar.session] = bar
    together = [*bars, *(bar for name, bar in held.items() if name not in given)]
    days = [bar.session for bar in together if bar.session]
    days += [one.day for one in questions_open(connection, concerned) if one.source == source]
    stored: dict[str, dict[date, LevelDay]] = {symbol: {} for symbol in concerned}
    if days or symbols:
        first = date.min if symbols else min(days) - LONGEST_PAUSE
        for bar in bars_between(connection, first, date.max, concerned):
            if bar.source == source:
                stored[bar.symbol][bar.session] = level_day(bar)
    said: dict[str, list[Answer]] = defaultdict(list)
    for answer in answers(connection, concerned):
        said[answer.symbol].append(answer)
    for symbol in said:
        together = _on_named_levels(connection, together, stored[symbol], said[symbol], source)
    known = {
        symbol: KnownSeries(
            stored[symbol],
            frozenset(one.day for one in said[symbol] if one.ratio is None),
            {one.day: parse_ratio(one.ratio).factor for one in said[symbol] if one.ratio is not None},
        )
        for symbol in concerned
    }
    return GatheredBars(tuple(together), waiting, known)


def _on_named_levels(
    connection: Connection, bars: Sequence[RawBar], stored: Mapping[date, LevelDay], said: Sequence[Answer], source: str
) -> list[RawBar]:
    """Bars of before a named split that their source did not adjust, adjusted; the newest split first."""
    adjusted = list(bars)
    named = [one for one in said if one.ratio is not None]
    for position, answer in reversed(list(enumerate(named))):
        symbol, ratio = answer.symbol, parse_ratio(answer.ratio or "")
        since = named[position - 1].day if position else date.min
        days = {one.session: one for bar in adjusted if bar.symbol == symbol and (one := sound_day(bar)) is not None}
        if _is_unadjusted(days, stored, since, answer.day, log(ratio.factor)):
            adjusted = [
                _scaled(bar, ratio.factor) if bar.symbol == symbol and bar.session and bar.session < answer.day else bar
                for bar in adjusted
            ]
            if source not in answer.sources:
                write_answer(connection, replace(answer, sources=(*answer.sources, source)))
    return adjusted


def sound_day(bar: RawBar) -> LevelDay | None:
    """The bar as far as levels go; None where its day or a price is missing or no price."""
    prices = (bar.open, bar.high, bar.low, bar.close)
    return level_day(bar) if bar.session and all(price is not None and price > 0 for price in prices) else None


def _is_unadjusted(days: Mapping[date, LevelDay], stored: Mapping[date, LevelDay], since: date, day: date, factor: float) -> bool:
    """Whether given days before the split of `day` are on its old level; `factor` is the logarithm of new shares for one old.

    Days that are stored tell it best; else the nearest days on either side, given or stored.
    """
    before = [session for session in days if since <= session < day] or [session for session in days if session < day]
    if not before:
        return False
    quotients = [log(days[session].close / stored[session].close) for session in before if session in stored]
    if not quotients:
        last = days[max(before)]
        others = dict(stored) | {session: one for session, one in days.items() if session >= day}
        after = min((session for session in others if last.session < session <= last.session + LONGEST_PAUSE), default=None)
        if after is None:
            return False
        quotients = [log(last.close / others[after].open)]
    return abs(median(quotients) - factor) < abs(median(quotients))


def _scaled(bar: RawBar, factor: float) -> RawBar:
    def price(value: float | None) -> float | None:
        return None if value is None else value / factor

    volume = None if bar.volume is None else bar.volume * factor
    return replace(bar, open=price(bar.open), high=price(bar.high), low=price(bar.low), close=price(bar.close), volume=volume)
