"""Whether a prediction is begun at all: decided from its route, its size and its age, before its body is read.

A refusal is a problem document with 503 and the time to come back, which differs from client to client. It looks nothing up, asks no
other machine, and mostly reaches no application (`admission`). What a model's threads have to do is judged when the text is known.
"""

import random
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from litestar.types import ASGIApp, Message, Receive, Scope, Send

from serving.contract.problems import MEDIA_TYPE, RETRY_AFTER_S, document
from serving.contract.request_context import choose_request_id, received_at, request_id, request_may_wait
from serving.metrics import Metrics
from serving.work.classes import WorkClass
from serving.work.loop_share import LoopShare, Taken, work_in
from serving.work.rests import Rests
from serving.work.turns import Turns

BATCH = "/predict/batch"
TAKEN = "taken"
"""In the state of a scope: what the loop has taken on for the request."""
JITTER = 3
"""Clients come back between `RETRY_AFTER_S` and so many times that."""
_NO_ID = b"request-id-to-come"


class Door:
    """An ASGI application around another, and what connections ask before they call it.

    Args:
        share: what the event loop may take on.
        routes: of predictions; all others are passed on.
        full: whether what a route needs has no time left before its deadline.
    """

    def __init__(
        self,
        app: ASGIApp,
        share: LoopShare,
        metrics: Metrics,
        routes: Iterable[str],
        *,
        draining: Callable[[], bool],
        full: Callable[[str], bool],
    ) -> None:
        self._app = app
        self._share = share
        self._metrics = metrics
        self._routes = {route.encode(): route for route in routes}
        self.draining = draining
        self._full = full
        self.turns = Turns()
        self.rests = Rests()
        token = request_id.set(_NO_ID.decode())
        try:
            body = document(503, "overloaded", "More is asked than this process can answer in time. Try again in a moment.")
        finally:
            request_id.reset(token)
        self._before, self._after = body.split(_NO_ID)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or refuse it; anything but a prediction is passed on."""
        route = scope["path"].encode() if scope["type"] == "http" and scope["method"] == "POST" else b""
        if route not in self._routes:
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        state: dict[str, Any] = scope.get("state", {})
        taken: Taken | None = state.get(TAKEN) or self.take(route, headers, received_at(scope))
        if taken is None:
            await self._refuse(route, headers, send)
            return
        statuses: list[int] = []

        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])
            await send(message)

        async def received() -> Any:
            # What its client still owes is no work of ours: bodies that never come would shut everybody out.
            self._share.pause(taken)
            try:
                return await receive()
            finally:
                self._share.resume(taken)

        try:
            await self.turns.short_one()
            if taken.is_late() and not taken.only:
                await self._refuse(route, headers, send)
            else:
                await self._app(scope, received, watched)
        finally:
            if self._share.finish(taken, answered=statuses == [200] and not request_may_wait.get()):
                self._metrics.late.labels(taken.kind).inc()

    async def _refuse(self, route: bytes, headers: Mapping[bytes, bytes], send: Send) -> None:
        answered, body = self.refusal(route, headers)
        await send({"type": "http.response.start", "status": 503, "headers": answered})
        await send({"type": "http.response.body", "body": body, "more_body": False})

    def judges(self, route: bytes) -> bool:
        """Whether requests of this path are its business."""
        return route in self._routes

    def take(self, route: bytes, headers: Mapping[bytes, bytes], came_at: float) -> Taken | None:
        """Begin a request that came at `came_at` (`time.perf_counter()`); None refuses it."""
        if self._full(self._routes[route]):
            return None
        kind: WorkClass = "batch" if self._routes[route] == BATCH else "answer"
        announced = headers.get(b"content-length", b"0")
        length = int(announced) if announced.isdigit() and len(announced) < 8 else 0
        return self._share.take(kind, work_in(kind, length), came_at)

    def give_back(self, taken: Taken) -> None:
        """A request that was begun and never reached the application."""
        self._share.finish(taken, answered=False)

    def refusal(self, route: bytes, headers: Mapping[bytes, bytes]) -> tuple[list[tuple[bytes, bytes]], bytes]:
        """Headers and body of a refusal, which is counted."""
        name = self._routes[route]
        self._metrics.observe_refusal(name, "batch" if name == BATCH else "answer")
        identity = choose_request_id(headers.get(b"x-request-id")).encode()
        body = self._before + identity + self._after
        answered = [
            (b"content-type", MEDIA_TYPE.encode()),
            (b"content-length", b"%d" % len(body)),
            (b"retry-after", b"%d" % random.randint(RETRY_AFTER_S, JITTER * RETRY_AFTER_S)),  # noqa: S311  spreads, protects nothing
            (b"x-request-id", identity),
        ]
        return answered, body
