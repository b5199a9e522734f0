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

from sentiment_platform.errors import TransientError
from serving.journal.journal import Journal, Record, read_segment
from serving.journal.journal_records import FeedbackRecord, PredictionRecord
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

    def __init__(self, journal: Journal, database: Database, metrics: Metrics) -> None:
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

        from sentiment_platform.store.predictions import insert_new

        predictions = [record for record in records if isinstance(record, PredictionRecord)]
        feedback = [record for record in records if isinstance(record, FeedbackRecord)]

        def insert(connection: "Connection") -> int:
            return insert_new(connection, predictions=predictions, feedback=feedback)

        try:
            self._database.call_and_wait(insert, limit_s=15)
        except DBAPIError:
            return False
        return True
