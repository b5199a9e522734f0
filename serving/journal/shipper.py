"""From the journal to PostgreSQL: batches, committed before their segment is deleted, again and again while the database is away.

A record that the database refuses for its content is set aside, so that it cannot hold up those behind it.
"""

import asyncio
import logging
import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import msgspec

from sentiment_platform.clock import Clock, utc_now
from sentiment_platform.errors import TransientError
from serving.journal.folders import left_behind
from serving.journal.journal import Journal
from serving.journal.journal_records import FeedbackRecord, PredictionRecord, RollbackRecord, ShadowRecord, voice_of
from serving.journal.known_predictions import ON_ITS_WAY, answered_time
from serving.journal.segments import Record, read_segment
from serving.links.database import Database, DatabaseUnavailable
from serving.metrics import Metrics

if TYPE_CHECKING:
    from sqlalchemy import Connection

BATCH = 500
INTERVAL_S = 0.5
LARGEST_PAUSE_S = 3.0
LEFT_BEHIND_S = 5.0
"""How often to look for what a neighbour that is gone has left."""
logger = logging.getLogger(__name__)


class Acts(Protocol):
    """What people did that the database does not have yet."""

    def record_waiting(self) -> None:
        """Enter all of them; raises DatabaseUnavailable."""
        ...

    def record(self, connection: "Connection", record: RollbackRecord) -> None:
        """Enter one, unless it is there."""
        ...


class Shipper:
    """Empties one journal into one database; idempotent, because rows are keyed by the record's id.

    Args:
        acts: enters rollbacks that were decided earlier, once each.
        state_folder: where processes that are gone may have left journals, which are shipped too; None: there are no neighbours.
    """

    def __init__(
        self,
        journal: Journal,
        database: Database,
        metrics: Metrics,
        *,
        acts: "Acts | None" = None,
        state_folder: Path | None = None,
        pepper: str = "",
        clock: Clock = utc_now,
    ) -> None:
        self._pepper = pepper
        self._clock = clock
        self._acts = acts
        self._journal = journal
        self._database = database
        self._metrics = metrics
        self._state_folder = state_folder
        self._looked_at = float("-inf")

    async def run(self) -> None:
        """Sync to disk and ship until cancelled."""
        pause_s = INTERVAL_S
        while True:
            await asyncio.sleep(pause_s * random.uniform(0.8, 1.2))  # noqa: S311  spreads load, protects nothing
            try:
                await asyncio.to_thread(self._journal.sync)
                await asyncio.to_thread(self.ship)
                await asyncio.to_thread(self.ship_left_behind)
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
        held_up: DatabaseUnavailable | None = None
        try:
            if self._acts is not None:
                # Before a long backlog of predictions.
                self._acts.record_waiting()
        except DatabaseUnavailable as error:
            # Their table alone may be locked.
            held_up = error
        shipped = 0
        for segment in self._journal.sealed():
            if time.monotonic() > ends:
                raise DatabaseUnavailable("the time limit for shipping has passed")
            with self._journal.in_hand(segment):
                # It was given up for newer ones before it came to hand.
                if segment.exists():
                    shipped += self._ship_segment(segment)
                    self._journal.discard(segment)
        if held_up is not None:
            raise held_up
        return shipped

    def ship_left_behind(self) -> None:
        """Ship what neighbours left that are gone; not while the database is away, since a new start may want its journal.

        Raises:
            DatabaseUnavailable: as `ship`.
        """
        due = time.monotonic() - self._looked_at > LEFT_BEHIND_S
        if self._state_folder is None or not due or self._database.status.status != "ok":
            return
        self._looked_at = time.monotonic()
        with left_behind(self._state_folder) as journals:
            for journal in journals:
                left = Shipper(journal, self._database, self._metrics, acts=self._acts, pepper=self._pepper, clock=self._clock)
                logger.info("%d records of a process that is gone were in %s", left.ship(), journal.folder)

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
        rollbacks = [record for record in records if isinstance(record, RollbackRecord)]
        in_shadow = [record for record in records if isinstance(record, ShadowRecord)]

        # Accepted while the database was away, or before another process had shipped the prediction, which it may still do.
        questionable = [one.prediction_id for one in feedback if self._is_due(one.prediction_id)]

        def insert(connection: "Connection") -> int:
            claims = [record.claimed for record in feedback if record.claimed is not None]
            valid = iter(true_claims(connection, claims, self._pepper) if claims else [])
            heard = [_heard(record, record.claimed is not None and next(valid)) for record in feedback]
            insert_new(connection, predictions=predictions, feedback=heard, shadow_answers=in_shadow)
            for rollback in rollbacks:
                if self._acts is not None:
                    self._acts.record(connection, rollback)
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
