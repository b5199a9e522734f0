"""Which predictions there are, as far as it can be told at once: what this process answered lately, and what the database has.

A prediction of another process may not be in the database yet, and the database may be away. Both leave the benefit of the doubt.
"""

import uuid
from collections import OrderedDict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sentiment_platform.clock import Clock
from serving.links.database import Database, DatabaseUnavailable

if TYPE_CHECKING:
    from sqlalchemy import Connection

REMEMBERED = 20_000
"""Ids that this process keeps in memory, about 2 MB."""
ON_ITS_WAY = timedelta(minutes=1)
"""How long the record of another process may take into the database; with both at hand it takes seconds."""
AHEAD = timedelta(minutes=5)
"""By how much the clock of another process may be ahead."""
LIMIT_S = 0.5


class KnownPredictions:
    """Asked on the event loop. The database is asked only for an id that is not this process's own and no longer on its way."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._own: OrderedDict[str, None] = OrderedDict()

    def remember(self, prediction_id: str) -> None:
        """Keep the id of a prediction that the journal has taken."""
        self._own[prediction_id] = None
        if len(self._own) > REMEMBERED:
            self._own.popitem(last=False)

    async def never_was(self, prediction_id: str) -> bool:
        """Whether there is certainly no such prediction: serving gives no such ids, or the database, which is there, has none."""
        if prediction_id in self._own:
            return False
        answered_at = answered_time(prediction_id)
        if answered_at is None or answered_at > self._clock() + AHEAD:
            return True
        if answered_at > self._clock() - ON_ITS_WAY or self._database.status.status in {"down", "unused"}:
            return False

        def read(connection: "Connection") -> bool:
            from sentiment_platform.store.predictions import missing_predictions

            return bool(missing_predictions(connection, [prediction_id]))

        try:
            return await self._database.call(read, limit_s=LIMIT_S)
        except DatabaseUnavailable:
            return False


def answered_time(prediction_id: str) -> datetime | None:
    """When the prediction with that id was answered, which stands in the id; None where serving gives no such ids."""
    try:
        identity = uuid.UUID(prediction_id)
    except ValueError:
        return None
    if identity.version != 7:
        return None
    try:
        return datetime.fromtimestamp((identity.int >> 80) / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        return None
