"""The series that bars make together with what is stored of their symbols: which of them are on another level, and what is asked.

What a change of level is stands in `market.levels`; where the known days come from, in `market.splits`.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from math import exp, log
from typing import cast

from sentiment_platform.market.bars import RawBar
from sentiment_platform.market.calendar import final_at
from sentiment_platform.market.levels import Change, LevelDay, day_of_question, levels_of
from sentiment_platform.market.ratios import nearest_ratio
from sentiment_platform.market.symbol_exchange import exchange_of
from sentiment_platform.store.market import Bar
from sentiment_platform.store.splits import Question


@dataclass(frozen=True, slots=True)
class KnownSeries:
    """What is known of a symbol: its stored days, the days whose move a person called real, and the splits that one named.

    `named`: day -> new shares for one old.
    """

    stored: Mapping[date, LevelDay] = field(default_factory=dict[date, LevelDay])
    real: frozenset[date] = frozenset()
    named: Mapping[date, float] = field(default_factory=dict[date, float])


class SeriesWalk:
    """The series that bars make together with what is known, walked through symbol by symbol; `off`: position -> the question."""

    def __init__(
        self,
        bars: Sequence[RawBar],
        broken: Collection[int],
        closes_before: Mapping[str, float],
        known: Mapping[str, KnownSeries],
        source: str,
    ) -> None:
        self.off: dict[int, str] = {}
        self.questions: list[Question] = []
        self.news: list[str] = []
        self.accepted: list[tuple[str, date]] = []
        self._known, self._source, self._closes_before = known, source, closes_before
        self._positions: dict[str, dict[date, list[int]]] = {symbol: {} for symbol in known}
        self._given: dict[str, dict[date, LevelDay]] = defaultdict(dict)
        for n, bar in enumerate(bars):
            if n not in broken:
                symbol, day = cast(str, bar.symbol), level_day(bar)
                self._positions.setdefault(symbol, {}).setdefault(day.session, []).append(n)
                self._given[symbol][day.session] = day

    def walk(self, *, accept: bool) -> None:
        """Look at every symbol; with `accept` each move is real."""
        for symbol, positions in sorted(self._positions.items()):
            known, given = self._known.get(symbol, KnownSeries()), self._given[symbol]
            days = dict(known.stored) | given
            if not known.stored and (close := self._closes_before.get(symbol)) and given:
                session = min(given) - timedelta(days=1)
                days[session] = LevelDay(session=session, open=close, high=close, low=close, close=close)
            series = [days[session] for session in sorted(days)]
            levels = levels_of(series, known.real, known.named, accept=accept)
            self.news += [
                f"{symbol} {one.day}: {one.before:.6g} to {one.after:.6g}, {nearest_ratio(one.shift)}" for one in levels.news
            ]
            if accept:
                self.accepted += [(symbol, one.day) for one in levels.changes]
                continue
            asked = [self._question(symbol, one, given, known) for one in levels.changes]
            self.questions += asked
            for session in levels.off & positions.keys():
                question = asked[max(0, sum(one.day <= session for one in levels.changes) - 1)]
                self.off |= dict.fromkeys(positions[session], question.words)

    def _question(self, symbol: str, change: Change, given: Mapping[date, LevelDay], known: KnownSeries) -> Question:
        day, before, after = change.day, change.before, change.after
        if day in given and (moved := day_of_question(change, given, known.stored)) != day:
            day, before = moved, max((s, one.close) for s, one in known.stored.items() if s < moved)[1]
            after = given[day].open if day in given else before * exp(change.shift)
        return Question(
            symbol=symbol,
            source=self._source,
            day=day,
            # Another ratio takes the place of the named one.
            ratio=str(nearest_ratio(change.shift - log(known.named.get(day, 1.0)))),
            before=before,
            after=after,
            closes_at=final_at(exchange_of(symbol), day) or datetime.combine(day, time.max, UTC),
        )


def level_day(bar: RawBar | Bar) -> LevelDay:
    """A sound bar as far as levels go."""
    return LevelDay(
        session=cast(date, bar.session),
        open=cast(float, bar.open),
        high=cast(float, bar.high),
        low=cast(float, bar.low),
        close=cast(float, bar.close),
        volume=bar.volume,
    )
