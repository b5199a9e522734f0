"""SQL of drift reports."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert

from sentiment_platform.store.tables import DriftMetric

if TYPE_CHECKING:
    # Serving reads these rows, and it does not load the tests behind them.
    from sentiment_platform.statistics.drift.by_feature import DriftTest


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftRow:
    """One test of one subject (a feature or a score) in a report.

    Attributes:
        reference: `<version>:<part>`, what was compared with: that part of the version's training set.
        statistic, p_value, adjusted_p_value, effect_size: None where the test says nothing of it.
    """

    report_id: str
    subject: str
    test: "DriftTest"
    window_start: datetime
    window_end: datetime
    reference: str
    n_reference: int
    n_current: int
    statistic: float | None
    p_value: float | None
    adjusted_p_value: float | None
    effect_size: float | None
    threshold: float
    drifted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredDriftRow(DriftRow):
    """A row as it stands in the table."""

    created_at: datetime


def write_drift_rows(connection: Connection, rows: Sequence[DriftRow]) -> int:
    """Insert the rows of a report; a report that is there already is left alone. Returns how many rows were new."""
    if not rows:
        return 0
    statement = insert(DriftMetric).on_conflict_do_nothing().returning(DriftMetric.subject)
    return len(connection.execute(statement, [asdict(row) for row in rows]).all())


def newest_drift_rows(connection: Connection, version: str) -> list[StoredDriftRow]:
    """The rows of the report about `version` that was written last; empty when there is none."""
    table = DriftMetric
    of_version = table.reference.startswith(f"{version}:", autoescape=True)
    newest = select(table.report_id).where(of_version).order_by(table.created_at.desc(), table.report_id).limit(1)
    query = select(*[getattr(table, name) for name in StoredDriftRow.__dataclass_fields__])
    query = query.where(table.report_id == newest.scalar_subquery()).order_by(table.subject, table.test)
    return [StoredDriftRow(**row) for row in connection.execute(query).mappings()]
