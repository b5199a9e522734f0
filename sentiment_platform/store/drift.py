"""SQL of drift reports."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert

from sentiment_platform.store.tables import (
    DriftMetric,
)


def write_drift_rows(connection: Connection, records: Sequence[Mapping[str, Any]]) -> int:
    """Insert the rows of a report; a report that is there already is left alone. Returns how many rows were new."""
    if not records:
        return 0
    statement = insert(DriftMetric).on_conflict_do_nothing().returning(DriftMetric.subject)
    return len(connection.execute(statement, [dict(record) for record in records]).all())


def newest_drift_rows(connection: Connection, version: str) -> list[dict[str, Any]]:
    """The rows of the report about `version` that was written last; empty when there is none."""
    table = DriftMetric
    of_version = table.reference.startswith(f"{version}:", autoescape=True)
    newest = select(table.report_id).where(of_version).order_by(table.created_at.desc(), table.report_id).limit(1)
    query = select(table.__table__).where(table.report_id == newest.scalar_subquery()).order_by(table.subject, table.test)
    return [dict(row) for row in connection.execute(query).mappings()]
