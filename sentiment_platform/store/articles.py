"""SQL of the news subject, the reading half: articles, stories, quarantine, collections; and their structs.

Plain functions over a Connection. The writing half is `store.news_writes`; what makes an article valid or a duplicate is
`news.quality` and `news.identity`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, Date, and_, cast, func, literal, select, text
from sqlalchemy.orm import aliased

from sentiment_platform.store.tables import CollectionRun, Quarantine, RawData, Sighting, StoryCluster

Outcome = Literal["collected", "not_modified", "skipped", "failed", "imported", "replayed"]


@dataclass(frozen=True, slots=True)
class Article:
    """An article as others read it; `story_id` is its own id until it was clustered."""

    id: str
    title: str
    summary: str | None
    source: str
    outlet: str | None
    tickers: tuple[str, ...]
    published_at: datetime
    available_at: datetime
    story_id: str


@dataclass(frozen=True, slots=True)
class StoryOutline:
    """A story in a window of time: the headline of its first article there, how many tell it, and where."""

    title: str
    articles: int
    outlets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StoryCandidate:
    """What clustering and the contract of articles look at; `story_id` is None for an article that was never clustered."""

    id: str
    title: str
    outlet: str | None
    tickers: tuple[str, ...]
    published_at: datetime
    available_at: datetime
    story_id: str | None


@dataclass(frozen=True, slots=True)
class QuarantinedItem:
    """A refused row: the first rule it broke, all of them in words, and the item as it came."""

    id: str
    boundary: str
    source: str
    rule: str
    detail: str
    payload: dict[str, Any]
    fetched_at: datetime
    run_id: str


@dataclass(frozen=True, slots=True)
class CollectionReport:
    """The arithmetic of one collection of one source: fetched = stored + duplicate + quarantined."""

    source: str
    run_id: str
    fetched: int
    stored: int
    duplicate: int
    quarantined: int
    outcome: Outcome
    detail: str | None
    finished_at: datetime

    @property
    def adds_up(self) -> bool:
        """Whether every fetched item has exactly one fate."""
        return self.fetched == self.stored + self.duplicate + self.quarantined


@dataclass(frozen=True, slots=True)
class NewsCounts:
    """Rows in the tables of this subject."""

    articles: int
    stories: int
    sightings: int
    quarantined: int


def _published(start: datetime, end: datetime) -> ColumnElement[bool]:
    return and_(RawData.published_at >= start, RawData.published_at < end)


def articles_between(connection: Connection, start: datetime, end: datetime, *, refused_too: bool = False) -> list[Article]:
    """Articles with start <= published_at < end, oldest first; those that wait in quarantine only with `refused_too`."""
    query = (
        select(
            RawData.id,
            RawData.title,
            RawData.summary,
            RawData.source,
            RawData.outlet,
            RawData.tickers,
            RawData.published_at,
            RawData.available_at,
            func.coalesce(StoryCluster.story_id, RawData.id),
        )
        .outerjoin(StoryCluster, StoryCluster.article_id == RawData.id)
        .where(_published(start, end))
        .order_by(RawData.published_at, RawData.id)
    )
    if not refused_too:
        refused = select(Quarantine.id).where(Quarantine.boundary == "articles", Quarantine.released_at.is_(None))
        query = query.where(literal("article:").concat(RawData.id).not_in(refused))
    return [Article(*row[:5], tuple(row[5]), *row[6:]) for row in connection.execute(query)]


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
    return [StoryCandidate(r[0], r[1], r[2], tuple(r[3]), r[4], r[5], r[6]) for r in rows]


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


def story_outlet_counts(connection: Connection, start: datetime, end: datetime) -> dict[str, int]:
    """For each article published in [start, end): how many outlets had carried its story when it became available."""
    other, other_story = aliased(RawData), aliased(StoryCluster)
    outlets = func.count(func.distinct(func.coalesce(other.outlet, other.source)))
    query = (
        select(RawData.id, outlets)
        .join(StoryCluster, StoryCluster.article_id == RawData.id)
        .join(other_story, other_story.story_id == StoryCluster.story_id)
        .join(other, and_(other.id == other_story.article_id, other.available_at <= RawData.available_at))
        .where(_published(start, end))
        .group_by(RawData.id)
    )
    return dict(connection.execute(query).all())


def stored_by_source(connection: Connection, start: datetime, end: datetime) -> dict[str, int]:
    """Articles published in [start, end) by source, in the order of the names."""
    query = select(RawData.source, func.count()).where(_published(start, end)).group_by(RawData.source).order_by(RawData.source)
    return dict(connection.execute(query).all())


def stored_by_day(connection: Connection, run_id: str) -> dict[date, int]:
    """Articles that a run stored, by UTC day of publication."""
    day = cast(func.timezone("UTC", RawData.published_at), Date)
    query = select(day, func.count()).where(RawData.run_id == run_id).group_by(day).order_by(day)
    return dict(connection.execute(query).all())


def stored_rows_of_run(connection: Connection, run_id: str) -> dict[str, int]:
    """Articles that a run stored, by source."""
    query = select(RawData.source, func.count()).where(RawData.run_id == run_id)
    return dict(connection.execute(query.group_by(RawData.source)).all())


def article_ids(connection: Connection, start: datetime, end: datetime) -> list[str]:
    """Ids of the articles published in [start, end), sorted."""
    return list(connection.execute(select(RawData.id).where(_published(start, end)).order_by(RawData.id)).scalars())


def collections_of_run(connection: Connection, run_id: str) -> list[CollectionReport]:
    """What one run collected, in the order in which it did."""
    query = select(*_collection_columns()).where(CollectionRun.run_id == run_id).order_by(CollectionRun.id)
    return [CollectionReport(*row) for row in connection.execute(query)]


# From one source to the next through the index: DISTINCT ON reads every collection that there ever was.
_LATEST = """
    WITH RECURSIVE sources (source) AS (
        (SELECT source FROM platform.collection_runs ORDER BY source LIMIT 1)
        UNION ALL
        SELECT (SELECT run.source FROM platform.collection_runs AS run WHERE run.source > known.source ORDER BY run.source LIMIT 1)
        FROM sources AS known WHERE known.source IS NOT NULL)
    SELECT {columns} FROM sources CROSS JOIN LATERAL (
        SELECT * FROM platform.collection_runs AS run
        WHERE run.source = sources.source AND run.outcome <> 'replayed'
        ORDER BY run.finished_at DESC, run.id DESC LIMIT 1) AS latest
    ORDER BY source"""


def latest_collections(connection: Connection) -> list[CollectionReport]:
    """The newest collection of every source, by name of source; replays out of quarantine are none."""
    query = text(_LATEST.format(columns=", ".join(f"latest.{name}" for name in CollectionReport.__dataclass_fields__)))
    return [CollectionReport(*row) for row in connection.execute(query)]


_EMPTY_DAYS = text("""
    WITH recent AS (
        SELECT source, finished_at, fetched, max(finished_at) FILTER (WHERE fetched > 0) OVER (PARTITION BY source) AS last
        FROM platform.collection_runs
        WHERE source = ANY(:sources) AND finished_at BETWEEN :since AND :now AND outcome = 'collected')
    SELECT source, count(DISTINCT CAST(timezone('UTC', finished_at) AS date)) FROM recent
    WHERE last IS NULL OR finished_at > last GROUP BY source""")
_REMEMBERED = timedelta(days=14)


def empty_days(connection: Connection, sources: Sequence[str], now: datetime) -> dict[str, int]:
    """UTC days of the last 14 on which a source was collected and gave nothing, since it last gave something."""
    rows = connection.execute(_EMPTY_DAYS, {"sources": list(sources), "since": now - _REMEMBERED, "now": now})
    return dict(rows.all())


def _collection_columns() -> list[Any]:
    names = CollectionReport.__dataclass_fields__
    return [getattr(CollectionRun, name) for name in names]


def quarantined_items(
    connection: Connection, *, source: str | None = None, rule: str | None = None, limit: int = 100
) -> list[QuarantinedItem]:
    """Refused items that were not released, newest first."""
    query = select(*[getattr(Quarantine, name) for name in QuarantinedItem.__dataclass_fields__])
    query = query.where(Quarantine.released_at.is_(None))
    for column, value in ((Quarantine.source, source), (Quarantine.rule, rule)):
        if value is not None:
            query = query.where(column == value)
    query = query.order_by(Quarantine.fetched_at.desc(), Quarantine.id).limit(limit)
    return [QuarantinedItem(*row) for row in connection.execute(query)]


def quarantine_counts(connection: Connection) -> Mapping[tuple[str, str], int]:
    """Refused items that were not released, by (source, rule)."""
    query = (
        select(Quarantine.source, Quarantine.rule, func.count())
        .where(Quarantine.released_at.is_(None))
        .group_by(Quarantine.source, Quarantine.rule)
        .order_by(Quarantine.source, Quarantine.rule)
    )
    return {(source, rule): count for source, rule, count in connection.execute(query)}


def news_counts(connection: Connection) -> NewsCounts:
    """How much news there is."""
    one = select(
        select(func.count()).select_from(RawData).scalar_subquery(),
        select(func.count(func.distinct(StoryCluster.story_id))).scalar_subquery(),
        select(func.count()).select_from(Sighting).scalar_subquery(),
        select(func.count()).select_from(Quarantine).scalar_subquery(),
    )
    return NewsCounts(*connection.execute(one).one())
