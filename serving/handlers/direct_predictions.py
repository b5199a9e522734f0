"""POST /predict and POST /predict/{family} answered without Litestar's walk, which costs more than an answer of a cheap family.

Only a plain request with a good body goes this way: no query, no header that a route has to read. All others, and all that is wrong
with a body, are Litestar's. What a request may do, what an answer is and how a refusal looks is the same code on both ways.
"""

from collections.abc import Callable
from typing import Any

import msgspec
from litestar import Response
from litestar.types import ASGIApp, Receive, Scope, Send

from sentiment_platform.models.families import FAMILIES
from sentiment_platform.registry.own_questions import HEADER
from serving.contract.prediction_bodies import PredictRequest
from serving.contract.request_context import request_body
from serving.edge.security import presented_key
from serving.edge.strict_request import READ
from serving.handlers.predict import DEADLINE_HEADER
from serving.predict.arms import ARM_HEADER, Asker
from serving.services import Services

ROUTES = {"/predict": None, **{f"/predict/{family}": family for family in FAMILIES}}
"""Path -> the family that it names."""
_CAREFUL = tuple(name.lower().encode() for name in (HEADER, ARM_HEADER, DEADLINE_HEADER))
_decode = msgspec.json.Decoder(PredictRequest).decode
_encode = msgspec.json.Encoder().encode


class DirectPredictions:
    """An ASGI application around another.

    Args:
        refused: what an exception is answered with, as Litestar's handlers do.
    """

    def __init__(self, app: ASGIApp, services: Services, refused: Callable[[Exception], Response[bytes]]) -> None:
        self._app = app
        self._services = services
        self._refused = refused

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one prediction, or pass the request on."""
        if scope["type"] != "http" or scope["path"] not in ROUTES or scope["method"] != "POST" or scope["query_string"]:
            await self._app(scope, receive, send)
            return
        if any(name in _CAREFUL for name, _ in scope["headers"]):
            await self._app(scope, receive, send)
            return
        try:
            asked = _decode(request_body.get())
        except msgspec.DecodeError:
            await self._app(scope, receive, send)
            return
        path = scope["path"]
        scope["path_template"] = path
        state: dict[str, Any] = scope.setdefault("state", {})
        state[READ] = asked
        try:
            await self._services.access.admit(scope)
            asker = Asker(key=presented_key(scope["headers"]))
            await self._services.flags.refreshed()
            answer = await self._services.predictor.answer(asked, path, ROUTES[path], asker=asker)
        except Exception as error:
            await _send(send, self._refused(error))
            return
        body = _encode(answer)
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body, "more_body": False})


async def _send(send: Send, response: Response[bytes]) -> None:
    body = response.content
    headers = [(name.lower().encode(), str(value).encode()) for name, value in response.headers.items()]
    headers += [(b"content-type", str(response.media_type).encode()), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": response.status_code or 200, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
