"""Incidents: anyone opens and resolves them here; only `alerts.delivery` sends the messages that each of them is due.

One condition has one fingerprint, and one fingerprint has at most one open incident, whoever evaluates it at the same time. How somebody
acknowledges one: `acknowledgements`.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Connection, and_, case, func, not_, or_, select, text, update
from sqlalchemy.dialects.postgresql import distinct_on, insert

from sentiment_platform.store.tables import AlertRow

Category = Literal["performance", "system", "data_quality", "deployment"]
AlertSeverity = Literal["warning", "critical"]
Event = Literal["open", "reminder", "resolve"]
FREEZES_PROMOTION = "freezes_promotion"
"""True under this name in an incident's detail: nothing is promoted by itself while it is open and nobody has acknowledged it."""
CLAIM = timedelta(minutes=2)
"""How long a message is its claimer's: longer than sending one can take, so a claim that ran out means a killed process."""
WORTH_SENDING = timedelta(days=7)
"""A sink that is configured or repaired later hears of nothing older, but for what is critical and still open."""
REMINDED_EVERY = timedelta(days=1)
"""How often a critical incident is told again while it is open and nobody has acknowledged it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """A condition that somebody must hear of.

    Attributes:
        fingerprint: names the condition and its subject, `drift:v1.0.0-vader:word_count`; the same is the same incident.
        source: who evaluates it, such as the name of a check.
        summary: one sentence for a person. `detail`: the figures behind it, JSON-able.
    """

    fingerprint: str
    category: Category
    severity: AlertSeverity
    source: str
    summary: str
    detail: dict[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredIncident(Incident):
    """An incident as it stands in the table, with what was sent of it; `resolved_at` is None while it is open."""

    id: str
    opened_at: datetime
    last_seen_at: datetime
    resolved_at: datetime | None
    open_sent_at: datetime | None
    resolve_sent_at: datetime | None
    retry_at: datetime | None
    last_error: str | None
    remind_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    acknowledged_note: str | None
    acknowledged_severity: AlertSeverity | None


@dataclass(frozen=True, slots=True)
class Message:
    """What is to be sent: one event of one incident. `id` is the same at every attempt, and of no other message."""

    event: Event
    incident: StoredIncident

    @property
    def id(self) -> str:
        reminded = self.event == "reminder" and self.incident.remind_at
        return f"{self.incident.id}:{self.event}" + (f":{int(reminded.timestamp())}" if reminded else "")


def open_incident(connection: Connection, incident: Incident, now: datetime) -> bool:
    """Open it, or bring the open one of its fingerprint up to date; whether it is new.

    One that becomes critical is told again at once, but not more often than reminders come if it was critical before.
    """
    identity = uuid.uuid4().hex
    shown = {name: getattr(incident, name) for name in ("category", "severity", "source", "summary", "detail")}
    critical = incident.severity == "critical"
    statement = (
        insert(AlertRow)
        .values(
            id=identity,
            fingerprint=incident.fingerprint,
            opened_at=now,
            last_seen_at=now,
            remind_at=now + REMINDED_EVERY if critical else None,
            **shown,
        )
        .on_conflict_do_update(
            index_elements=["fingerprint"],
            index_where=text("resolved_at IS NULL"),
            set_={**shown, "last_seen_at": now, **(_worse(now) if critical else {})},
        )
        .returning(AlertRow.id)
    )
    return connection.execute(statement).scalar_one() == identity


def _worse(now: datetime) -> dict[str, Any]:
    """What a critical finding changes of an incident that was not critical, or that was acknowledged while it was not."""
    columns = (AlertRow.acknowledged_at, AlertRow.acknowledged_by, AlertRow.acknowledged_note, AlertRow.acknowledged_severity)
    kept = {column.key: case((AlertRow.acknowledged_severity == "critical", column)) for column in columns}
    return {"remind_at": func.coalesce(AlertRow.remind_at, now), **kept}


def resolve_incident(connection: Connection, fingerprint: str, now: datetime) -> bool:
    """Resolve the open incident of `fingerprint`; whether there was one."""
    statement = update(AlertRow).where(AlertRow.fingerprint == fingerprint, AlertRow.resolved_at.is_(None))
    return connection.execute(statement.values(resolved_at=now).returning(AlertRow.id)).first() is not None


def reconcile(connection: Connection, source: str, current: Sequence[Incident], now: datetime) -> tuple[list[str], list[str]]:
    """Make the open incidents of `source` those that it names as `current`; fingerprints that were opened, and resolved."""
    opened = [incident.fingerprint for incident in current if open_incident(connection, incident, now)]
    gone = {known.fingerprint for known in open_incidents(connection) if known.source == source}
    gone -= {incident.fingerprint for incident in current}
    return opened, [fingerprint for fingerprint in sorted(gone) if resolve_incident(connection, fingerprint, now)]


def open_incidents(connection: Connection) -> list[StoredIncident]:
    """What is open, oldest first."""
    query = select(AlertRow.__table__).where(AlertRow.resolved_at.is_(None)).order_by(AlertRow.opened_at, AlertRow.id)
    return [StoredIncident(**row) for row in connection.execute(query).mappings()]


def promotion_freeze(connection: Connection) -> StoredIncident | None:
    """The open incident that keeps versions from being promoted by themselves; acknowledging it lifts that, and so does its end."""
    freezing = (one for one in open_incidents(connection) if one.detail.get(FREEZES_PROMOTION) and one.acknowledged_at is None)
    return next(freezing, None)


def incidents_page(connection: Connection, limit: int, offset: int) -> list[StoredIncident]:
    """Incidents from the `offset`-th on: what is open first, then what was resolved, the newest of each first."""
    query = select(AlertRow.__table__).limit(limit).offset(offset)
    query = query.order_by(AlertRow.resolved_at.desc().nulls_first(), AlertRow.opened_at.desc(), AlertRow.id)
    return [StoredIncident(**row) for row in connection.execute(query).mappings()]


def open_by_severity(connection: Connection) -> dict[str, tuple[int, int]]:
    """Severity -> incidents that are open, and those of them that somebody acknowledged; a severity without any is absent."""
    query = select(AlertRow.severity, func.count(), func.count(AlertRow.acknowledged_at)).where(AlertRow.resolved_at.is_(None))
    return {severity: (opened, known) for severity, opened, known in connection.execute(query.group_by(AlertRow.severity))}


def newest_incidents(connection: Connection, fingerprints: Sequence[str]) -> list[StoredIncident]:
    """The newest incident of each of these fingerprints, oldest first."""
    query = select(AlertRow.__table__).ext(distinct_on(AlertRow.fingerprint)).where(AlertRow.fingerprint.in_(fingerprints))
    rows = connection.execute(query.order_by(AlertRow.fingerprint, AlertRow.opened_at.desc(), AlertRow.id)).mappings()
    return sorted((StoredIncident(**row) for row in rows), key=lambda incident: (incident.opened_at, incident.id))


def claim_message(connection: Connection, now: datetime) -> Message | None:
    """The oldest message that is due, claimed for `CLAIM`, or None. An incident's opening is sent before its other messages."""
    due = select(AlertRow.id).where(_unsent(now), or_(AlertRow.retry_at.is_(None), AlertRow.retry_at <= now))
    due = due.order_by(AlertRow.opened_at, AlertRow.id).limit(1).with_for_update(skip_locked=True)
    claimed = update(AlertRow).where(AlertRow.id == due.scalar_subquery()).values(retry_at=now + CLAIM)
    row = connection.execute(claimed.returning(AlertRow.__table__)).mappings().first()
    if row is None:
        return None
    incident = StoredIncident(**row)
    told = "reminder" if incident.resolved_at is None else "resolve"
    return Message("open" if incident.open_sent_at is None else told, incident)


