"""The audit trail: one row an administrative act, in the act's own transaction, each hash covering the row before it."""

import json
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, cast, select, text
from sqlalchemy.dialects.postgresql import JSONB, insert

from sentiment_platform.store.tables import AuditRow

GENESIS = "0" * 64


def record(connection: Connection, *, at: datetime, actor: str, action: str, subject: str, detail: Mapping[str, Any]) -> str:
    """Append a row; returns its hash. Appenders queue up behind a transaction-scoped advisory lock, so the chain has no forks."""
    _lock(connection)
    previous = connection.execute(select(AuditRow.hash).order_by(AuditRow.id.desc()).limit(1)).scalar() or GENESIS
    # JSONB keeps numbers, not spellings (1e22 comes back as an integer, -0.0 as 0.0): hash what will be read back.
    stored: Any = connection.execute(select(cast(dict(detail), JSONB))).scalar_one()
    digest = row_hash(previous, at, actor, action, subject, stored)
    connection.execute(
        insert(AuditRow).values(
            at=at, actor=actor, action=action, subject=subject, detail=stored, previous_hash=previous, hash=digest
        )
    )
    return digest


def record_once(
    connection: Connection, *, at: datetime, actor: str, action: str, subject: str, detail: Mapping[str, Any]
) -> str | None:
    """`record`, unless an act of this time, action and subject is in the trail already; None then."""
    _lock(connection)
    table = AuditRow
    known = select(table.id).where(table.at == at, table.action == action, table.subject == subject).limit(1)
    if connection.execute(known).first() is not None:
        return None
    return record(connection, at=at, actor=actor, action=action, subject=subject, detail=detail)


def record_within(connection: Connection, seconds: float) -> None:
    """What this transaction appends is committed within `seconds`, with all else that it writes, or not at all.

    A trigger looks at the commit itself: also one that waits in a frozen server is refused when that goes on.
    """
    ends = text("SELECT set_config('platform.commit_before', (clock_timestamp() + make_interval(secs => :left))::text, true)")
    connection.execute(ends, {"left": seconds})


def newest_rows(connection: Connection, limit: int, offset: int) -> list[dict[str, Any]]:
    """Rows of the trail, each with its columns by name, newest first."""
    table = AuditRow.__table__
    return [
        dict(row) for row in connection.execute(select(table).order_by(table.c.id.desc()).limit(limit).offset(offset)).mappings()
    ]


def verify(connection: Connection) -> list[int]:
    """Ids of rows whose hash or link is wrong; empty for an untouched trail."""
    broken: list[int] = []
    previous = GENESIS
    for row in connection.execute(select(AuditRow.__table__).order_by(AuditRow.id)):
        expected = row_hash(previous, row.at, row.actor, row.action, row.subject, row.detail)
        if row.previous_hash != previous or row.hash != expected:
            broken.append(row.id)
        previous = row.hash
    return broken


def row_hash(previous: str, at: datetime, actor: str, action: str, subject: str, detail: Mapping[str, Any]) -> str:
    """SHA-256 over the previous hash and the row's content, 64 hexadecimal digits."""
    content = json.dumps([previous, at.timestamp(), actor, action, subject, dict(detail)], sort_keys=True, separators=(",", ":"))
    return sha256(content.encode()).hexdigest()


def _lock(connection: Connection) -> None:
    connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('platform.audit_log'))"))
