"""A person changes what answers: checked, tried, recorded with its audit row, and only then swapped in.

The record is the request that the graph publishes as the next revision; without it (database down) nothing changes here either.
"""

import logging
import secrets
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from sentiment_platform.clock import Clock
from sentiment_platform.errors import ConflictError, PermanentError
from sentiment_platform.registry.versions import VersionTag
from serving.contract.model_bodies import ExchangedPair, PromoteRequest, RollbackRequest, SelectionAnswer, SelectRequest
from serving.contract.problems import Problem, unavailable
from serving.links.database import Database, DatabaseUnavailable
from serving.live.change import Change
from serving.live.live import LiveModels
from serving.live.poller import Poller
from serving.live.rollback import QuickRollback, rollback_record
from serving.live.selection_requests import (
    asked_before,
    exchanged,
    record_selections,
    registered_digest,
    revision_naming,
    selections_of,
)
from serving.live.selections import Selection, StaleRevision, log_choice
from serving.live.snapshot import Content, Facts

if TYPE_CHECKING:
    from sqlalchemy import Connection

T = TypeVar("T")
EVIDENCE_S = 1.0
logger = logging.getLogger(__name__)


class ManualOverride:
    """Select a version, go back to the deployment before, or ask for a first deployment. `actor` names who asked, for the audit trail."""

    def __init__(self, live: LiveModels, poller: Poller, database: Database, quick: QuickRollback, *, clock: Clock) -> None:
        self._quick = quick
        self._live = live
        self._poller = poller
        self._database = database
        self._clock = clock

    async def select(self, request: SelectRequest, actor: str) -> SelectionAnswer:
        """Bring `request.version` live.

        Raises:
            Problem: 404 for an unknown version, 409 for a stale expectation, 422 for a version that may not run.
        """
        if VersionTag.parse(request.version).family != request.family:
            raise Problem(422, "wrong_family", f"{request.version} is not a version of {request.family}.", field="version")

        revision, registered = await self._known(request.version)
        live = self._live.facts
        if live is not None and request.version in live.deployment.models():
            # The mirror may lag behind the registry by a moment.
            revision = live.deployment.revision
        if revision is None and registered is None:
            raise _unknown(request.version)
        if revision is None:
            raise Problem(
                422,
                "never_deployed",
                f"{request.version} was never deployed: the gate, or a person's POST /models/promote, has to let it answer first.",
                field="version",
            )
        selection = self._asked(
            request.family,
            request.version,
            revision,
            request.reason,
            actor,
            default_family=request.family if request.make_default else None,
            seen=self._seen(request.expected_revision),
        )
        return await self._apply([selection], "models:select", expected_version=request.expected_version, dry_run=request.dry_run)

    async def promote(self, request: PromoteRequest, actor: str) -> SelectionAnswer:
        """Ask the graph to deploy a version that no deployment named; it is tried here, and answers once a signed deployment names it.

        Asking for it again while that waits is the same request.

        Raises:
            Problem: 404 for an unknown version, 409 for a stale expectation, 422 for one that was deployed or may not run.
        """
        version, family = request.version, VersionTag.parse(request.version).family
        revision, manifest_digest = await self._known(version)
        if revision is not None:
            raise Problem(
                422, "was_deployed", f"{version} was deployed before: POST /models/select lets it answer.", field="version"
            )
        if manifest_digest is None:
            raise _unknown(version)
        default_family = family if request.make_default else None
        seen = self._seen(request.expected_revision)
        selection = self._asked(family, version, 0, request.reason, actor, default_family=default_family, seen=seen)
        live = await self._guarded(
            partial(self._live.try_first, selection, manifest_digest, expected_version=request.expected_version),
            stale="expected_version",
            refused="version",
        )
        wanted = (live.versions | {family: version}, default_family or live.default_family)

        def record(connection: "Connection") -> str:
            if waiting := asked_before(connection, version):
                return waiting
            record_selections(connection, [selection], action="models:promote", before=live.content, after=wanted)
            return selection.request_id

        request_id = None if request.dry_run else await self._database.call(record, act=True)
        if request_id == selection.request_id:
            log_choice("models:promote", [selection])
        return await self._answer(request_id, live, wanted, dry_run=request.dry_run, recorded=not request.dry_run)

    async def roll_back(self, request: RollbackRequest, actor: str) -> SelectionAnswer:
        """Bring the versions of the deployment before the live one back: at once where they are held in memory, whatever is away.

        Raises:
            Problem: 409 when there is nothing to go back to, or another rollback leaves the same deployment already.
        """
        seen = self._seen(request.expected_revision)
        try:
            left = await self._quick.leaves(seen, dry_run=request.dry_run)
            quick = self._quick.decide(left, seen, actor, request.reason)
            recorded = False if quick is None or request.dry_run else await self._quick.carry_out(quick)
        except ConflictError as error:
            raise _conflict(error) from error
        if quick is not None:
            last = None if request.dry_run else list(quick.record.requests.values())[-1]
            return await self._answer(last, quick.leaves, quick.content, dry_run=request.dry_run, recorded=recorded)
        target = await self._guarded(partial(self._live.way_back.target, left))
        if left is None or seen is None:
            raise unavailable("not_ready", self._live.why_not_ready(), retry_after_s=5)
        selections = selections_of(rollback_record(left, target, actor, request.reason, leaves=seen, at=self._clock()))
        return await self._apply(selections, "models:rollback", dry_run=request.dry_run)

    def _seen(self, named: int | None) -> int | None:
        """The deployment that a person decides on: where nobody names one, what is live here. A newer one then overtakes the choice."""
        live = self._live.facts
        return named or (live.deployment.revision if live else None)

    def _asked(
        self, family: str, version: str, revision: int, reason: str, actor: str, *, default_family: str | None, seen: int | None
    ) -> Selection:
        return Selection(
            request_id=secrets.token_hex(16),
            family=family,
            version=version,
            revision=revision,
            actor=actor,
            reason=reason,
            requested_at=self._clock(),
            default_family=default_family,
            expected_revision=seen,
        )

    async def _known(self, version: str) -> tuple[int | None, str | None]:
        """The newest deployment that names `version`, and the digest under which it is registered."""

        def look(connection: "Connection") -> tuple[int | None, str | None]:
            return revision_naming(connection, version), registered_digest(connection, version)

        return await self._database.call(look)

    async def _apply(
        self,
        selections: list[Selection],
        action: str,
        *,
        expected_version: str | None = None,
        dry_run: bool = False,
    ) -> SelectionAnswer:
        change = Change()

        def record(before: Content, after: Content) -> None:
            with change.recording():
                self._database.call_and_wait(
                    partial(record_selections, selections=selections, action=action, before=before, after=after),
                    act=True,
                )

        def work() -> tuple[Facts, Facts]:
            return self._live.select(selections, expected_version=expected_version, dry_run=dry_run, record=record)

        selected = action == "models:select"
        before, after = await self._guarded(
            work,
            change=change,
            stale="expected_version" if expected_version else None,
            refused="version" if selected else None,
        )
        if not dry_run:
            log_choice(action, selections)
        request_id = None if dry_run else selections[-1].request_id
        return await self._answer(request_id, before, after.content, dry_run=dry_run, recorded=not dry_run)

    async def _answer(
        self, request_id: str | None, live: Facts, after: Content, *, dry_run: bool, recorded: bool
    ) -> SelectionAnswer:
        """The answer, with what is stored of the comparison of what was live with what is wanted."""
        before, (wanted, family) = live.versions, after
        evidence: list[ExchangedPair] = []
        try:
            if recorded or dry_run:
                evidence = await self._database.call(partial(exchanged, before=live.content, after=after), limit_s=EVIDENCE_S)
        except DatabaseUnavailable:
            # What was done stays done: its answer does not depend on this.
            logger.debug("the comparison is not at hand")
        return SelectionAnswer(
            request_id=request_id,
            default_family_before=live.default_family,
            default_family=family,
            before=before,
            after=wanted,
            dry_run=dry_run,
            recorded=recorded,
            revision=live.deployment.revision,
            evidence=evidence,
        )

    async def _guarded(
        self, work: Callable[[], T], *, change: Change | None = None, stale: str | None = None, refused: str | None = None
    ) -> T:
        """Run on the registry thread; what it refuses becomes a problem.

        Args:
            stale, refused: the field of the request that a conflict, or a refusal, is the fault of.
        """
        try:
            return await (change or Change()).carry_out(self._poller, work)
        except ConflictError as error:
            raise _conflict(error, stale) from error
        except PermanentError as error:
            raise Problem(422, str(getattr(error, "reason", "refused")), str(error), field=refused) from error


def _conflict(error: ConflictError, stale: str | None = None) -> Problem:
    return Problem(409, "conflict", str(error), field="expected_revision" if isinstance(error, StaleRevision) else stale)


def _unknown(version: str) -> Problem:
    return Problem(404, "unknown_version", f"There is no version {version}; see GET /models.", field="version")
