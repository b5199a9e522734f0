"""Drift figures, and the decisions to retrain (or not) that were drawn from what was seen."""

from sqlalchemy import Double, Index, Integer, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from sentiment_platform.store.tables.base import Base, Document, InsertedAt, Instant


class DriftMetric(Base):
    """One test of one feature (or score) over one window against one reference."""

    __tablename__ = "drift_metrics"
    __table_args__ = (
        Index("ix_drift_metrics_window_end", "window_end"),
        Index("ix_drift_metrics_created_at", "created_at"),
        # One row a report: the way from report to report.
        Index("ix_drift_metrics_one_a_report", "created_at", postgresql_where=text("subject = 'predicted_label'::text")),
    )

    report_id: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True)
    test: Mapped[str] = mapped_column(primary_key=True)
    window_start: Mapped[Instant]
    window_end: Mapped[Instant]
    reference: Mapped[str]
    n_reference: Mapped[int]
    n_current: Mapped[int]
    statistic: Mapped[float | None] = mapped_column(Double)
    p_value: Mapped[float | None] = mapped_column(Double)
    adjusted_p_value: Mapped[float | None] = mapped_column(Double)
    effect_size: Mapped[float | None] = mapped_column(Double)
    threshold: Mapped[float] = mapped_column(Double)
    drifted: Mapped[bool]
    windows_moved: Mapped[int | None]
    created_at: Mapped[InsertedAt]


class DriftDistribution(Base):
    """What one subject of a drift report looked like: counts of both samples over the same bins. Older reports have none."""

    __tablename__ = "drift_distributions"

    report_id: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True)
    edges: Mapped[list[float]] = mapped_column(ARRAY(Double))
    reference: Mapped[list[int]] = mapped_column(ARRAY(Integer))
    current: Mapped[list[int]] = mapped_column(ARRAY(Integer))
    reference_missing: Mapped[int]
    current_missing: Mapped[int]


class RetrainDecision(Base):
    """Whether to retrain, why, and the figures it rests on; `id` is the digest of its causes, so one cause decides once."""

    __tablename__ = "retrain_decisions"
    __table_args__ = (Index("ix_retrain_decisions_decided_at", "decided_at"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    decided_at: Mapped[Instant]
    retrain: Mapped[bool]
    reasons: Mapped[Document]
    evidence: Mapped[Document]
    run_id: Mapped[str]
