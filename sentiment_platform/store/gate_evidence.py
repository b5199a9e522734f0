"""SQL of the gate's evidence: rows are added and never changed; the newest counts."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert

from sentiment_platform.store.tables import GateEvidenceRow


@dataclass(frozen=True, slots=True)
class StoredGateEvidence:
    """A row of `gate_evidence`; `digest` is the sha256 of the document in canonical form."""

    digest: str
    document: dict[str, Any]
    run_id: str
    made_at: datetime


def add_gate_evidence(connection: Connection, evidence: StoredGateEvidence) -> None:
    """Add a row; it is the newest from now on."""
    row = {
        "digest": evidence.digest,
        "document": evidence.document,
        "run_id": evidence.run_id,
        "made_at": evidence.made_at,
    }
    connection.execute(insert(GateEvidenceRow).values(row))


def gate_questions(connection: Connection, since: datetime) -> list[tuple[str, Any]]:
    """Training set and contenders of the evidence that was made after `since`, oldest first, as the release wrote them that made it."""
    document = GateEvidenceRow.document
    query = select(document["training_set"].astext, document["contenders"]).where(GateEvidenceRow.made_at > since)
    return [(row[0], row[1]) for row in connection.execute(query.order_by(GateEvidenceRow.id))]


def newest_gate_evidence(connection: Connection) -> StoredGateEvidence | None:
    """The row that was added last."""
    table = GateEvidenceRow
    query = select(table.digest, table.document, table.run_id, table.made_at).order_by(table.id.desc()).limit(1)
    row = connection.execute(query).first()
    return StoredGateEvidence(*row) if row else None
