"""GET /models/selections: what people selected, what became of it, and which replicas answer with what."""

from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec
from litestar import get
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler

from serving.contract.selection_bodies import RecordedSelection, ReplicaAnswer, SelectionsAnswer
from serving.edge.openapi import problem_responses
from serving.handlers.paging import Limit, Offset
from serving.services import Services

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from sentiment_platform.store.selections import StoredSelection

SEEN_FOR = timedelta(minutes=10)


@get(
    "/models/selections",
    tags=["models"],
    responses=problem_responses(400, 503),
    summary="What people selected, and which replicas have it",
)
async def selections(services: NamedDependency[Services], limit: Limit = 50, offset: Offset = 0) -> SelectionsAnswer:
    """Each select and rollback with its state; for each replica that answered in the last ten minutes the versions it answered with."""

    def read(connection: "Connection") -> SelectionsAnswer:
        from sentiment_platform.store.replicas import newest_answers
        from sentiment_platform.store.selections import selections_page

        now = services.clock()
        answers = newest_answers(connection, now - SEEN_FOR)
        return SelectionsAnswer(
            as_of=now,
            selections=[_recorded(stored) for stored in selections_page(connection, limit, offset)],
            replicas_since=now - SEEN_FOR,
            replicas=msgspec.convert(answers, list[ReplicaAnswer], from_attributes=True),
        )

    return await services.recent.get(("selections", limit, offset), lambda: services.database.call(read))


def _recorded(stored: "StoredSelection") -> RecordedSelection:
    refused = stored.refusal is not None
    return RecordedSelection(
        request_id=stored.request_id,
        state="refused" if refused else "published" if stored.published_revision is not None else "open",
        family=stored.family,
        version=stored.version,
        default_family=stored.default_family,
        actor=stored.actor,
        reason=stored.reason,
        requested_at=stored.requested_at,
        published_revision=None if refused else stored.published_revision,
        published_at=None if refused else stored.published_at,
        refusal=stored.refusal,
    )


def routes() -> list[HTTPRouteHandler]:
    """The route."""
    return [selections]
