"""Where each news source stands between two collections."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from sentiment_platform.store.tables.base import Base


class SourceState(Base):
    """What a source told us to remember: validators, body hash, quota used today, cursor, last success, failures, items ever seen."""

    __tablename__ = "source_state"

    source: Mapped[str] = mapped_column(primary_key=True)
    etag: Mapped[str | None]
    last_modified: Mapped[str | None]
    last_success_at: Mapped[datetime | None]
    last_failure_at: Mapped[datetime | None]
    last_failure: Mapped[str | None]
    consecutive_failures: Mapped[int] = mapped_column(default=0)
    items_seen: Mapped[int] = mapped_column(default=0)
    retry_after: Mapped[datetime | None]
    body_hash: Mapped[str | None]
    quota_day: Mapped[date | None]
    quota_used: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    quota_per_day: Mapped[int | None]
    cursor: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    validators_broken: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
