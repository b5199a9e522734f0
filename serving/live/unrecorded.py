"""Rollbacks that answer here and that the database does not have yet: on the disk at once, entered once it is there, by their ids once.

Those that a neighbour decided are followed here; that one enters them, or whoever ships what it left.
"""

import logging
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from sentiment_platform.clock import Clock
from serving.journal.journal import Journal
from serving.journal.journal_records import RollbackRecord
from serving.links.database import Database
from serving.live.selection_requests import enter_rollback, open_selections, selections_of
from serving.live.selections import Selection, merged

if TYPE_CHECKING:
    from sqlalchemy import Connection


logger = logging.getLogger(__name__)


class UnrecordedRollbacks:
    """Those of this process, and of the one before it that left them in the journal; and those of neighbours."""

    def __init__(self, journal: Journal, database: Database, *, clock: Clock) -> None:
        self._journal = journal
        self._database = database
        self._clock = clock
        self._waiting = {record.id: record for record in journal.rollbacks_left()}
        self._followed: dict[str, Selection] = {}

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

    def follow(self, selections: Iterable[Selection]) -> None:
        """Of these, the rollbacks of neighbours hold here until the database has them."""
        own = self.request_ids()
        self._followed |= {one.request_id: one for one in selections if one.restores is not None and one.request_id not in own}

    def in_force(self, connection: "Connection", *, live_revision: int) -> list[Selection]:
        """What people selected and no deployment up to `live_revision` covers: what the database has, and what it does not have yet."""
        # In this order: what is entered meanwhile is in both.
        own = self.selections()
        self._leave_to(connection)
        recorded = open_selections(connection, live_revision=live_revision)
        return merged(recorded, [*own, *list(self._followed.values())])

    def _leave_to(self, connection: "Connection") -> None:
        """Of what neighbours decided and the database has, its word counts: also that it was refused."""
        from sentiment_platform.store.selections import entered_requests

        if waiting := [*self._followed]:
            for identity in entered_requests(connection, waiting):
                self._followed.pop(identity, None)

    def request_ids(self) -> set[str]:
        """Of the requests that wait."""
        own = {identity for record in tuple(self._waiting.values()) for identity in record.requests.values()}
        return own | self._followed.keys()

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
