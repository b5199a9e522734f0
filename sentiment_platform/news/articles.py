"""What one run makes of the items of its days: articles that keep their contract, each with the story that it tells.

The plain function behind the asset `articles`; a window is [start, end) in aware UTC, one or more whole days.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from hashlib import sha256

from sqlalchemy import Connection, Engine

from sentiment_platform.news.quality import broken_articles
from sentiment_platform.news.quarantine import refused_article
from sentiment_platform.news.stories.linking import STORY_WINDOW, cluster_stories
from sentiment_platform.store.articles import articles_between
from sentiment_platform.store.quarantine import insert_quarantine, release_articles
from sentiment_platform.store.stories import (
    StoryCandidate,
    StoryOutline,
    days_without_stories,
    story_candidates,
    widest_stories,
    write_stories,
)

_DAY = timedelta(days=1)
_PIECE = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusteredDays:
    """Articles of the days and the different stories among them, how many broke their contract, the stories that most articles
    tell, days beyond these that got stories too, and a digest of the assignments.
    """

    articles: int
    stories: int
    refused: int
    widest: tuple[StoryOutline, ...]
    late_days: tuple[date, ...]
    digest: str


def cluster_days(engine: Engine, start: datetime, end: datetime, *, run_id: str, now: datetime) -> ClusteredDays:
    """Assign the articles of the days to stories, and those of other days that became available in the window without a story.

    Every piece is one transaction. What has a story keeps it, whatever comes later. Articles that break their contract go into
    quarantine and are read by nobody downstream; what keeps it again leaves quarantine.
    """
    digest, articles, refused = sha256(), 0, 0
    with engine.connect() as connection:
        with connection.begin():
            waiting = days_without_stories(connection, start, end)
        late = tuple(day for day in waiting if not start.date() <= day < end.date())
        for day in late:
            midnight = datetime.combine(day, time(), UTC)
            with connection.begin():
                _cluster(connection, midnight, midnight + _DAY, run_id, now)
        for piece_start, piece_end in _pieces(start, end):
            with connection.begin():
                good, broken = _cluster(connection, piece_start, piece_end, run_id, now)
            articles += len(good)
            refused += broken
            digest.update("".join(f"{article.id} {article.story_id}\n" for article in good).encode())
        with connection.begin():
            stories, widest = widest_stories(connection, start, end, limit=10)
    return ClusteredDays(
        articles=articles, stories=stories, refused=refused, widest=tuple(widest), late_days=late, digest=digest.hexdigest()[:16]
    )


def _pieces(start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    while start < end:
        yield start, min(start + _PIECE, end)
        start += _PIECE


def _cluster(
    connection: Connection, start: datetime, end: datetime, run_id: str, now: datetime
) -> tuple[list[StoryCandidate], int]:
    candidates = story_candidates(connection, start - STORY_WINDOW, end + STORY_WINDOW)
    assignments = cluster_stories(candidates)
    write_stories(connection, assignments)
    assigned = {assignment.article_id: assignment.story_id for assignment in assignments}
    ours = [replace(c, story_id=assigned.get(c.id, c.story_id)) for c in candidates if start <= c.published_at < end]
    broken = broken_articles(ours)
    if broken:
        stored = articles_between(connection, start, end, refused_too=True)
        insert_quarantine(connection, (refused_article(a, broken[a.id], run_id, now) for a in stored if a.id in broken))
    release_articles(connection, start, end, list(broken), now)
    return [article for article in ours if article.id not in broken], len(broken)
