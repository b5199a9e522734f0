"""SQL of drift reports."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, Connection, select, text
from sqlalchemy.dialects.postgresql import insert

from sentiment_platform.store.tables import DriftDistribution, DriftMetric

if TYPE_CHECKING:
    # Serving reads these rows, and it does not load the tests behind them.
    from sentiment_platform.statistics.drift.by_feature import DriftTest


EARLIER = "earlier"
"""The part of a reference that is earlier traffic: such a report is about change, any other about fit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftRow:
    """One test of one subject (a feature or a score) in a report.

    Attributes:
        reference: `<version>:<part>`, what was compared with: traffic of the weeks before (`EARLIER`), or that part of the training set.
        statistic, p_value, adjusted_p_value, effect_size: None where the test says nothing of it.
        windows_moved: in how many of the report's windows the subject moved; None where there is one window only, as in a fit.
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
    windows_moved: int | None = None

    @property
    def feature(self) -> str:
        """The subject, as the tests call it."""
        return self.subject


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredDriftRow(DriftRow):
    """A row as it stands in the table."""

    created_at: datetime

    @property
    def version(self) -> str:
        """The version that was watched."""
        return self.reference.partition(":")[0]


def write_drift_rows(connection: Connection, rows: Sequence[DriftRow]) -> int:
    """Insert the rows of a report; a report that is there already is left alone. Returns how many rows were new."""
    if not rows:
        return 0
    statement = insert(DriftMetric).on_conflict_do_nothing().returning(DriftMetric.subject)
    return len(connection.execute(statement, [asdict(row) for row in rows]).all())


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredDistribution:
    """One subject of a report as `statistics.drift.histograms` counts it."""

    report_id: str
    subject: str
    edges: list[float]
    reference: list[int]
    current: list[int]
    reference_missing: int
    current_missing: int


def write_distributions(connection: Connection, distributions: Sequence[StoredDistribution]) -> None:
    """What the subjects of a report look like; what is there already stays."""
    if distributions:
        statement = insert(DriftDistribution).on_conflict_do_nothing()
        connection.execute(statement, [asdict(distribution) for distribution in distributions])


def distributions_of(connection: Connection, report_id: str) -> list[StoredDistribution]:
    """The distributions of a report, by subject; none where it was written before they were kept."""
    query = select(*[getattr(DriftDistribution, name) for name in StoredDistribution.__dataclass_fields__])
    query = query.where(DriftDistribution.report_id == report_id).order_by(DriftDistribution.subject)
    return [StoredDistribution(**row) for row in connection.execute(query).mappings()]


# Each report tests the predicted label once: the way to the newest reports without reading all their rows.
_NEWEST_REPORTS = text("""
    SELECT report_id FROM platform.drift_metrics
    WHERE subject = 'predicted_label' AND test = 'psi' AND split_part(reference, ':', 2) = 'earlier'
        AND (CAST(:version AS text) IS NULL OR split_part(reference, ':', 1) = :version)
    ORDER BY created_at DESC, report_id LIMIT :limit""")


def newest_reports(connection: Connection, version: str | None, limit: int) -> list[list[StoredDriftRow]]:
    """The rows of the newest `limit` reports, about one version or any, newest first."""
    ids = list(connection.execute(_NEWEST_REPORTS, {"version": version, "limit": limit}).scalars())
    rows: dict[str, list[StoredDriftRow]] = {report_id: [] for report_id in ids}
    for row in _rows(connection, DriftMetric.report_id.in_(ids)):
        rows[row.report_id].append(row)
    return list(rows.values())


def report_rows(connection: Connection, report_id: str) -> list[StoredDriftRow]:
    """The rows of one report; none where there is no such report."""
    return _rows(connection, DriftMetric.report_id == report_id)


def _rows(connection: Connection, which: ColumnElement[bool]) -> list[StoredDriftRow]:
    table = DriftMetric
    query = select(*[getattr(table, name) for name in StoredDriftRow.__dataclass_fields__]).where(which)
    rows = connection.execute(query.order_by(table.report_id, table.subject, table.test)).mappings()
    return [StoredDriftRow(**row) for row in rows]


def newest_drift_rows(connection: Connection, version: str) -> list[StoredDriftRow]:
    """The rows of the report on change that was written last while `version` was watched; empty when there is none."""
    return _newest(connection, DriftMetric.reference == f"{version}:{EARLIER}")


def fit_rows(connection: Connection, version: str) -> list[StoredDriftRow]:
    """The rows of the report on how well traffic fits what `version` was trained on; empty when there is none."""
    return _newest(connection, DriftMetric.reference.in_([f"{version}:train", f"{version}:test"]))


def _newest(connection: Connection, which: ColumnElement[bool]) -> list[StoredDriftRow]:
    table = DriftMetric
    newest = select(table.report_id).where(which).order_by(table.created_at.desc(), table.report_id).limit(1)
    return _rows(connection, table.report_id == newest.scalar_subquery())
