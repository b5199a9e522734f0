"""Incidents as public events: what opened and what is over. Who must hear of them is told by `delivery`; this is for whoever listens."""

from datetime import datetime

from sqlalchemy import Engine

from sentiment_platform.alerts.incidents import Changes
from sentiment_platform.events import AlertOpened, AlertResolved, publish
from sentiment_platform.store.incidents import newest_incidents


def announce(engine: Engine, redis_url: str, changes: Changes, now: datetime) -> int:
    """Tell what one evaluation changed, with a best effort; returns how many events were told."""
    with engine.connect() as connection:
        opened = newest_incidents(connection, changes.opened)
        resolved = newest_incidents(connection, changes.resolved)
    told = [
        kind(
            at=now,
            id=incident.id,
            category=incident.category,
            severity=incident.severity,
            source=incident.source,
            summary=incident.summary,
        )
        for kind, incidents in ((AlertResolved, resolved), (AlertOpened, opened))
        for incident in incidents
    ]
    return publish(redis_url, told)
