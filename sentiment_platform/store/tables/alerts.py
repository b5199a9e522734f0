"""Incidents that somebody must hear of, and how far their messages have come."""

from datetime import datetime

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from sentiment_platform.store.tables.base import Base, Document, Instant


class AlertRow(Base):
    """One incident, from opening to resolution. Of each fingerprint at most one is open.

    `open_sent_at` and `resolve_sent_at`: when the sink accepted the message; `retry_at`: not to be sent before, because somebody is
    sending it or the sink asked to wait. `remind_at`: when a critical incident is told again while nobody acknowledged it; null until it
    was critical. `acknowledged_severity`: how bad it was when somebody acknowledged it; getting worse than that takes the
    acknowledgement away.
    """

    __tablename__ = "alerts"
    __table_args__ = (
        Index("uq_alerts_one_open_per_fingerprint", "fingerprint", unique=True, postgresql_where=text("resolved_at IS NULL")),
        Index("ix_alerts_opened_at", "opened_at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    fingerprint: Mapped[str]
    category: Mapped[str]
    severity: Mapped[str]
    source: Mapped[str]
    summary: Mapped[str]
    detail: Mapped[Document]
    opened_at: Mapped[Instant]
    last_seen_at: Mapped[Instant]
    resolved_at: Mapped[datetime | None]
    open_sent_at: Mapped[datetime | None]
    resolve_sent_at: Mapped[datetime | None]
    retry_at: Mapped[datetime | None]
    last_error: Mapped[str | None]
    remind_at: Mapped[datetime | None]
    acknowledged_at: Mapped[datetime | None]
    acknowledged_by: Mapped[str | None]
    acknowledged_note: Mapped[str | None]
    acknowledged_severity: Mapped[str | None]
