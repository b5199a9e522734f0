"""Rollbacks that answer here and that the database does not have yet: on the disk at once, entered once it is there, by their ids once."""

import logging
from datetime import datetime
from typing import TYPE_CHECKING

from sentiment_platform.clock import Clock
from serving.journal.journal import Journal
from serving.journal.journal_records import RollbackRecord
from serving.links.database import Database
from serving.live.selection_requests import enter_rollback, selections_of
from serving.live.selections import Selection

if TYPE_CHECKING:
    from sqlalchemy import Connection


logger = logging.getLogger(__name__)


class UnrecordedRollbacks:
    """Those of this process, and of the one before it that left them in the journal."""

    def __init__(self, journal: Journal, database: Database, *, clock: Clock) -> None:
        self._journal = journal
        self._database = database
        self._clock = clock
        self._waiting = {record.id: record for record in journal.rollbacks_left()}

    def keep(self, record: RollbackRecord) -> None:
        """Hand it to the journal.

        Raises:
            JournalUnavailable: it was not taken.
        """
        self._journal.append(record)
        self._waiting[record.id] = record

    def selections(self) -> list[Selection]:
        """What they ask for, oldest first."""
        return [selection for record in tuple(self._waiting.values()) for selection in selections_of(record)]

    def request_ids(self) -> set[str]:
        """Of the requests that wait."""
        return {identity for record in tuple(self._waiting.values()) for identity in record.requests.values()}

    def record_waiting(self) -> None:
        """Enter them in the database, each in a transaction of its own; blocking.

        Raises:
            DatabaseUnavailable: it is away; they wait on.
        """
        for record in tuple(self._waiting.values()):
            self._database.call_and_wait(lambda connection, record=record: self.record(connection, record))
            del self._waiting[record.id]
            logger.info("the rollback by %s of %s is recorded", record.actor, record.decided_at.isoformat())

    def record(self, connection: "Connection", record: RollbackRecord) -> None:
        """Enter one, with the time when it was decided, unless it is there."""
        enter_rollback(connection, record, entered_at=self._now())

    def _now(self) -> datetime:
        return self._clock()
