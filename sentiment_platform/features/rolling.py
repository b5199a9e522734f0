"""The context that schema v2 adds: tone and volume on a ticker, how far an outlet can be relied on, prices. Point-in-time like v1's.

Seven days are weighed by age (half-life one day) because that says more: on the news of seven large companies it correlates 0.18
with the tone of the next headline on the same ticker, the plain mean of the same days 0.15, and within one ticker 0.07 against 0.02.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from math import fsum, log, log1p, sqrt
from typing import ClassVar, Protocol

from sentiment_platform.entities import outlet_name
from sentiment_platform.features.compute import stock_engine
from sentiment_platform.features.context import ArticleHistory, ContextValues, between, outlet_of
from sentiment_platform.features.schema import LARGEST_RETURN
from sentiment_platform.store.articles import Article
from sentiment_platform.text.normalise import normalise

DAY = timedelta(days=1)
WEEK = timedelta(days=7)
COPY_WINDOW = timedelta(days=3)
"""An article is a copy if another outlet carried its story this shortly before."""
PRICE_LOOKBACK = timedelta(days=45)
"""Calendar days that hold 21 sessions, holidays included."""
OLDEST_CLOSE = timedelta(days=7)
"""A last close older than this says nothing about now: the symbol is no longer quoted, or its prices are not fetched."""
VOLATILITY_SESSIONS = 20


class Close(Protocol):
    """What is asked of a daily bar; `store.market.Bar` is one."""

    @property
    def symbol(self) -> str: ...
    @property
    def close(self) -> float: ...
    @property
    def available_at(self) -> datetime: ...


class OpenQuestion(Protocol):
    """What is asked of a suspected split that nobody answered; `store.splits.Question` is one."""

    @property
    def symbol(self) -> str: ...
    @property
    def closes_at(self) -> datetime: ...


class RollingHistory(ArticleHistory):
    """v1's history, and beside it compounds, copies, refusals and closes.

    Args:
        refused: (outlet, time) of each item that the contract refused.
        closes: daily closes that reach `PRICE_LOOKBACK` before the first moment asked about.
        asked: suspected splits; closes from before one say nothing once its session is over.
    """

    lookback: ClassVar[timedelta] = WEEK + COPY_WINDOW

    def __init__(
        self,
        articles: Sequence[Article],
        refused: Sequence[tuple[str, datetime]] = (),
        closes: Sequence[Close] = (),
        asked: Sequence[OpenQuestion] = (),
    ) -> None:
        super().__init__(articles)
        self._compounds: dict[str, list[float]] = defaultdict(list)
        self._copies: dict[str, list[datetime]] = defaultdict(list)
        self._refused: dict[str, list[datetime]] = defaultdict(list)
        self._closes: dict[str, list[tuple[datetime, float]]] = defaultdict(list)
        carried: dict[str, dict[str, datetime]] = defaultdict(dict)
        for article in sorted(articles, key=lambda a: (a.available_at, a.id)):
            if article.tickers:
                compound = stock_engine().score(normalise(article.title)).compound
                for ticker in article.tickers:
                    self._compounds[ticker].append(compound)
            at, outlet = article.available_at, outlet_of(article)
            last = carried[article.story_id]
            if any(other != outlet and at - COPY_WINDOW <= time < at for other, time in last.items()):
                self._copies[outlet].append(at)
            last[outlet] = at
        for outlet, at in sorted(refused, key=lambda item: item[1]):
            self._refused[outlet_name(outlet)].append(at)
        for bar in sorted(closes, key=lambda bar: bar.available_at):
            self._closes[bar.symbol].append((bar.available_at, bar.close))
        self._asked: dict[str, list[datetime]] = defaultdict(list)
        for question in asked:
            self._asked[question.symbol].append(question.closes_at)

    def ticker_values(self, ticker: str, at: datetime) -> ContextValues:
        """v1's, and tone, surprise, returns and volatility."""
        times, compounds = self._tickers.get(ticker, []), self._compounds.get(ticker, [])
        week, day, end = (bisect_left(times, moment) for moment in (at - WEEK, at - DAY, at))
        # Ages count from the newest headline: what is known then does not change while nothing arrives.
        weights = [0.5 ** ((times[end - 1] - time) / DAY) for time in times[week:end]]
        usual = between(times, at - DAY - WEEK, at - DAY) / 7
        return {
            **super().ticker_values(ticker, at),
            "ticker_sentiment_1d": fsum(compounds[day:end]) / (end - day) if end > day else None,
            "ticker_sentiment_7d": _weighted(compounds[week:end], weights) if end > week else None,
            "ticker_volume_surprise": log1p(end - day) - log1p(usual),
            **self._market(ticker, at),
        }

    def source_values(self, outlet: str, at: datetime) -> ContextValues:
        """v1's, and reliability: (articles less copies) / (articles and refused items), of the 7 days before; None without any."""
        outlet = outlet_name(outlet)
        values = super().source_values(outlet, at)
        articles = self.source_articles(outlet, at)
        items = articles + between(self._refused.get(outlet, []), at - WEEK, at)
        copies = between(self._copies.get(outlet, []), at - WEEK, at)
        return {**values, "source_reliability": (articles - copies) / items if items else None}

    def _market(self, ticker: str, at: datetime) -> ContextValues:
        known = self._closes.get(ticker, [])
        end = bisect_right(known, at, key=lambda close: close[0])
        since = max([at - PRICE_LOOKBACK, *(over for over in self._asked.get(ticker, ()) if over <= at)])
        start = bisect_left(known, since, key=lambda close: close[0])
        closes = [close for _, close in known[start:end]]
        if not closes or at - known[end - 1][0] > OLDEST_CLOSE:
            closes = []
        returns = [log(after / before) for before, after in pairwise(closes)][-VOLATILITY_SESSIONS:]
        return {
            "ticker_return_1d": _return(closes, 1),
            "ticker_return_5d": _return(closes, 5),
            "ticker_volatility_20d": _deviation(returns) if len(returns) == VOLATILITY_SESSIONS else None,
        }


def _return(closes: Sequence[float], sessions: int) -> float | None:
    """Of the last so many sessions; None where closes do not reach back, or differ by more than the schema takes for a return."""
    if len(closes) <= sessions:
        return None
    change = closes[-1] / closes[-1 - sessions] - 1
    return change if change <= LARGEST_RETURN else None


def _weighted(values: Sequence[float], weights: Sequence[float]) -> float:
    # Rounding must not lead out of the schema's range.
    mean = fsum(value * weight for value, weight in zip(values, weights, strict=True)) / fsum(weights)
    return max(-1.0, min(1.0, mean))


def _deviation(values: Sequence[float]) -> float:
    mean = fsum(values) / len(values)
    return sqrt(fsum((value - mean) ** 2 for value in values) / (len(values) - 1))
