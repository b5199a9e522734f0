"""The switches: what they are, and a person's change of one."""

from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from litestar import Request, get, put
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody, PathParameter

from sentiment_platform.errors import ConflictError
from sentiment_platform.flags import FLAGS, Flag
from serving.contract.flag_bodies import FlagAnswer, FlagList, FlagRequest, FlagShown
from serving.contract.problems import Problem
from serving.edge.openapi import problem_responses
from serving.links.database import DatabaseUnavailable
from serving.services import Services
from serving.watch.process_figures import replica_name

if TYPE_CHECKING:
    from sqlalchemy import Connection

TAGS = ["flags"]
STORED_S = 1.0
"""Longest that what this process goes by waits for what the database has."""
FlagName = Annotated[str, PathParameter(max_length=40, description=f"One of {', '.join(FLAGS)}.")]


@get("/flags", tags=TAGS, summary="What is switched on and off")
async def flags(services: NamedDependency[Services]) -> FlagList:
    """Every switch with who turned it last and why; and what this process goes by, whatever is away."""

    def read(connection: "Connection") -> list[Flag]:
        from sentiment_platform.store.flags import read_flags

        return read_flags(connection)

    shown, missing = None, None
    try:
        stored = await services.database.call(read, limit_s=STORED_S)
        services.flags.take(stored)
        shown = [_shown(flag) for flag in stored]
    except DatabaseUnavailable as error:
        missing = str(error)
    return FlagList(shown, {name: services.flags.enabled(name) for name in FLAGS}, replica_name(), missing)


@put(
    "/flags/{name:str}",
    tags=TAGS,
    responses=problem_responses(400, 401, 403, 404, 409, 503),
    summary="Turn a switch",
)
async def set_flag(
    name: FlagName, data: JSONBody[FlagRequest], services: NamedDependency[Services], request: Request[Any, Any, Any]
) -> FlagAnswer:
    """Holds for this process at once and for every other within 2 seconds, without a restart; kept in the audit trail. The same again changes nothing."""
    if name not in FLAGS:
        raise Problem(404, "unknown_flag", f"There is no switch {name!r}; there are {', '.join(FLAGS)}.", field="name")

    def work(connection: "Connection") -> tuple[Flag, list[Flag]]:
        from sentiment_platform.store.flags import read_flags
        from sentiment_platform.store.flags import set_flag as turn

        turned = turn(
            connection,
            name,
            enabled=data.enabled,
            expected=data.expected,
            reason=data.reason,
            actor=request.state.caller.name,
            at=services.clock(),
            dry_run=data.dry_run,
        )
        return turned, read_flags(connection)

    try:
        turned, every = await services.acts.call(work, act=True)
    except ConflictError as error:
        raise Problem(409, "conflict", str(error), field="expected") from error
    if not data.dry_run:
        await services.flags.tell(every)
    return FlagAnswer(**msgspec.structs.asdict(_shown(turned)), dry_run=data.dry_run)


def _shown(flag: Flag) -> FlagShown:
    return FlagShown(
        name=flag.name,
        allows=FLAGS[flag.name],
        enabled=flag.enabled,
        revision=flag.revision,
        reason=flag.reason,
        actor=flag.actor,
        changed_at=flag.changed_at,
    )


def routes() -> list[HTTPRouteHandler]:
    """Both routes."""
    return [flags, set_flag]
