"""A rollback by hand that needs nothing outside this process: decided on the event loop, swapped in at once, recorded now or later.

The database is asked first, for half a second: where it answers, its row decides between two people. Where it is away, the journal keeps
the act. Nobody is refused, and no dry run allowed, by what people selected elsewhere and this process has not heard of. What is not held in memory goes the way of a selection (`manual_override`).
"""

import logging
import secrets
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from sentiment_platform.clock import Clock
from sentiment_platform.errors import ConflictError, TransientError
from sentiment_platform.registry.deployment import Deployment
from serving.journal.journal import Journal, JournalUnavailable
from serving.journal.journal_records import RollbackRecord
from serving.links.database import Database, DatabaseUnavailable
from serving.live.live import LiveModels
from serving.live.selection_requests import record_selections, require_newest, selections_of
from serving.live.selections import Selection, StaleRevision, log_choice
from serving.live.snapshot import Content, Facts
from serving.live.unrecorded import UnrecordedRollbacks

if TYPE_CHECKING:
    from sqlalchemy import Connection

RECORD_S = 0.5
SYNC_S = 0.2
DECIDE_AGAIN = "Look at GET /models/status and decide again."
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Rollback:
    """One decided rollback: what answers here, what is left (the same, unless people selected elsewhere), what comes back, and its record."""

    live: Facts
    leaves: Facts
    target: Deployment
    record: RollbackRecord

    @property
    def content(self) -> Content:
        """What answers afterwards."""
        return self.leaves.versions | self.record.versions, self.record.default_family


class QuickRollback:
    """Decides and carries out rollbacks on the event loop."""

    def __init__(
        self, live: LiveModels, database: Database, journal: Journal, unrecorded: UnrecordedRollbacks, *, clock: Clock
    ) -> None:
        self._live = live
        self._database = database
        self._journal = journal
        self._unrecorded = unrecorded
        self._clock = clock

    async def leaves(self, seen: int | None, *, dry_run: bool) -> Facts | None:
        """What a rollback would leave: what is live here, or by the database's word where that forbids it, or it is only tried.

        An act that is possible by what is live here is not held up: its row decides.

        Raises:
            StaleRevision: a newer deployment than `seen` is stored.
        """
        live = self._live.facts
        if live is None:
            return None
        if not dry_run:
            try:
                self._live.way_back.target(live, at_hand=True)
            except ConflictError:
                pass
            except TransientError:
                return live
            else:
                return live

        def read(connection: "Connection") -> list[Selection]:
            from sentiment_platform.store.deployments import latest_deployment

            require_newest(latest_deployment(connection), seen)
            return self._unrecorded.in_force(connection, live_revision=live.deployment.revision)

        try:
            selections = await self._database.call(read, limit_s=RECORD_S)
        except DatabaseUnavailable:
            return live
        return live.with_selections(self._live.usable(selections, live.deployment))

    def decide(self, left: Facts | None, seen: int | None, actor: str, reason: str) -> Rollback | None:
        """The rollback from `left`; None where what it brings back is not held in memory.

        Raises:
            ConflictError: there is nothing to go back to, another deployment than `seen` is live, or a rollback answers already.
        """
        live = self._live.facts
        if live is None or left is None:
            return None
        leaves = live.deployment.revision
        if seen not in (None, leaves) or left.deployment != live.deployment:
            raise StaleRevision(f"{live.deployment.tag} is in force here, not revision {seen}.", remedy=DECIDE_AGAIN)
        try:
            target = self._live.way_back.target(left, at_hand=True)
        except TransientError:
            return None
        if not self._live.way_back.is_held(target):
            return None
        record = rollback_record(left, target, actor, reason, leaves=leaves, at=self._clock())
        return Rollback(live, left, target, record)

    async def carry_out(self, rollback: Rollback) -> bool:
        """Bring it live and keep it; whether the database has it, else the journal does.

        Raises:
            ConflictError: something else became live, or somebody else rolled back, meanwhile. JournalUnavailable: neither took it.
        """
        selections = selections_of(rollback.record)
        enter = partial(
            record_selections,
            selections=selections,
            action="models:rollback",
            before=rollback.leaves.content,
            after=rollback.content,
        )
        try:
            await self._database.call(enter, limit_s=RECORD_S, act=True)
        except DatabaseUnavailable:
            self._keep(rollback, selections)
            log_choice("models:rollback", selections)
            await self._sync()
            return False
        # Where something else became live meanwhile, the next look has both in their order.
        self._live.way_back.take(rollback.live, rollback.target, selections)
        log_choice("models:rollback", selections)
        return True

    def _keep(self, rollback: Rollback, selections: list[Selection]) -> None:
        keep = partial(self._unrecorded.keep, rollback.record)
        if not self._live.way_back.take(rollback.live, rollback.target, selections, keep):
            raise ConflictError("Something else became live at that moment.", remedy=DECIDE_AGAIN)

    async def _sync(self) -> None:
        try:
            await self._journal.confirmed(SYNC_S)
        except JournalUnavailable as error:
            # The operating system has it: it outlives this process, not yet a power cut.
            logger.warning("a rollback is not on the disk yet: %s", error)


def rollback_record(live: Facts, target: Deployment, actor: str, reason: str, *, leaves: int, at: datetime) -> RollbackRecord:
    """What brings `target` back in the place of `live`, by an act of this moment."""
    changed = {
        family: named.version
        for family, named in target.champions.items()
        if family == target.default_family or live.versions.get(family) != named.version
    }
    return RollbackRecord(
        id=secrets.token_hex(16),
        decided_at=at,
        actor=actor,
        reason=reason,
        leaves=leaves,
        restores=target.revision,
        requests={family: secrets.token_hex(16) for family in changed},
        versions=changed,
        default_family=target.default_family,
        before=live.versions,
        default_family_before=live.default_family,
    )
