"""SQL of stories: what may tell the same one, which were carried widest, and which article belongs to which."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

import msgspec
from sqlalchemy import Connection, Date, cast, func, select, text

from sentiment_platform.store.tables import RawData, StoryCluster


@dataclass(frozen=True, slots=True)
class StoryOutline:
    """A story in a window of time: the headline of its first article there, how many tell it, and where."""

    title: str
    articles: int
    outlets: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryCandidate:
    """What clustering and the contract of articles look at; `story_id` is None for an article that was never clustered."""

    id: str
    title: str
    outlet: str | None
    tickers: tuple[str, ...]
    published_at: datetime
    available_at: datetime
    story_id: str | None


# As text, and times and arrays as they come: this reads a week for each day. Stories row by row through their key: a plain join of
# a week read every story that there ever was.
_CANDIDATES = text("""
    SELECT article.id, article.title, article.outlet, article.tickers, article.published_at, article.available_at, story.story_id
    FROM platform.raw_data AS article LEFT JOIN LATERAL (
        SELECT story_id FROM platform.story_clusters WHERE article_id = article.id LIMIT 1) AS story ON true
    WHERE article.published_at >= :start AND article.published_at < :end
    ORDER BY article.published_at, article.id""")


def story_candidates(connection: Connection, start: datetime, end: datetime) -> list[StoryCandidate]:
    """What clustering needs of the articles with start <= published_at < end, oldest first."""
    rows = connection.execute(_CANDIDATES, {"start": start, "end": end}).all()
    return [
        StoryCandidate(id=r[0], title=r[1], outlet=r[2], tickers=tuple(r[3]), published_at=r[4], available_at=r[5], story_id=r[6])
        for r in rows
    ]


_WIDEST = text("""
    SELECT (array_agg(title ORDER BY published_at, id))[1], count(*), array_agg(DISTINCT coalesce(outlet, source)), count(*) OVER ()
    FROM platform.raw_data LEFT JOIN LATERAL (
        SELECT story_id FROM platform.story_clusters WHERE article_id = id LIMIT 1) AS story ON true
    WHERE published_at >= :start AND published_at < :end
    GROUP BY coalesce(story_id, id)
    ORDER BY count(*) DESC, min(published_at), coalesce(story_id, id)
    LIMIT :limit""")


def widest_stories(connection: Connection, start: datetime, end: datetime, limit: int) -> tuple[int, list[StoryOutline]]:
    """How many stories the articles published in [start, end) tell, and those that most of them tell."""
    rows = connection.execute(_WIDEST, {"start": start, "end": end, "limit": limit}).all()
    return (rows[0][3] if rows else 0), [StoryOutline(row[0], row[1], tuple(row[2])) for row in rows]


def days_without_stories(connection: Connection, start: datetime, end: datetime) -> list[date]:
    """UTC days of publication of the articles that became available in [start, end) and have no story yet."""
    day = cast(func.timezone("UTC", RawData.published_at), Date)
    query = (
        select(day)
        .outerjoin(StoryCluster, StoryCluster.article_id == RawData.id)
        .where(RawData.available_at >= start, RawData.available_at < end, StoryCluster.article_id.is_(None))
        .distinct()
        .order_by(day)
    )
    return list(connection.execute(query).scalars())


@dataclass(frozen=True, slots=True)
class StoryAssignment:
    """The story of one article, how it was found and how alike (0 to 1) the two headlines are."""

    article_id: str
    story_id: str
    method: str
    similarity: float


_INSERT_STORIES = text("""
    INSERT INTO platform.story_clusters (article_id, story_id, method, similarity)
    SELECT article_id, story_id, method, similarity
    FROM json_populate_recordset(NULL::platform.story_clusters, CAST(:rows AS json))
    ON CONFLICT DO NOTHING""")


def write_stories(connection: Connection, assignments: Iterable[StoryAssignment]) -> None:
    """Assign articles to stories; what has a story keeps it."""
    rows = sorted(assignments, key=lambda a: a.article_id)
    if rows:
        connection.execute(_INSERT_STORIES, {"rows": msgspec.json.encode(rows).decode()})
