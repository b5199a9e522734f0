"""SQL of the offline feature store: vectors keyed by entity, schema version and time; point-in-time reads.

What the vectors are computed from is read in `store.feature_inputs`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, select, text

from sentiment_platform.store.tables import ProcessedFeatures


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureRow:
    """One stored vector; `values` in the order of its schema. `revision` and `computed_at` are the database's word, None before."""

    entity: str
    schema_version: str
    as_of: datetime
    article_id: str | None
    values: tuple[float | None, ...]
    revision: int | None = None
    computed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class FirstVector:
    """What a row said when it was written first, and when that was."""

    values: tuple[float | None, ...]
    computed_at: datetime


_STAGE = """
    CREATE TEMP TABLE IF NOT EXISTS staged_features (
        position int, entity text, schema_version text, as_of timestamptz, article_id text, values double precision[]
    ) ON COMMIT DROP;
    TRUNCATE staged_features"""
_COPY = "COPY staged_features (position, entity, schema_version, as_of, article_id, values) FROM STDIN"
# In the order of the key: writers that meet wait for each other and never lock each other out.
_UPSERT = text("""
    INSERT INTO platform.processed_features AS kept
        (entity, schema_version, as_of, article_id, values, revision, computed_at)
    SELECT entity, schema_version, as_of, article_id, values, 1, coalesce(CAST(:at AS timestamptz), now())
    FROM staged_features ORDER BY entity, schema_version, as_of
    ON CONFLICT (entity, schema_version, as_of) DO UPDATE SET
        values = excluded.values, article_id = excluded.article_id,
        revision = kept.revision + 1, computed_at = excluded.computed_at
    WHERE kept.values IS DISTINCT FROM excluded.values""")
# Row by row through the key: a temporary table has no statistics, and a plain join read the whole of what was ever stored.
_STORED = text("""
    SELECT kept.revision, kept.computed_at FROM staged_features AS staged
    CROSS JOIN LATERAL (
        SELECT revision, computed_at FROM platform.processed_features AS found
        WHERE (found.entity, found.schema_version, found.as_of) = (staged.entity, staged.schema_version, staged.as_of)
        LIMIT 1
    ) AS kept ORDER BY staged.position""")


def write_features(connection: Connection, rows: Iterable[FeatureRow], computed_at: datetime | None = None) -> list[FeatureRow]:
    """Insert or overwrite by natural key, by one COPY; the same rows twice change nothing. No key may be given twice.

    Returns:
        The rows as they now stand, in the order given: `revision` grows by one with every change of the values.
    """
    given = list(rows)
    if not given:
        return []
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor:
        cursor.execute(_STAGE)
        with cursor.copy(_COPY) as copy:
            for position, r in enumerate(given):
                copy.write_row((position, r.entity, r.schema_version, r.as_of, r.article_id, _array(r.values)))
    connection.execute(_UPSERT, {"at": computed_at})
    stored = connection.execute(_STORED).all()
    return [replace(row, revision=kept.revision, computed_at=kept.computed_at) for row, kept in zip(given, stored, strict=True)]


def _array(values: Sequence[float | None]) -> str:
    # As PostgreSQL writes an array: psycopg would choose a type for every value of every row.
    return "{" + ",".join(["NULL" if value is None else repr(value) for value in values]) + "}"


def _columns() -> list[Any]:
    return [getattr(ProcessedFeatures, name) for name in FeatureRow.__dataclass_fields__]


def _row(row: Any) -> FeatureRow:
    return FeatureRow(
        entity=row[0],
        schema_version=row[1],
        as_of=row[2],
        article_id=row[3],
        values=tuple(row[4]),
        revision=row[5],
        computed_at=row[6],
    )


def features_as_of(connection: Connection, schema_version: str, entities: Sequence[str], at: datetime) -> dict[str, FeatureRow]:
    """The newest vector of each entity with `as_of` <= `at`; entities without one are absent."""
    return {row.entity: row for row in features_at(connection, schema_version, [(entity, at) for entity in entities]) if row}


_FIRST = text("""
    SELECT kept.entity, coalesce(first.values, kept.values), coalesce(first.computed_at, kept.computed_at)
    FROM unnest(CAST(:entities AS text[]), CAST(:moments AS timestamptz[])) AS asked (entity, as_of)
    CROSS JOIN LATERAL (
        SELECT entity, values, computed_at, revision FROM platform.processed_features AS found
        WHERE (found.entity, found.schema_version, found.as_of) = (asked.entity, :schema, asked.as_of) LIMIT 1) AS kept
    LEFT JOIN LATERAL (
        SELECT values, computed_at FROM platform.feature_revisions AS old
        WHERE kept.revision > 1 AND (old.entity, old.schema_version, old.as_of) = (asked.entity, :schema, asked.as_of)
        ORDER BY old.revision LIMIT 1) AS first ON true""")


def first_vectors(connection: Connection, schema_version: str, keys: Sequence[tuple[str, datetime]]) -> dict[str, FirstVector]:
    """Entity -> what its row of that `as_of` said when it was written first; those without a row are absent."""
    if not keys:
        return {}
    entities, moments = zip(*keys, strict=True)
    rows = connection.execute(_FIRST, {"entities": list(entities), "moments": list(moments), "schema": schema_version})
    return {row[0]: FirstVector(tuple(row[1]), row[2]) for row in rows}


