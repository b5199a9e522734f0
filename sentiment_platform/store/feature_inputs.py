"""SQL of what features are computed from: articles by the time they were known, refused items, served predictions."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, Date, cast, func, select, text

from sentiment_platform.entities import ARTICLE
from sentiment_platform.store.articles import Article, names_day_only
from sentiment_platform.store.tables import Prediction, RawData


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedFeatures:
    """The vector that one answered prediction was computed from, and the request that it was made for."""

    id: str
    predicted_at: datetime
    text: str
    ticker: str | None
    source: str | None
    published_at: datetime | None
    feature_schema: str
    features: tuple[float | None, ...]
    feature_status: str


# As text: SQLAlchemy would look at every element of every array, and a week of news is read for each day. Stories row by row through
# their key: a plain join of a week read every story that there ever was.
_AVAILABLE = text("""
    SELECT article.id, article.title, NULL, article.source, article.outlet, article.tickers,
        article.published_at, article.available_at, coalesce(story.story_id, article.id), article.published_text,
        article.day_only
    FROM platform.raw_data AS article LEFT JOIN LATERAL (
        SELECT story_id FROM platform.story_clusters WHERE article_id = article.id LIMIT 1) AS story ON true
    WHERE article.available_at BETWEEN :start AND :end
        AND (CAST(:fetched AS timestamptz) IS NULL OR article.fetched_at <= :fetched)
        AND :prefix || article.id NOT IN (
            SELECT id FROM platform.quarantine WHERE boundary = 'articles' AND released_at IS NULL)
    ORDER BY article.available_at, article.id""").bindparams(prefix=ARTICLE)


def articles_available(
    connection: Connection, start: datetime, end: datetime, *, fetched_until: datetime | None = None
) -> list[Article]:
    """Articles with start <= available_at <= end, oldest first, without those that wait in quarantine.

    Only those that had been fetched by `fetched_until`, where that is given.
    """
    rows = connection.execute(_AVAILABLE, {"start": start, "end": end, "fetched": fetched_until})
    return [
        Article(
            id=r[0],
            title=r[1],
            summary=r[2],
            source=r[3],
            outlet=r[4],
            tickers=tuple(r[5]),
            published_at=r[6],
            available_at=r[7],
            story_id=r[8],
            day_only=names_day_only(r[10], r[9]),
        )
        for r in rows.all()
    ]


def articles_by_day(connection: Connection, start: datetime, end: datetime) -> list[tuple[date, int]]:
    """(UTC day of publication, articles) of the days in [start, end) that have any, in order."""
    day = cast(func.timezone("UTC", RawData.published_at), Date)
    query = select(day, func.count()).where(RawData.published_at >= start, RawData.published_at < end).group_by(day).order_by(day)
    return [(row[0], row[1]) for row in connection.execute(query)]


def refused_items(connection: Connection, start: datetime, end: datetime) -> list[tuple[str, datetime]]:
    """(outlet, or else source, and time) of the news items that were refused in [start, end)."""
    query = text("""
        SELECT coalesce(payload ->> 'outlet', source), fetched_at FROM platform.quarantine
        WHERE boundary = 'raw_news' AND fetched_at >= :start AND fetched_at < :end ORDER BY fetched_at""")
    return [(row[0], row[1]) for row in connection.execute(query, {"start": start, "end": end})]


def served_features(connection: Connection, since: datetime, until: datetime, limit: int) -> list[ServedFeatures]:
    """The newest `limit` predictions made in (since, until], newest first."""
    table = Prediction
    query = (
        select(*[getattr(table, name) for name in ServedFeatures.__dataclass_fields__])
        .where(table.predicted_at > since, table.predicted_at <= until)
        .order_by(table.predicted_at.desc(), table.id)
        .limit(limit)
    )
    rows = connection.execute(query).mappings()
    return [ServedFeatures(**dict(row, features=tuple(row["features"]))) for row in rows]
