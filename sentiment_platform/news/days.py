"""What one run does for its days: collect live where the days are current, cluster stories, and say what is there now.

Plain functions behind the two assets; a window is [start, end) in aware UTC, one or more whole days.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from hashlib import sha256

from sqlalchemy import Engine

from sentiment_platform.news.collect import collect_feeds
from sentiment_platform.news.http import FetchLimits, user_agent
from sentiment_platform.news.identity import STORY_WINDOW, cluster_stories
from sentiment_platform.news.sources import feed_sources
from sentiment_platform.settings import Settings
from sentiment_platform.store.news import (
    Article,
    CollectionReport,
    article_ids,
    articles_between,
    days_without_stories,
    stored_by_day,
    stored_by_source,
    story_candidates,
)
from sentiment_platform.store.news_writes import write_stories

_DAY = timedelta(days=1)
_CHUNK = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class CollectedDays:
    """Reports of the feeds (none for past days), articles of the days by source, what went to other days, a digest of the ids."""

    reports: tuple[CollectionReport, ...]
    by_source: dict[str, int]
    other_days: dict[date, int]
    digest: str


@dataclass(frozen=True, slots=True)
class ClusteredDays:
    """Articles of the days with their stories, days beyond them that got stories too, and a digest of the assignments."""

    articles: tuple[Article, ...]
    late_days: tuple[date, ...]
    digest: str

    @property
    def stories(self) -> int:
        """Different stories among the articles."""
        return len({article.story_id for article in self.articles})


def is_current(start: datetime, end: datetime, now: datetime) -> bool:
    """Whether the days include today or yesterday (UTC): only these are still in the feeds."""
    today = datetime.combine(now.astimezone(UTC).date(), time(), UTC)
    return start < today + _DAY and end > today - _DAY


def collect_days(
    engine: Engine, settings: Settings, start: datetime, end: datetime, *, run_id: str, now: datetime
) -> CollectedDays:
    """Collect every configured feed if the days are current; report what the days hold. Items of other days are stored as well."""
    reports: list[CollectionReport] = []
    if is_current(start, end, now):
        limits = FetchLimits(allow_private_hosts=settings.allow_private_hosts == "yes")
        agent = user_agent(settings.contact)
        reports = collect_feeds(engine, feed_sources(settings.feeds), agent=agent, limits=limits, run_id=run_id, now=now)
    with engine.connect() as connection:
        stored = stored_by_day(connection, run_id, now) if reports else {}
        return CollectedDays(
            reports=tuple(reports),
            by_source=stored_by_source(connection, start, end),
            other_days={day: count for day, count in stored.items() if not start.date() <= day < end.date()},
            digest=_digest(article_ids(connection, start, end)),
        )


def cluster_days(engine: Engine, start: datetime, end: datetime) -> ClusteredDays:
    """Assign the articles of the days to stories, and those of other days that became available in the window without a story.

    Every piece is one transaction; the days up to STORY_WINDOW after a piece are looked at again, because an article that comes
    late may open the story that they belong to.
    """
    with engine.connect() as connection:
        waiting = days_without_stories(connection, start, end)
    late = tuple(day for day in waiting if not start.date() <= day < end.date())
    for piece_start, piece_end in _pieces(start, end, late):
        _cluster(engine, piece_start, piece_end)
    with engine.connect() as connection:
        articles = tuple(articles_between(connection, start, end))
    return ClusteredDays(articles, late, _digest(f"{article.id} {article.story_id}" for article in articles))


def _pieces(start: datetime, end: datetime, late: Iterable[date]) -> Iterator[tuple[datetime, datetime]]:
    for day in late:
        midnight = datetime.combine(day, time(), UTC)
        yield midnight, midnight + _DAY
    while start < end:
        yield start, min(start + _CHUNK, end)
        start += _CHUNK


def _cluster(engine: Engine, start: datetime, end: datetime) -> None:
    with engine.begin() as connection:
        candidates = story_candidates(connection, start - STORY_WINDOW, end + STORY_WINDOW)
        before = {candidate.id: candidate.story_id for candidate in candidates}
        open_again = (replace(c, story_id=None) if c.published_at >= start else c for c in candidates)
        write_stories(connection, (a for a in cluster_stories(open_again) if before[a.article_id] != a.story_id))


def _digest(parts: Iterable[str]) -> str:
    return sha256("\n".join(parts).encode()).hexdigest()[:16]
