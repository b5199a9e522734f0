"""What people answer about splits: stored bars are adjusted as revisions, a wrong word is taken back, everything is in the audit trail.

Whether a change of level is asked about at all is `market.levels`. Storing the bars that waited for the answer is `market.prices`.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from math import log

from sqlalchemy import Connection

from sentiment_platform.market.bars import read_bar
from sentiment_platform.market.errors import SplitError
from sentiment_platform.market.gathering import BOUNDARY, sound_day
from sentiment_platform.market.levels import LONGEST_PAUSE, LevelDay
from sentiment_platform.market.ratios import Ratio, parse_ratio
from sentiment_platform.market.series import level_day
from sentiment_platform.store.audit import record
from sentiment_platform.store.market import Bar, bars_between, lock_prices, write_bars
from sentiment_platform.store.splits import (
    READ_AS,
    Answer,
    answers,
    delete_answer,
    waiting_bars,
    write_answer,
)

REAL = "real"


def answer_split(
    connection: Connection, symbol: str, day: date, ratio: Ratio | None, *, by: str, run_id: str, now: datetime
) -> int:
    """A person says: on `day` there was a split, or, with None, the move of that day is real. Returns how many stored bars it revised.

    Said again it changes nothing; another ratio for the same day takes the place of the former one.

    Raises:
        SplitError: the prices on either side of `day` are on one level already.
    """
    lock_prices(connection)
    former = _answer_of(connection, symbol, day)
    word = None if ratio is None else str(ratio)
    if former is not None and former.ratio == word:
        return 0
    series = _series_around(connection, symbol, day)
    before = 1.0 if former is None or former.ratio is None else parse_ratio(former.ratio).factor
    wanted = 1.0 if ratio is None else ratio.factor
    adjusted = set(former.sources) if former is not None else set[str]()
    factors = dict.fromkeys(adjusted, wanted / before)
    if ratio is not None:
        fresh = [source for source in series if source not in adjusted]
        unadjusted = [source for source in fresh if _crosses(series[source], day, log(wanted))]
        if fresh and not unadjusted and not adjusted:
            raise SplitError(
                f"The stored prices of {symbol} are on one level before and after {day}: nothing was adjusted.",
                remedy="Look at the day and the ratio; `sentiment-platform market show` names the days that are asked about.",
            )
        factors |= dict.fromkeys(unadjusted, wanted)
    revised = _adjust(connection, symbol, day, factors, run_id, now)
    sources = tuple(sorted(factors)) if ratio is not None else ()
    write_answer(
        connection,
        Answer(symbol=symbol, day=day, ratio=word, sources=sources, answered_by=by, answered_at=now),
    )
    detail = {"day": day.isoformat(), "said": word or REAL, "before": _said(former), "bars": revised}
    record(connection, at=now, actor=by, action="market:split" if ratio else "market:real_move", subject=symbol, detail=detail)
    return revised


def take_back(connection: Connection, symbol: str, day: date, *, by: str, run_id: str, now: datetime) -> int:
    """Nothing is said of `day` any more; bars that were adjusted to it are as they were. Returns how many it revised.

    Raises:
        SplitError: nothing was said of that day.
    """
    lock_prices(connection)
    former = _answer_of(connection, symbol, day)
    if former is None:
        raise SplitError(
            f"Nobody said anything of {symbol} on {day}.", remedy="`sentiment-platform market show` names what was said."
        )
    revised = 0
    if former.ratio is not None:
        factor = 1 / parse_ratio(former.ratio).factor
        revised = _adjust(connection, symbol, day, dict.fromkeys(former.sources, factor), run_id, now)
    delete_answer(connection, symbol, day)
    detail = {"day": day.isoformat(), "before": _said(former), "bars": revised}
    record(connection, at=now, actor=by, action="market:take_back", subject=symbol, detail=detail)
    return revised


def accept_moves(connection: Connection, moves: Collection[tuple[str, date]], *, by: str, now: datetime) -> None:
    """A person called these moves (symbol, day) real, all at once; where something was said already, that stands."""
    said = {(one.symbol, one.day) for one in answers(connection, {symbol for symbol, _ in moves})}
    for symbol, day in sorted(set(moves) - said):
        answer = Answer(symbol=symbol, day=day, ratio=None, sources=(), answered_by=by, answered_at=now)
        write_answer(connection, answer)
        detail = {"day": day.isoformat(), "said": REAL, "before": None, "bars": 0}
        record(connection, at=now, actor=by, action="market:real_move", subject=symbol, detail=detail)


def _answer_of(connection: Connection, symbol: str, day: date) -> Answer | None:
    return next((one for one in answers(connection, [symbol]) if one.day == day), None)


def _said(answer: Answer | None) -> str | None:
    return None if answer is None else answer.ratio or REAL


def _series_around(connection: Connection, symbol: str, day: date) -> Mapping[str, Sequence[LevelDay]]:
    """Source -> its days around `day`, stored or waiting, in order; sources with a stored day before it alone."""
    series: dict[str, dict[date, LevelDay]] = defaultdict(dict)
    for _, source, payload in waiting_bars(connection, BOUNDARY, [symbol]):
        if (one := sound_day(read_bar(payload[READ_AS], {}))) is not None and one.session >= day:
            series[source][one.session] = one
    sources: set[str] = set()
    for bar in bars_between(connection, date.min, date.max, [symbol]):
        series[bar.source][bar.session] = level_day(bar)
        sources |= {bar.source} if bar.session < day else set()
    return {source: [days[session] for session in sorted(days)] for source, days in series.items() if source in sources}


def _crosses(days: Sequence[LevelDay], day: date, factor: float) -> bool:
    """Whether the days before `day` fit better to those from it on once they are adjusted; nothing after it speaks against that."""
    before = [one for one in days if one.session < day]
    after = [one for one in days if one.session >= day]
    if not after or after[0].session - before[-1].session > LONGEST_PAUSE:
        return True
    quotient = log(before[-1].close / after[0].open)
    return abs(quotient - factor) < abs(quotient)


def _adjust(connection: Connection, symbol: str, day: date, factors: Mapping[str, float], run_id: str, now: datetime) -> int:
    """Stored bars before `day`, divided by the factor of their source, as revisions; how many."""
    stored = [
        bar for bar in bars_between(connection, date.min, date.max, [symbol]) if bar.session < day and bar.source in factors
    ]
    return write_bars(connection, [_divided(bar, factors[bar.source], run_id, now) for bar in stored]).revised


def _divided(bar: Bar, factor: float, run_id: str, now: datetime) -> Bar:
    return replace(
        bar,
        open=bar.open / factor,
        high=bar.high / factor,
        low=bar.low / factor,
        close=bar.close / factor,
        volume=None if bar.volume is None else round(bar.volume * factor),
        fetched_at=now,
        run_id=run_id,
    )
