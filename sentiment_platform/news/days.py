"""What one run does for its days: collect live where the days are current, cluster stories, and say what is there now.

Plain functions behind the two assets; a window is [start, end) in aware UTC, one or more whole days.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from hashlib import sha256

from sqlalchemy import Engine

from sentiment_platform.news.collect import Collection, collect_live, collect_past
from sentiment_platform.news.http import FetchLimits, user_agent
from sentiment_platform.news.politeness import PoliteClient
from sentiment_platform.news.sandbox import FeedParser
from sentiment_platform.news.sources.configured import ConfiguredSource
from sentiment_platform.news.sources.protocol import Window
from sentiment_platform.news.stories import STORY_WINDOW, cluster_stories
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
    """Reports of the sources, articles of the days by source, what went to other days, a digest of the ids."""

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


def past_part(days: Window, now: datetime) -> Window | None:
    """The days before yesterday (UTC): the regular collection does not reach them."""
    end = min(days.end, datetime.combine(now.astimezone(UTC).date(), time(), UTC) - _DAY)
    return Window(days.start, end) if days.start < end else None


def collect_days(
    engine: Engine, settings: Settings, sources: Sequence[ConfiguredSource], days: Window, *, run_id: str, now: datetime
) -> CollectedDays:
    """Ask the sources that know the past for days before yesterday, and every source if the days are current; report what they hold.

    Items of other days are stored as well.
    """
    reports: list[CollectionReport] = []
    limits = FetchLimits(allow_private_hosts=settings.allow_private_hosts == "yes")
    with FeedParser() as parser:
        collection = Collection(engine, PoliteClient(agent=user_agent(settings.contact), limits=limits), parser, run_id, now)
        if (past := past_part(days, now)) is not None:
            reports += collect_past(collection, sources, past)
        if is_current(days.start, days.end, now):
            reports += collect_live(collection, sources)
    with engine.connect() as connection:
        stored = stored_by_day(connection, run_id) if reports else {}
        return CollectedDays(
            reports=tuple(reports),
            by_source=stored_by_source(connection, days.start, days.end),
            other_days={day: count for day, count in stored.items() if not days.start.date() <= day < days.end.date()},
            digest=_digest(article_ids(connection, days.start, days.end)),
        )


def cluster_days(engine: Engine, start: datetime, end: datetime) -> ClusteredDays:
    """Assign the articles of the days to stories, and those of other days that became available in the window without a story.

    Every piece is one transaction. What has a story keeps it, whatever comes later.
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
        write_stories(connection, cluster_stories(candidates))


def _digest(parts: Iterable[str]) -> str:
    return sha256("\n".join(parts).encode()).hexdigest()[:16]
