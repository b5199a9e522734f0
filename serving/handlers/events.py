"""GET /events: what happens in public, as server-sent events."""

import time
from collections.abc import AsyncGenerator
from typing import Annotated

from litestar import get
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import ResponseSpec
from litestar.params import HeaderParameter
from litestar.response import Stream

from serving.contract.event_bodies import PublicEvent
from serving.contract.problems import unavailable
from serving.edge.openapi import problem_responses
from serving.links.event_hub import EventHub
from serving.services import Services

HEARTBEAT_S = 15.0
MEDIA_TYPE = "text/event-stream"
LastEventId = Annotated[
    str | None, HeaderParameter(name="Last-Event-ID", max_length=64, description="Tell again what came after this event.")
]
EVENTS = ResponseSpec(
    PublicEvent,
    generate_examples=False,
    media_type=MEDIA_TYPE,  # pyright: ignore[reportArgumentType]
    description="Events for ever: `event` is the type, `data` one of these as JSON, `id` what to come back with.",
)


@get("/events", tags=["events"], responses={200: EVENTS, **problem_responses(503)}, summary="What happens, as it happens")
async def events(services: NamedDependency[Services], last_event_id: LastEventId = None) -> Stream:
    """Deployments, alerts, drift reports, decisions, scored articles. 503 where too many listen already; ends when the process leaves."""
    hub = services.events
    if hub.is_full:
        raise unavailable("too_many_streams", "Too many clients listen here already. Try again later.", retry_after_s=10)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return Stream(_frames(hub, last_event_id), media_type=MEDIA_TYPE, headers=headers)


async def _frames(hub: EventHub, last_event_id: str | None) -> AsyncGenerator[bytes]:
    """The first line goes out at once, so that a client knows that it is heard; later silence is broken by comments."""
    listener = hub.listen(last_event_id)
    try:
        yield b": open\n\n"
        sent_at = time.monotonic()
        while (frame := await listener.next(HEARTBEAT_S - (time.monotonic() - sent_at))) is not None:
            yield frame or b": still here\n\n"
            sent_at = time.monotonic()
    finally:
        hub.leave(listener)


def routes() -> list[HTTPRouteHandler]:
    """The route."""
    return [events]
