"""Which predictions there are, as far as it can be told at once: those whose id proves itself, and what the database has.

An id that proves nothing is of another deployment, or of before ids did. While the database is away, only a key has the benefit of the doubt.
"""

import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sentiment_platform.clock import Clock
from serving.journal.prediction_ids import PredictionIds
from serving.links.database import Database, DatabaseUnavailable, NoDatabase

if TYPE_CHECKING:
    from sqlalchemy import Connection

ON_ITS_WAY = timedelta(minutes=1)
"""How long the record of another process may take into the database; with both at hand it takes seconds."""
AHEAD = timedelta(minutes=5)
"""By how much the clock of another process may be ahead."""
LIMIT_S = 0.5


class KnownPredictions:
    """Asked on the event loop. The database is asked only for an id that does not prove itself."""

    def __init__(self, database: Database, ids: PredictionIds, *, clock: Clock) -> None:
        self._database = database
        self._ids = ids
        self._clock = clock

    def was_given(self, prediction_id: str) -> bool:
        """Whether the id proves by itself that it was given to somebody."""
        return self._ids.is_ours(prediction_id)

    async def never_was(self, prediction_id: str, *, in_doubt: bool) -> bool:
        """Whether there is no such prediction: serving gives no such ids, or the database, which is there, has none.

        Args:
            in_doubt: the answer while nobody can say, or the prediction may be on its way.

        Raises:
            DatabaseUnavailable: nobody can say now, and `in_doubt` takes it for none.
        """
        if self.was_given(prediction_id):
            return False
        answered_at = answered_time(prediction_id)
        if answered_at is None or answered_at > self._clock() + AHEAD:
            return True
        if not in_doubt and (answered_at > self._clock() - ON_ITS_WAY or self._database.status.status in {"down", "unused"}):
            return False

        def read(connection: "Connection") -> bool:
            from sentiment_platform.store.predictions import missing_predictions

            return bool(missing_predictions(connection, [prediction_id]))

        try:
            return await self._database.call(read, limit_s=LIMIT_S)
        except NoDatabase:
            return in_doubt
        except DatabaseUnavailable:
            if in_doubt:
                raise
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
