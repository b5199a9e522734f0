"""GET /audit: who changed what, and when; for admins."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

import msgspec
from litestar import get
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler

from serving.contract.audit_bodies import AuditEntry, AuditTrail, Detail
from serving.contract.values import Value, Values
from serving.edge.openapi import problem_responses
from serving.handlers.paging import Limit, Offset
from serving.services import Services

if TYPE_CHECKING:
    from sqlalchemy import Connection


@get("/audit", tags=["monitoring"], responses=problem_responses(400, 401, 403, 503), summary="Who changed what, and when")
async def audit(services: NamedDependency[Services], limit: Limit = 50, offset: Offset = 0) -> AuditTrail:
    """Every act of a person and of the graph that changes what is live, who may do what, or what is kept. Read anew each time."""

    def read(connection: "Connection") -> AuditTrail:
        from sentiment_platform.store.audit import newest_rows

        rows = [{**row, "detail": _detail(row["detail"])} for row in newest_rows(connection, limit, offset)]
        return AuditTrail(services.clock(), msgspec.convert(rows, list[AuditEntry]))

    return await services.database.call(read)


def _detail(stored: Mapping[str, Any]) -> Detail:
    return {name: _shown(value) for name, value in stored.items()}


def _shown(value: Any) -> Value | Values | list[Value]:
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in cast("Mapping[str, Any]", value).items()}
    return [_plain(each) for each in cast("list[Any]", value)] if isinstance(value, list) else value


def _plain(value: Any) -> Value:
    return msgspec.json.encode(value).decode() if isinstance(value, Mapping | list) else value


def routes() -> list[HTTPRouteHandler]:
    """The route."""
    return [audit]
