"""SQL of articles: stored once by content, linked by every sighting; read by day, source and run. The caller owns the transaction."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Date, and_, cast, func, literal, select, text

from sentiment_platform.entities import ARTICLE
from sentiment_platform.store.tables import Quarantine, RawData, Sighting, StoryCluster
from sentiment_platform.times.reading import is_day_only


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """An article as others read it; `story_id` is its own id until it was clustered. `day_only`: its source named no time of day."""

    id: str
    title: str
    summary: str | None
    source: str
    outlet: str | None
    tickers: tuple[str, ...]
    published_at: datetime
    available_at: datetime
    story_id: str
    day_only: bool = False


@dataclass(frozen=True, slots=True)
class NewsCounts:
    """Rows in the tables of this subject."""

    articles: int
    stories: int
    sightings: int
    quarantined: int


def published_within(start: datetime, end: datetime) -> ColumnElement[bool]:
    """The condition that an article was published in [start, end)."""
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
            RawData.published_text,
            RawData.day_only,
            RawData.available_at,
            func.coalesce(StoryCluster.story_id, RawData.id).label("story_id"),
        )
        .outerjoin(StoryCluster, StoryCluster.article_id == RawData.id)
        .where(published_within(start, end))
        .order_by(RawData.published_at, RawData.id)
    )
    if not refused_too:
        refused = select(Quarantine.id).where(Quarantine.boundary == "articles", Quarantine.released_at.is_(None))
        query = query.where(literal(ARTICLE).concat(RawData.id).not_in(refused))
    return [_article(dict(row)) for row in connection.execute(query).mappings()]


def _article(row: dict[str, Any]) -> Article:
    row["day_only"] = names_day_only(row["day_only"], row.pop("published_text"))
    row["tickers"] = tuple(row["tickers"])
    return Article(**row)


def names_day_only(stored: bool | None, published_text: str | None) -> bool:
    """Whether an article's source named no time of day; what was stored before that was kept goes by the text."""
    return is_day_only(published_text) if stored is None else stored


def stored_by_source(connection: Connection, start: datetime, end: datetime) -> dict[str, int]:
    """Articles published in [start, end) by source, in the order of the names."""
    query = (
        select(RawData.source, func.count()).where(published_within(start, end)).group_by(RawData.source).order_by(RawData.source)
    )
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
    return list(connection.execute(select(RawData.id).where(published_within(start, end)).order_by(RawData.id)).scalars())


def first_published(connection: Connection) -> datetime | None:
    """When the oldest article was published; None where there is none."""
    return connection.execute(select(func.min(RawData.published_at))).scalar()


def published_range(connection: Connection, source: str) -> tuple[datetime, datetime] | None:
    """When the oldest and the newest article of a source were published; None where it has none."""
    query = select(func.min(RawData.published_at), func.max(RawData.published_at)).where(RawData.source == source)
    first, last = connection.execute(query).one()
    return (first, last) if first else None


def news_counts(connection: Connection) -> NewsCounts:
    """How much news there is."""
    one = select(
        select(func.count()).select_from(RawData).scalar_subquery(),
        select(func.count(func.distinct(StoryCluster.story_id))).scalar_subquery(),
        select(func.count()).select_from(Sighting).scalar_subquery(),
        select(func.count()).select_from(Quarantine).scalar_subquery(),
    )
    return NewsCounts(*connection.execute(one).one())


def noted_articles(connection: Connection, run_id: str) -> int:
    """Articles of a run that carry a note: an optional field was left out or changed."""
    query = select(func.count()).where(RawData.run_id == run_id, func.cardinality(RawData.notes) > 0)
    return connection.execute(query).scalar_one()


@dataclass(frozen=True, slots=True, kw_only=True)
class NewArticle:
    """One row of `raw_data` about to be written; `id` is the first 32 digits of `content_hash`."""

    id: str
    source: str
    external_id: str
    url: str | None
    canonical_url: str | None
    outlet: str | None
    title: str
    summary: str | None
    language: str | None
    language_detected: bool = False
    tickers: tuple[str, ...]
    notes: tuple[str, ...] = ()
    published_at: datetime
    published_text: str | None
    day_only: bool | None = None
    fetched_at: datetime
    available_at: datetime
    content_hash: str
    run_id: str


