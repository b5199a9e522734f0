"""Context of an article at the moment it became available, as schema v1 asks for it: who else carried the story, how busy its
tickers and its outlet were.

Point-in-time: only articles that were available strictly before (or, for the story, at the same moment) count, so a vector
recomputed years later is the vector that could have been served then. Input must reach `lookback` before the first moment asked
about; what lies further back never counts, so it does not matter how much further the input reaches.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import ClassVar

from sentiment_platform.entities import outlet_name
from sentiment_platform.features.compute import FeatureContext
from sentiment_platform.store.articles import Article

TICKER_WINDOW = timedelta(days=1)
SOURCE_WINDOW = timedelta(days=7)
STORY_WINDOW = timedelta(days=7)
ContextValues = dict[str, float | None]


def outlet_of(article: Article) -> str:
    """The one spelling of the outlet that carried it, or of the source it was fetched from."""
    return outlet_name(article.outlet or article.source)


class ArticleHistory:
    """Sorted arrival times by ticker, outlet and story; answers each question by binary search."""

    lookback: ClassVar[timedelta] = SOURCE_WINDOW

    def __init__(self, articles: Sequence[Article]) -> None:
        self._tickers: dict[str, list[datetime]] = defaultdict(list)
        self._outlets: dict[str, list[datetime]] = defaultdict(list)
        self._stories: dict[str, tuple[list[datetime], list[str]]] = {}
        for article in sorted(articles, key=lambda a: (a.available_at, a.id)):
            at, outlet = article.available_at, outlet_of(article)
            for ticker in article.tickers:
                self._tickers[ticker].append(at)
            self._outlets[outlet].append(at)
            times, outlets = self._stories.setdefault(article.story_id, ([], []))
            times.append(at)
            outlets.append(outlet)

    def context(self, article: Article) -> FeatureContext:
        """The context of one of the articles, as of its `available_at`; its ticker is the busiest of those that it names."""
        at = article.available_at
        values = {"story_outlets": self.story_outlets(article.story_id, at), **self.source_values(outlet_of(article), at)}
        if article.tickers:
            values |= self.ticker_values(self._busiest(article.tickers, at), at)
        return FeatureContext(published_at=article.published_at, day_only=article.day_only, **values)

    def story_outlets(self, story: str, at: datetime) -> float:
        """Outlets that carried the story in the 7 days up to `at`, at least 1."""
        times, outlets = self._stories.get(story, ([], []))
        if len(times) == 1:
            return 1.0
        return float(max(1, len(set(outlets[bisect_left(times, at - STORY_WINDOW) : bisect_right(times, at)]))))

    def ticker_values(self, ticker: str, at: datetime) -> ContextValues:
        """What is known of a ticker at `at`, by feature name."""
        return {"ticker_articles_1d": self.ticker_articles(ticker, at)}

    def source_values(self, outlet: str, at: datetime) -> ContextValues:
        """What is known of an outlet at `at`, by feature name."""
        return {"source_articles_7d": self.source_articles(outlet, at)}

    def ticker_articles(self, ticker: str, at: datetime) -> float:
        """Articles naming `ticker` in the 24 hours before `at`."""
        return between(self._tickers.get(ticker, []), at - TICKER_WINDOW, at)

    def source_articles(self, outlet: str, at: datetime) -> float:
        """Articles of `outlet` in the 7 days before `at`."""
        return between(self._outlets.get(outlet_name(outlet), []), at - SOURCE_WINDOW, at)

    def tickers(self) -> list[str]:
        """Every ticker seen."""
        return sorted(self._tickers)

    def outlets(self) -> list[str]:
        """Every outlet seen."""
        return sorted(self._outlets)

    def _busiest(self, tickers: Sequence[str], at: datetime) -> str:
        return tickers[0] if len(tickers) == 1 else min(tickers, key=lambda ticker: (-self.ticker_articles(ticker, at), ticker))


def between(times: Sequence[datetime], start: datetime, end: datetime) -> float:
    """How many of the ascending `times` lie in [start, end)."""
    return float(bisect_left(times, end) - bisect_left(times, start))
