"""SQL of collections: what each turn of a source brought, which were the latest, and which days stayed empty."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Connection, Date, cast, func, select, text
from sqlalchemy.dialects.postgresql import distinct_on, insert

from sentiment_platform.store.tables import CollectionRun

Outcome = Literal["collected", "not_modified", "skipped", "failed", "imported", "replayed"]


@dataclass(frozen=True, slots=True, kw_only=True)
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


def collections_of_run(connection: Connection, run_id: str) -> list[CollectionReport]:
    """What one run collected, in the order in which it did."""
    query = select(*_collection_columns()).where(CollectionRun.run_id == run_id).order_by(CollectionRun.id)
    return [CollectionReport(**row) for row in connection.execute(query).mappings()]


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
    return [CollectionReport(**row) for row in connection.execute(query).mappings()]


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectedDay:
    """What one source brought on one UTC day, and how many of its collections failed."""

    source: str
    day: date
    collections: int
    failed: int
    fetched: int
    stored: int
    duplicate: int
    quarantined: int


_DAYS_OF_SOURCES = text("""
    SELECT source, CAST(timezone('UTC', finished_at) AS date), count(*), count(*) FILTER (WHERE outcome = 'failed'),
        CAST(sum(fetched) AS int), CAST(sum(stored) AS int), CAST(sum(duplicate) AS int), CAST(sum(quarantined) AS int)
    FROM platform.collection_runs WHERE source = ANY(:sources) AND finished_at >= :since AND outcome <> 'replayed'
    GROUP BY 1, 2 ORDER BY 1, 2""")


def collected_days(connection: Connection, sources: Sequence[str], since: datetime) -> list[CollectedDay]:
    """Each source's days since then, oldest first; days without a collection are absent, replays out of quarantine are none."""
    rows = connection.execute(_DAYS_OF_SOURCES, {"sources": list(sources), "since": since})
    return [CollectedDay(**dict(zip(CollectedDay.__dataclass_fields__, row, strict=True))) for row in rows]


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


def record_collection(connection: Connection, report: CollectionReport) -> None:
    """Append the arithmetic of one collection."""
    connection.execute(insert(CollectionRun), [asdict(report)])


def collected_on_newest_day(connection: Connection, since: datetime) -> list[tuple[str, date, int, int]]:
    """(source, UTC day, items fetched, items quarantined) of each source's newest day with items, as far as that ended after `since`.

    Items re-admitted from quarantine are no news of the source.
    """
    table = CollectionRun
    day = cast(func.timezone("UTC", table.finished_at), Date)
    fetched, quarantined = func.sum(table.fetched), func.sum(table.quarantined)
    query = select(table.source, day, fetched, quarantined).where(table.finished_at > since, table.outcome != "replayed")
    query = (
        query.group_by(table.source, day).having(fetched > 0).ext(distinct_on(table.source)).order_by(table.source, day.desc())
    )
    return [(row[0], row[1], row[2], row[3]) for row in connection.execute(query)]