def mark_sent(connection: Connection, message: Message, now: datetime) -> None:
    """The sink has accepted it. A critical incident is told again `REMINDED_EVERY` later."""
    values: dict[str, Any] = {"retry_at": None, "last_error": None}
    if message.event != "reminder":
        values |= {"open_sent_at" if message.event == "open" else "resolve_sent_at": now}
    if message.event != "resolve" and message.incident.severity == "critical":
        values |= {"remind_at": now + REMINDED_EVERY}
    connection.execute(update(AlertRow).where(AlertRow.id == message.incident.id).values(values))


def mark_failed(connection: Connection, message: Message, error: str, retry_at: datetime) -> None:
    """The sink has not accepted it; it is due again at `retry_at`."""
    values = {"retry_at": retry_at, "last_error": error[:500]}
    connection.execute(update(AlertRow).where(AlertRow.id == message.incident.id).values(values))


def unsent_messages(connection: Connection, now: datetime) -> tuple[int, str | None]:
    """Incidents with a message that no sink has accepted, and the newest error."""
    query = select(func.count(), func.max(AlertRow.last_error)).where(_unsent(now))
    count, error = connection.execute(query).one()
    return count, error


def _unsent(now: datetime) -> Any:
    told = AlertRow.open_sent_at.is_not(None)
    opening = and_(AlertRow.opened_at > now - WORTH_SENDING, not_(told))
    # By its own age: an incident may have been open for weeks.
    resolution = and_(AlertRow.resolved_at > now - WORTH_SENDING, AlertRow.resolve_sent_at.is_(None), told)
    nobody_knows = and_(AlertRow.resolved_at.is_(None), AlertRow.acknowledged_at.is_(None))
    reminder = and_(nobody_knows, AlertRow.severity == "critical", AlertRow.remind_at <= now)
    return or_(opening, resolution, reminder)
