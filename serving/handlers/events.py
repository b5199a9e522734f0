"""GET /events: what happens in public, as server-sent events."""

import time
from collections.abc import AsyncGenerator
from typing import Annotated, Any

from litestar import get
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import ResponseSpec
from litestar.params import HeaderParameter
from litestar.response import Stream
from litestar.types import Receive, Scope, Send

from serving.contract.event_bodies import PublicEvent
from serving.contract.problems import unavailable
from serving.edge.openapi import problem_responses
from serving.links.event_hub import EventHub
from serving.links.listener import Listener
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
    return EventStream(hub, last_event_id)


class EventStream(Stream):
    """The answer to one listener. It has its place from here on, and gives it back also where its client left before the first line."""

    def __init__(self, hub: EventHub, last_event_id: str | None) -> None:
        self._hub, self._listener = hub, hub.listen(last_event_id)
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        super().__init__(_frames(self._listener), media_type=MEDIA_TYPE, headers=headers)

    def to_asgi_response(self, *arguments: Any, **named: Any) -> Any:
        """Litestar's, after which the place is free."""
        answer = super().to_asgi_response(*arguments, **named)

        async def answered(scope: Scope, receive: Receive, send: Send) -> None:
            try:
                await answer(scope, receive, send)
            finally:
                self._hub.leave(self._listener)

        return answered


async def _frames(listener: Listener) -> AsyncGenerator[bytes]:
    """The first line goes out at once, so that a client knows that it is heard; later silence is broken by comments."""
    yield b": open\n\n"
    sent_at = time.monotonic()
    while (frame := await listener.next(HEARTBEAT_S - (time.monotonic() - sent_at))) is not None:
        yield frame or b": still here\n\n"
        sent_at = time.monotonic()


def routes() -> list[HTTPRouteHandler]:
    """The route."""
    return [events]