# A batch travels as one JSON parameter: 32,770 articles took 5.8 to 7.0 s so, 6.4 to 7.2 s by COPY into a temporary table with three
# times the client's work, 7.0 to 10.8 s as jsonb. A multi-row INSERT spends more time in parameters than in the database.
_INSERT_ARTICLES = text("""
    INSERT INTO platform.raw_data (
        id, source, external_id, url, canonical_url, outlet, title, summary, language, language_detected, tickers, notes,
        published_at, published_text, day_only, fetched_at, available_at, content_hash, run_id)
    SELECT
        id, source, external_id, url, canonical_url, outlet, title, summary, language, language_detected, tickers, notes,
        published_at, published_text, day_only, fetched_at, available_at, content_hash, run_id
    FROM json_populate_recordset(NULL::platform.raw_data, CAST(:rows AS json))
    ON CONFLICT DO NOTHING""")
_INSERT_SIGHTINGS = text("""
    INSERT INTO platform.sightings (source, external_id, article_id, first_seen_at, run_id)
    SELECT seen.source, seen.external_id, seen.id, seen.fetched_at, seen.run_id
    FROM json_populate_recordset(NULL::platform.raw_data, CAST(:rows AS json)) AS seen
    JOIN platform.raw_data AS stored USING (id)
    ON CONFLICT DO NOTHING""")
# Only what was known at the same moment: vectors, outcomes and replays of the past must not know what a later sighting added. The
# archives of two symbols both speak of the day of publication.
_ADD_TICKERS = text("""
    UPDATE platform.raw_data AS stored
    SET tickers = ARRAY(SELECT DISTINCT unnest(stored.tickers || seen.tickers) ORDER BY 1)
    FROM (
        SELECT again.id, array_agg(DISTINCT ticker) AS tickers
        FROM json_populate_recordset(NULL::platform.raw_data, CAST(:rows AS json)) AS again
        JOIN platform.raw_data AS first USING (id, available_at)
        CROSS JOIN unnest(again.tickers) AS ticker
        GROUP BY again.id) AS seen
    WHERE stored.id = seen.id AND NOT stored.tickers @> seen.tickers""")


_COUNT_RETIMED = text("""
    SELECT count(*) FROM json_populate_recordset(NULL::platform.raw_data, CAST(:rows AS json)) AS seen
    JOIN platform.raw_data AS stored USING (id)
    WHERE seen.published_at <> stored.published_at""")


def insert_articles(connection: Connection, articles: Collection[NewArticle]) -> int:
    """Store what is new, link what is known by its content, and return how many were new; `insert_sightings` has the links."""
    if not articles:
        return 0
    rows = _as_rows(articles)
    stored = connection.execute(_INSERT_ARTICLES, rows).rowcount
    _link(connection, articles, rows, stored < len(articles))
    return stored


def insert_sightings(connection: Connection, seen: Collection[NewArticle]) -> None:
    """Link items to the stored articles whose ids they carry.

    A sighting adds its tickers to the article only where both were available at the same moment.
    """
    if seen:
        _link(connection, seen, _as_rows(seen), True)


def count_retimed(connection: Connection, seen: Collection[NewArticle]) -> int:
    """How many items tell another time of publication than the stored articles whose ids they carry."""
    return connection.execute(_COUNT_RETIMED, _as_rows(seen)).scalar_one() if seen else 0


def _as_rows(articles: Collection[NewArticle]) -> dict[str, str]:
    # One order for every writer, so that two collections of the same items cannot lock each other out.
    ordered = sorted(articles, key=lambda article: (article.id, article.external_id))
    return {"rows": msgspec.json.encode(ordered).decode()}


def _link(connection: Connection, seen: Collection[NewArticle], rows: dict[str, str], may_add_tickers: bool) -> None:
    connection.execute(_INSERT_SIGHTINGS, rows)
    if may_add_tickers and any(article.tickers for article in seen):
        connection.execute(_ADD_TICKERS, rows)
