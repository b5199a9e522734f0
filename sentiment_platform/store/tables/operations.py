"""Keys, leases and the audit trail: who may do what, who is doing it now, who did it."""

from datetime import datetime

from sqlalchemy import BigInteger, Index, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from sentiment_platform.store.tables.base import Base, Document, InsertedAt, Instant, Serial


class ApiKey(Base):
    """An API key by the hash of its secret; the secret itself is shown once, at creation."""

    __tablename__ = "api_keys"

    id: Mapped[str] = mapped_column(primary_key=True)
    secret_hash: Mapped[str]
    role: Mapped[str]
    owner: Mapped[str]
    created_at: Mapped[InsertedAt]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    scopes: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    previous_hash: Mapped[str | None]
    previous_until: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]


class FeatureFlag(Base):
    """A switch that somebody turned at least once; one without a row is on. `revision` counts its changes."""

    __tablename__ = "feature_flags"

    name: Mapped[str] = mapped_column(primary_key=True)
    enabled: Mapped[bool]
    revision: Mapped[int]
    reason: Mapped[str | None]
    actor: Mapped[str | None]
    changed_at: Mapped[datetime | None]


class Lease(Base):
    """Who may write a subject until when; `token` only grows, and a writer with a smaller one is refused."""

    __tablename__ = "leases"

    subject: Mapped[str] = mapped_column(primary_key=True)
    token: Mapped[int] = mapped_column(BigInteger)
    holder: Mapped[str]
    expires_at: Mapped[Instant]


class AuditRow(Base):
    """One administrative act. Append-only by trigger; each row's hash covers the row before it."""

    __tablename__ = "audit_log"
    __table_args__ = (Index("ix_audit_log_at", "at"),)

    id: Mapped[Serial]
    at: Mapped[Instant]
    actor: Mapped[str]
    action: Mapped[str]
    subject: Mapped[str]
    detail: Mapped[Document]
    previous_hash: Mapped[str]
    hash: Mapped[str]