_AS_KNOWN = text("""
    SELECT asked.entity, known.as_of, known.article_id, known.values, known.revision, known.computed_at
    FROM unnest(CAST(:entities AS text[])) AS asked (entity)
    CROSS JOIN LATERAL (
        SELECT * FROM (
            SELECT as_of, article_id, values, revision, computed_at FROM platform.processed_features
            WHERE entity = asked.entity AND schema_version = :schema AND as_of <= :at AND computed_at <= :known_at
            UNION ALL
            SELECT as_of, NULL, values, revision, computed_at FROM platform.feature_revisions
            WHERE entity = asked.entity AND schema_version = :schema AND as_of <= :at AND computed_at <= :known_at
        ) AS either ORDER BY as_of DESC, revision DESC LIMIT 1) AS known""")


def features_as_known(
    connection: Connection, schema_version: str, entities: Sequence[str], at: datetime, known_at: datetime
) -> dict[str, FeatureRow]:
    """As `features_as_of`, in the revision that stood at `known_at`; what was first computed later is absent.

    `article_id` is None where the row has been corrected since.
    """
    parameters = {"entities": list(entities), "schema": schema_version, "at": at, "known_at": known_at}
    return {
        row[0]: FeatureRow(
            entity=row[0],
            schema_version=schema_version,
            as_of=row[1],
            article_id=row[2],
            values=tuple(row[3]),
            revision=row[4],
            computed_at=row[5],
        )
        for row in connection.execute(_AS_KNOWN, parameters)
    }


_AT = text("""
    SELECT kept.entity, kept.schema_version, kept.as_of, kept.article_id, kept.values, kept.revision, kept.computed_at
    FROM unnest(CAST(:entities AS text[]), CAST(:moments AS timestamptz[])) WITH ORDINALITY AS asked (entity, at, position)
    LEFT JOIN LATERAL (
        SELECT * FROM platform.processed_features AS known
        WHERE known.entity = asked.entity AND known.schema_version = :schema AND known.as_of <= asked.at
        ORDER BY known.as_of DESC LIMIT 1) AS kept ON true
    ORDER BY asked.position""")


def features_at(connection: Connection, schema_version: str, moments: Sequence[tuple[str, datetime]]) -> list[FeatureRow | None]:
    """The point-in-time join: for each (entity, moment) the newest vector known at that moment, or None; in the order asked."""
    if not moments:
        return []
    entities, times = zip(*moments, strict=True)
    parameters = {"entities": list(entities), "moments": list(times), "schema": schema_version}
    return [_row(row) if row.entity is not None else None for row in connection.execute(_AT, parameters)]


# Titles row by row through their key, for the reason given at _STORED.
_SINCE = text("""
    SELECT newest.*, article.title FROM (
        SELECT DISTINCT ON (entity) entity, schema_version, as_of, article_id, values, revision, computed_at
        FROM platform.processed_features
        WHERE schema_version = :schema AND as_of >= :as_of
        ORDER BY entity, as_of DESC
    ) AS newest
    LEFT JOIN LATERAL (SELECT title FROM platform.raw_data WHERE id = newest.article_id LIMIT 1) AS article ON true
    WHERE newest.computed_at >= :computed_at
    ORDER BY newest.as_of, newest.entity""")


def features_since(
    connection: Connection, schema_version: str, as_of: datetime, computed_at: datetime
) -> list[tuple[FeatureRow, str | None]]:
    """(row, its article's title) of the newest row of each entity since `as_of`, if it was written since `computed_at`."""
    parameters = {"schema": schema_version, "as_of": as_of, "computed_at": computed_at}
    return [(_row(row), row.title) for row in connection.execute(_SINCE, parameters)]


def features_between(
    connection: Connection, schema_version: str, entities: Sequence[str], since: datetime, until: datetime
) -> list[FeatureRow]:
    """Every row of these entities with since <= `as_of` <= until, oldest first, and of each the one that held at `since`."""
    table = ProcessedFeatures
    query = (
        select(*_columns())
        .where(table.entity.in_(entities), table.schema_version == schema_version, table.as_of >= since, table.as_of <= until)
        .order_by(table.as_of, table.entity)
    )
    before = features_at(connection, schema_version, [(entity, since) for entity in entities])
    held = [row for row in before if row and row.as_of < since]
    return held + [_row(row) for row in connection.execute(query)]


def delete_context(connection: Connection, schema_version: str, before: datetime) -> int:
    """Delete what tickers and outlets had before that time, the newest row of each excepted; returns the rows deleted."""
    table = ProcessedFeatures
    later = table.__table__.alias("later")
    superseded = (
        select(later.c.entity)
        .where(later.c.entity == table.entity, later.c.schema_version == table.schema_version, later.c.as_of > table.as_of)
        .exists()
    )
    statement = delete(table).where(
        table.schema_version == schema_version, table.as_of < before, table.article_id.is_(None), superseded
    )
    return connection.execute(statement).rowcount
