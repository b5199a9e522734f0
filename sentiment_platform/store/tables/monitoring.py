"""Drift figures, and the decisions to retrain (or not) that were drawn from what was seen."""

from sqlalchemy import Double, Index
from sqlalchemy.orm import Mapped, mapped_column

from sentiment_platform.store.tables.base import Base, Document, InsertedAt, Instant


class DriftMetric(Base):
    """One test of one feature (or score) over one window against one reference."""

    __tablename__ = "drift_metrics"
    __table_args__ = (
        Index("ix_drift_metrics_window_end", "window_end"),
        Index("ix_drift_metrics_created_at", "created_at"),
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
    created_at: Mapped[InsertedAt]


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
