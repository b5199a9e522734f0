"""SQL of the decisions to retrain."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, tuple_
from sqlalchemy.dialects.postgresql import insert

from sentiment_platform.store.tables import (
    RetrainDecision,
)


@dataclass(frozen=True, slots=True)
class StoredDecision:
    """A row of `retrain_decisions`."""

    id: str
    decided_at: datetime
    retrain: bool
    reasons: dict[str, Any]
    evidence: dict[str, Any]


def write_decision(connection: Connection, decision: StoredDecision, run_id: str) -> bool:
    """Insert a decision; returns False, writing nothing, when it was made before."""
    statement = (
        insert(RetrainDecision)
        .values(
            id=decision.id,
            decided_at=decision.decided_at,
            retrain=decision.retrain,
            reasons=decision.reasons,
            evidence=decision.evidence,
            run_id=run_id,
        )
        .on_conflict_do_nothing()
        .returning(RetrainDecision.id)
    )
    return connection.execute(statement).first() is not None


def newest_decisions(
    connection: Connection, limit: int = 20, *, offset: int = 0, retrain: bool | None = None
) -> list[StoredDecision]:
    """`limit` decisions behind the `offset` newest, newest first; only those with that outcome unless `retrain` is None."""
    table = RetrainDecision
    query = select(table.id, table.decided_at, table.retrain, table.reasons, table.evidence)
    if retrain is not None:
        query = query.where(table.retrain.is_(retrain))
    query = query.order_by(table.decided_at.desc(), table.id.desc()).limit(limit).offset(offset)
    return [StoredDecision(*row) for row in connection.execute(query)]


def decisions_to_retrain_after(connection: Connection, position: tuple[datetime, str] | None) -> list[StoredDecision]:
    """Decisions to retrain behind that (decided at, id), oldest first; None: all."""
    table = RetrainDecision
    query = select(table.id, table.decided_at, table.retrain, table.reasons, table.evidence).where(table.retrain)
    if position is not None:
        query = query.where(tuple_(table.decided_at, table.id) > position)
    return [StoredDecision(*row) for row in connection.execute(query.order_by(table.decided_at, table.id))]
