"""From the journal to PostgreSQL: batches, committed before their segment is deleted, again and again while the database is away.

A record that the database refuses for its content is set aside, so that it cannot hold up those behind it.
"""

import asyncio
import logging
import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from sentiment_platform.clock import Clock, utc_now
from sentiment_platform.errors import TransientError
from serving.journal.journal import Journal, Record, read_segment
from serving.journal.journal_records import FeedbackRecord, PredictionRecord, ShadowRecord, voice_of
from serving.journal.known_predictions import ON_ITS_WAY, answered_time
from serving.links.database import Database, DatabaseUnavailable
from serving.metrics import Metrics

if TYPE_CHECKING:
    from sqlalchemy import Connection

BATCH = 500
INTERVAL_S = 0.5
LARGEST_PAUSE_S = 3.0
logger = logging.getLogger(__name__)


class Shipper:
    """Empties one journal into one database; idempotent, because rows are keyed by the record's id."""

    def __init__(
        self, journal: Journal, database: Database, metrics: Metrics, *, pepper: str = "", clock: Clock = utc_now
    ) -> None:
        self._pepper = pepper
        self._clock = clock
        self._journal = journal
        self._database = database
        self._metrics = metrics

    async def run(self) -> None:
        """Sync to disk and ship until cancelled."""
        pause_s = INTERVAL_S
        while True:
            await asyncio.sleep(pause_s * random.uniform(0.8, 1.2))  # noqa: S311  spreads load, protects nothing
            try:
                await asyncio.to_thread(self._journal.sync)
                await asyncio.to_thread(self.ship)
                pause_s = INTERVAL_S
            except TransientError as error:
                logger.debug("journal not shipped: %s", error)
                pause_s = min(pause_s * 2, LARGEST_PAUSE_S)
            except Exception:
                logger.exception("shipping the journal failed")
                pause_s = LARGEST_PAUSE_S

    def ship(self, limit_s: float = 60.0) -> int:
        """Ship what is there now; returns the number of records committed.

        Raises:
            DatabaseUnavailable: the database went away; what was not committed is still in the journal.
        """
        ends = time.monotonic() + limit_s
        shipped = 0
        for segment in self._journal.sealed():
            if time.monotonic() > ends:
                raise DatabaseUnavailable("the time limit for shipping has passed")
            shipped += self._ship_segment(segment)
            self._journal.discard(segment)
        return shipped

    def _ship_segment(self, path: Path) -> int:
        segment = read_segment(path)
        refused: list[bytes] = []
        for first in range(0, len(segment.records), BATCH):
            batch = segment.records[first : first + BATCH]
            if not self._insert(batch):
                refused += [msgspec.json.encode(record) for record in batch if not self._insert([record])]
        if segment.damaged or refused:
            logger.error("journal %s: %d damaged and %d refused records set aside", path.name, len(segment.damaged), len(refused))
            self._metrics.journal_rejected.inc(len(segment.damaged) + len(refused))
            self._journal.set_aside(segment.damaged + refused)
        shipped = len(segment.records) - len(refused)
        self._metrics.journal_shipped.inc(shipped)
        return shipped

    def _insert(self, records: Sequence[Record]) -> bool:
        from sqlalchemy.exc import DBAPIError

        from sentiment_platform.store.api_keys import true_claims
        from sentiment_platform.store.predictions import insert_new, missing_predictions

        predictions = [record for record in records if isinstance(record, PredictionRecord)]
        feedback = [record for record in records if isinstance(record, FeedbackRecord)]
        in_shadow = [record for record in records if isinstance(record, ShadowRecord)]

        # Accepted while the database was away, or before another process had shipped the prediction, which it may still do.
        questionable = [one.prediction_id for one in feedback if self._is_due(one.prediction_id)]

        def insert(connection: "Connection") -> int:
            claims = [record.claimed for record in feedback if record.claimed is not None]
            valid = iter(true_claims(connection, claims, self._pepper) if claims else [])
            heard = [_heard(record, record.claimed is not None and next(valid)) for record in feedback]
            insert_new(connection, predictions=predictions, feedback=heard, shadow_answers=in_shadow)
            missing = missing_predictions(connection, questionable) if questionable else set[str]()
            return sum(identity in missing for identity in questionable)

        try:
            about_nothing = self._database.call_and_wait(insert, limit_s=15)
        except DBAPIError:
            return False
        self._metrics.feedback_rejected.inc(about_nothing)
        return True

    def _is_due(self, prediction_id: str) -> bool:
        answered_at = answered_time(prediction_id)
        return answered_at is None or answered_at < self._clock() - ON_ITS_WAY


def _heard(record: FeedbackRecord, claim_is_true: bool) -> FeedbackRecord:
    """The record with the voice that its key gives it, where that was checked only now."""
    claim = record.claimed
    if claim is None:
        return record
    return msgspec.structs.replace(record, voice=voice_of(claim.key_id, claim.client_id) if claim_is_true else None)
