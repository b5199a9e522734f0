"""Context of an article at the moment it became available: who else carried the story, how busy its tickers and its outlet were.

Point-in-time: only articles that were available strictly before (or, for the story, at the same moment) count, so a vector
recomputed years later is the vector that could have been served then. Input must reach `LOOKBACK` before the first article asked for.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta

from sentiment_platform.features.compute import FeatureContext
from sentiment_platform.store.news import Article

TICKER_WINDOW = timedelta(days=1)
SOURCE_WINDOW = timedelta(days=7)
LOOKBACK = SOURCE_WINDOW


def outlet_of(article: Article) -> str:
    """The outlet that carried it, or the source it was fetched from."""
    return article.outlet or article.source


class ArticleHistory:
    """Sorted arrival times by ticker, outlet and story; answers each question by binary search."""

    def __init__(self, articles: Sequence[Article]) -> None:
        self._tickers: dict[str, list[datetime]] = defaultdict(list)
        self._outlets: dict[str, list[datetime]] = defaultdict(list)
        stories: dict[str, dict[str, datetime]] = defaultdict(dict)
        for article in sorted(articles, key=lambda a: (a.available_at, a.id)):
            for ticker in article.tickers:
                self._tickers[ticker].append(article.available_at)
            self._outlets[outlet_of(article)].append(article.available_at)
            stories[article.story_id].setdefault(outlet_of(article), article.available_at)
        self._story_outlets = {story: sorted(first.values()) for story, first in stories.items()}

    def context(self, article: Article) -> FeatureContext:
        """The context of one of the articles, as of its `available_at`."""
        at = article.available_at
        story = self._story_outlets.get(article.story_id, [])
        return FeatureContext(
            published_at=article.published_at,
            story_outlets=float(max(1, sum(first <= at for first in story))),
            ticker_articles_1d=max((self.ticker_articles(t, at) for t in article.tickers), default=None),
            source_articles_7d=self.source_articles(outlet_of(article), at),
        )

    def ticker_articles(self, ticker: str, at: datetime) -> float:
        """Articles naming `ticker` in the 24 hours before `at`."""
        return _between(self._tickers.get(ticker, []), at - TICKER_WINDOW, at)

    def source_articles(self, outlet: str, at: datetime) -> float:
        """Articles of `outlet` in the 7 days before `at`."""
        return _between(self._outlets.get(outlet, []), at - SOURCE_WINDOW, at)

    def tickers(self) -> list[str]:
        """Every ticker seen."""
        return sorted(self._tickers)

    def outlets(self) -> list[str]:
        """Every outlet seen."""
        return sorted(self._outlets)


def _between(times: list[datetime], start: datetime, end: datetime) -> float:
    return float(bisect_left(times, end) - bisect_left(times, start))
