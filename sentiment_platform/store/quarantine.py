"""SQL of quarantine: refused rows of every boundary go in, wait, are counted, and leave after a fix."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Connection, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from sentiment_platform.entities import ARTICLE
from sentiment_platform.store.payloads import payload_id, storable
from sentiment_platform.store.tables import Quarantine

RECENT = timedelta(days=7)

Boundary = Literal["raw_news", "articles", "market_prices", "outcomes", "labels", "features"]
"""Where rows are held against a contract. A refused article waits under the name of its entity, every other row under a digest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantinedItem:
    """A refused row: the first rule it broke, all of them in words, and the item as it came. Made by `refused_row`."""

    id: str
    boundary: str
    source: str
    rule: str
    detail: str
    payload: dict[str, Any]
    fetched_at: datetime
    run_id: str


def refused_row(
    boundary: Boundary,
    source: str,
    payload: Mapping[str, Any],
    *,
    rule: str,
    detail: str,
    run_id: str,
    now: datetime,
    identity: str = "",
) -> QuarantinedItem:
    """A row that broke its contract, ready for `insert_quarantine`; refused again it is the same row.

    Args:
        payload: the row as it came; what JSON cannot hold is replaced.
        identity: under which id it waits; without it one made of boundary, source and payload (`payload_id`).
    """
    kept = storable(payload)
    return QuarantinedItem(
        id=identity or payload_id(boundary, source, kept),
        boundary=boundary,
        source=source,
        rule=rule,
        detail=detail,
        payload=kept,
        fetched_at=now,
        run_id=run_id,
    )


@dataclass(frozen=True, slots=True)
class QuarantineCount:
    """Rows of one boundary, source and rule: still waiting, and, of the newest, released after a fix."""

    boundary: str
    source: str
    rule: str
    waiting: int
    released: int


def waiting_items(
    connection: Connection, boundary: Boundary, *, source: str | None, rule: str | None, after: str, limit: int
) -> list[QuarantinedItem]:
    """The next rows of a boundary that wait, in the order of their ids; locked, and without those that another replay has locked."""
    query = select(*[getattr(Quarantine, name) for name in QuarantinedItem.__dataclass_fields__])
    query = query.where(Quarantine.released_at.is_(None), Quarantine.boundary == boundary, Quarantine.id > after)
    for column, value in ((Quarantine.source, source), (Quarantine.rule, rule)):
        if value is not None:
            query = query.where(column == value)
    query = query.order_by(Quarantine.id).limit(limit).with_for_update(skip_locked=True)
    return [QuarantinedItem(**row) for row in connection.execute(query).mappings()]


def held_ids(connection: Connection, ids: Collection[str]) -> set[str]:
    """Those of these ids that wait in quarantine."""
    query = select(Quarantine.id).where(Quarantine.id.in_(ids), Quarantine.released_at.is_(None))
    return set(connection.execute(query).scalars()) if ids else set()


def refused_rows_of_run(
    connection: Connection, boundary: Boundary, run_id: str, times: Collection[datetime]
) -> Mapping[str, int]:
    """Rows that a run was the first to refuse at a boundary, by source; `times`: when it fetched, the way to them through an index."""
    query = select(Quarantine.source, func.count()).where(Quarantine.boundary == boundary, Quarantine.run_id == run_id)
    return dict(connection.execute(query.where(Quarantine.fetched_at.in_(times)).group_by(Quarantine.source)).all())


def release(connection: Connection, ids: Collection[str], now: datetime) -> int:
    """Rows of these ids leave quarantine; they stay in the table with the time. Returns how many were still in it."""
    rows = update(Quarantine).where(Quarantine.id.in_(ids), Quarantine.released_at.is_(None)).values(released_at=now)
    return connection.execute(rows).rowcount if ids else 0


_RELEASE_ARTICLES = text("""
    UPDATE platform.quarantine AS waiting SET released_at = :now
    FROM platform.raw_data AS article
    WHERE waiting.boundary = 'articles' AND waiting.released_at IS NULL AND waiting.id = :prefix || article.id
        AND article.published_at >= :start AND article.published_at < :end AND article.id <> ALL(:broken)""").bindparams(
    prefix=ARTICLE
)


def release_articles(connection: Connection, start: datetime, end: datetime, broken: Sequence[str], now: datetime) -> None:
    """Articles published in [start, end) that wait and are not among the `broken` ids leave quarantine."""
    connection.execute(_RELEASE_ARTICLES, {"start": start, "end": end, "broken": list(broken), "now": now})


