"""A person changes what answers: checked, tried, recorded with its audit row, and only then swapped in.

The record is the request that the graph publishes as the next revision; without it (database down) nothing changes here either.
"""

import asyncio
import secrets
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from sentiment_platform.errors import ConflictError, PermanentError
from sentiment_platform.registry.versions import VersionTag
from serving.contract.model_bodies import SelectionAnswer, SelectRequest
from serving.contract.problems import Problem
from serving.edge.security import Caller
from serving.live.selections import Selection, is_registered, record_selections, revision_naming
from serving.live.snapshot import Live
from serving.services import Services

if TYPE_CHECKING:
    from sqlalchemy import Connection

T = TypeVar("T")


async def select(services: Services, request: SelectRequest, caller: Caller) -> SelectionAnswer:
    """Bring `request.version` live.

    Raises:
        Problem: 404 for an unknown version, 409 for a stale expectation, 422 for a version that may not run.
    """
    if VersionTag.parse(request.version).family != request.family:
        raise Problem(422, "wrong_family", f"{request.version} is not a version of {request.family}.")

    def look(connection: "Connection") -> tuple[int | None, bool]:
        return revision_naming(connection, request.version), is_registered(connection, request.version)

    revision, registered = await services.database.call(look)
    live = services.live.current
    if live is not None and request.version in live.deployment.models():
        # The mirror may lag behind the registry by a moment.
        revision = live.deployment.revision
    if revision is None and not registered:
        raise Problem(404, "unknown_version", f"There is no version {request.version}; see GET /models/performance.")
    if revision is None:
        raise Problem(
            422, "never_deployed", f"{request.version} was never deployed: it has to pass the gate before it may answer anyone."
        )
    selection = Selection(secrets.token_hex(16), request.family, request.version, revision)
    return await _apply(services, [selection], "models:select", request.reason, caller, request.expected_version, request.dry_run)


async def rollback(services: Services, reason: str, caller: Caller) -> SelectionAnswer:
    """Bring the versions of the deployment before the live one back.

    Raises:
        Problem: 409 when there is nothing to go back to.
    """
    target = await _guarded(services, services.live.rollback_target)
    # The default family last: the newest selection decides who answers /predict.
    families = sorted(target.champions, key=lambda family: family == target.default_family)
    running = services.live.current.versions if services.live.current else {}
    selections = [
        Selection(secrets.token_hex(16), family, target.champions[family].version, target.revision)
        for family in families
        if family == target.default_family or running.get(family) != target.champions[family].version
    ]
    return await _apply(services, selections, "models:rollback", reason, caller, None, False)


async def _apply(
    services: Services,
    selections: list[Selection],
    action: str,
    reason: str,
    caller: Caller,
    expected_version: str | None,
    dry_run: bool,
) -> SelectionAnswer:
    at = services.clock()

    def record(before: dict[str, str], after: dict[str, str]) -> None:
        services.database.call_and_wait(
            partial(
                record_selections,
                selections=selections,
                actor=caller.name,
                action=action,
                reason=reason,
                before=before,
                after=after,
                at=at,
            )
        )

    def work() -> tuple[Live, Live]:
        return services.live.select(selections, expected_version=expected_version, dry_run=dry_run, record=record)

    before, after = await _guarded(services, work)
    return SelectionAnswer(
        request_id=None if dry_run else selections[-1].request_id,
        default_family=after.default_family,
        before=before.versions,
        after=after.versions,
        dry_run=dry_run,
    )


async def _guarded(services: Services, work: Callable[[], T]) -> T:
    """Run on the registry thread; what it refuses becomes a problem. Not cancelled with the request: a swap is never half done."""
    try:
        return await asyncio.shield(services.poller.on_thread(work))
    except ConflictError as error:
        raise Problem(409, "conflict", str(error)) from error
    except PermanentError as error:
        raise Problem(422, str(getattr(error, "reason", "refused")), str(error)) from error
