"""SQL of acknowledged incidents: the row that somebody looks at, and what they say of it. What that means is in `alerts.acknowledgement`."""

from datetime import datetime

from sqlalchemy import Connection, select, update

from sentiment_platform.store.incidents import AlertSeverity, StoredIncident
from sentiment_platform.store.tables import AlertRow


def locked_incident(connection: Connection, incident_id: str) -> StoredIncident | None:
    """The incident of this id, kept from others until the transaction ends; None for an unknown id."""
    query = select(AlertRow.__table__).where(AlertRow.id == incident_id).with_for_update()
    row = connection.execute(query).mappings().first()
    return StoredIncident(**row) if row else None


def write_acknowledgement(
    connection: Connection, incident_id: str, *, at: datetime, by: str, note: str | None, severity: AlertSeverity
) -> None:
    """`by` knows of the incident, which was of `severity` then; what was said before is replaced."""
    values = {"acknowledged_at": at, "acknowledged_by": by, "acknowledged_note": note, "acknowledged_severity": severity}
    connection.execute(update(AlertRow).where(AlertRow.id == incident_id).values(values))
