"""SQL of the offline feature store: vectors keyed by entity, schema version and time; point-in-time reads."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select
from sqlalchemy.dialects.postgresql import distinct_on, insert

from sentiment_platform.store.tables import ProcessedFeatures


@dataclass(frozen=True, slots=True)
class FeatureRow:
    """One stored vector; `values` in the order of its schema."""

    entity: str
    schema_version: str
    as_of: datetime
    article_id: str | None
    values: tuple[float | None, ...]


def write_features(connection: Connection, rows: Iterable[FeatureRow]) -> int:
    """Insert or overwrite by natural key; returns the number of rows given. The same rows twice change nothing."""
    records = [
        {
            "entity": r.entity,
            "schema_version": r.schema_version,
            "as_of": r.as_of,
            "article_id": r.article_id,
            "values": list(r.values),
        }
        for r in rows
    ]
    if records:
        statement = insert(ProcessedFeatures)
        statement = statement.on_conflict_do_update(
            index_elements=["entity", "schema_version", "as_of"],
            set_={
                "values": statement.excluded["values"],
                "article_id": statement.excluded.article_id,
                "computed_at": func.now(),
            },
            where=ProcessedFeatures.values.is_distinct_from(statement.excluded["values"]),
        )
        connection.execute(statement, records)
    return len(records)


def features_as_of(connection: Connection, schema_version: str, entities: Sequence[str], at: datetime) -> dict[str, FeatureRow]:
    """The newest vector of each entity with `as_of` <= `at`; entities without one are absent."""
    table = ProcessedFeatures
    query = (
        select(table.entity, table.schema_version, table.as_of, table.article_id, table.values)
        .where(table.entity.in_(entities), table.schema_version == schema_version, table.as_of <= at)
        .ext(distinct_on(table.entity))
        .order_by(table.entity, table.as_of.desc())
    )
    return {
        row.entity: FeatureRow(row.entity, row.schema_version, row.as_of, row.article_id, tuple(row.values))
        for row in connection.execute(query)
    }


def count_features(connection: Connection, schema_version: str) -> int:
    """Vectors stored under a schema version."""
    return connection.execute(
        select(func.count()).select_from(ProcessedFeatures).where(ProcessedFeatures.schema_version == schema_version)
    ).scalar_one()


def newest_features(connection: Connection, schema_version: str, limit: int) -> list[FeatureRow]:
    """The vectors with the latest `as_of`, newest first."""
    table = ProcessedFeatures
    query = (
        select(table.entity, table.schema_version, table.as_of, table.article_id, table.values)
        .where(table.schema_version == schema_version)
        .order_by(table.as_of.desc(), table.entity)
        .limit(limit)
    )
    return [FeatureRow(*row[:4], tuple(row[4])) for row in connection.execute(query)]