_RELEASE_VECTORS = text("""
    UPDATE platform.quarantine SET released_at = :now
    WHERE boundary = 'features' AND released_at IS NULL
        AND payload ->> 'schema' = :schema AND payload ->> 'entity' = ANY(:entities)""")


def release_vectors(connection: Connection, schema_version: str, entities: Sequence[str], now: datetime) -> None:
    """Vectors under this schema that wait leave quarantine where a good one of their entity has been written since."""
    connection.execute(_RELEASE_VECTORS, {"schema": schema_version, "entities": list(entities), "now": now})


_ARTICLES_AND_REFUSED = text("""
    SELECT count(*), count(waiting.id)
    FROM platform.raw_data AS article LEFT JOIN platform.quarantine AS waiting
        ON waiting.id = :prefix || article.id AND waiting.boundary = 'articles' AND waiting.released_at IS NULL
    WHERE article.published_at >= :start AND article.published_at < :end""").bindparams(prefix=ARTICLE)


def articles_and_refused(connection: Connection, start: datetime, end: datetime) -> tuple[int, int]:
    """Articles published in [start, end), and how many of them wait in quarantine."""
    row = connection.execute(_ARTICLES_AND_REFUSED, {"start": start, "end": end}).one()
    return row[0], row[1]


@dataclass(frozen=True, slots=True)
class DayOfNews:
    """What came on one UTC day: items stored, refused items and articles that still wait in quarantine."""

    day: date
    stored: int
    waiting_items: int
    waiting_articles: int


_DAYS = text("""
    SELECT day, CAST(sum(stored) AS int), CAST(sum(items) AS int), CAST(sum(articles) AS int) FROM (
        SELECT CAST(timezone('UTC', finished_at) AS date), stored, 0, 0 FROM platform.collection_runs
        WHERE finished_at >= :since AND outcome <> 'replayed'
        UNION ALL
        SELECT CAST(timezone('UTC', fetched_at) AS date), 0, CAST(boundary = 'raw_news' AS int), CAST(boundary = 'articles' AS int)
        FROM platform.quarantine
        WHERE fetched_at >= :since AND boundary IN ('raw_news', 'articles') AND released_at IS NULL
    ) AS came (day, stored, items, articles)
    GROUP BY day ORDER BY day""")


def days_of_news(connection: Connection, since: datetime) -> list[DayOfNews]:
    """What came on each UTC day since then and what of it is still refused, oldest first; days on which nothing came are absent."""
    return [DayOfNews(*row) for row in connection.execute(_DAYS, {"since": since})]


# Whatever waits is few rows under an index of their own. What was released is looked for among the newest alone: collection asks
# every quarter of an hour, and six months of refusals are many.
_TOTALS = """
    SELECT boundary, source, rule, CAST(sum(waits) AS int), count(*) - CAST(sum(waits) AS int) FROM (
        SELECT boundary, source, rule, 1 AS waits FROM platform.quarantine WHERE released_at IS NULL
        UNION ALL
        SELECT boundary, source, rule, 0 FROM platform.quarantine
        WHERE released_at IS NOT NULL AND fetched_at >= (SELECT max(fetched_at) - :recent FROM platform.quarantine)
    ) AS refused
    {where}
    GROUP BY boundary, source, rule ORDER BY 4 DESC, boundary, source, rule"""


def quarantine_totals(connection: Connection, *, source: str | None = None, rule: str | None = None) -> Iterator[QuarantineCount]:
    """Counts by boundary, source and rule, most waiting first; released ones among those of the RECENT before the newest refusal."""
    given = {name: value for name, value in (("source", source), ("rule", rule)) if value is not None}
    where = "WHERE " + " AND ".join(f"{name} = :{name}" for name in given) if given else ""
    rows = connection.execute(text(_TOTALS.format(where=where)), {**given, "recent": RECENT})
    return (QuarantineCount(*row) for row in rows)


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
    return [QuarantinedItem(**row) for row in connection.execute(query).mappings()]


def insert_quarantine(connection: Connection, items: Iterable[QuarantinedItem]) -> None:
    """Keep refused items; the same item refused again for the same rule stays one row, and waits again if it had been released."""
    rows = {item.id: asdict(item) for item in sorted(items, key=lambda item: item.id)}
    if rows:
        statement = insert(Quarantine)
        statement = statement.on_conflict_do_update(
            index_elements=["id"], set_={"released_at": None}, where=Quarantine.released_at.is_not(None)
        )
        connection.execute(statement, list(rows.values()))
