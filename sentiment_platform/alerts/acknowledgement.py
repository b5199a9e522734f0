"""A person says that they know of an incident: it stays open, and nobody is reminded of it any more. For serving and the command line.

What takes an acknowledgement away again, and when reminders are due: `store.incidents`.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from sentiment_platform.errors import ConflictError, PermanentError
from sentiment_platform.store import audit
from sentiment_platform.store.acknowledgements import locked_incident, write_acknowledgement
from sentiment_platform.store.incidents import StoredIncident

ACTION = "alerts:acknowledge"


class UnknownIncident(PermanentError):
    """No incident has this id."""


class AlreadyResolved(ConflictError):
    """The incident is over."""


@dataclass(frozen=True)
class Acknowledged:
    """The incident as it stands now (or would stand), and whether that is new."""

    incident: StoredIncident
    changed: bool


def acknowledge(
    connection: Connection, incident_id: str, *, by: str, note: str | None, now: datetime, dry_run: bool = False
) -> Acknowledged:
    """Store that `by` knows of an open incident, with an audit row; the same person with the same note again changes nothing.

    Args:
        note: what they say of it; blank is none.
        dry_run: store nothing, and answer what would stand.

    Raises:
        UnknownIncident, AlreadyResolved.
    """
    incident = locked_incident(connection, incident_id)
    if incident is None:
        raise UnknownIncident(
            f"There is no alert {incident_id}.",
            remedy="`sentiment-platform alerts list` and GET /monitoring/alerts show their ids.",
        )
    if incident.resolved_at is not None:
        raise AlreadyResolved(
            f"This alert is over since {incident.resolved_at:%Y-%m-%d %H:%M %Z}.", remedy="Only an open one is acknowledged."
        )
    said = (note or "").strip() or None
    if (incident.acknowledged_by, incident.acknowledged_note, incident.acknowledged_severity) == (by, said, incident.severity):
        return Acknowledged(incident, changed=False)
    stands = replace(
        incident, acknowledged_at=now, acknowledged_by=by, acknowledged_note=said, acknowledged_severity=incident.severity
    )
    if not dry_run:
        write_acknowledgement(connection, incident_id, at=now, by=by, note=said, severity=incident.severity)
        detail = {"fingerprint": incident.fingerprint, "severity": incident.severity, "note": said}
        audit.record(connection, at=now, actor=by, action=ACTION, subject=incident_id, detail=detail)
    return Acknowledged(stands, changed=True)
