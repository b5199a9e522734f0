"""The outermost layer: bounds every request before anything parses it, names it, counts it, and answers when all else fails.

Here: sizes, time to read a body, encoding, nesting, request ids, request metrics. Not here: what a field may hold (`contract`, `predict.text_input`).
Litestar's middleware runs after routing and would miss unknown paths; this wraps the whole application.
"""

import asyncio
import logging
import re
import time
from collections.abc import Callable
from typing import Any

from litestar.types import ASGIApp, Message, Receive, Scope, Send

from serving.contract.body_faults import BODY
from serving.contract.problem_bodies import FieldError
from serving.contract.problems import MEDIA_TYPE, document
from serving.contract.request_context import (
    answer_headers,
    choose_request_id,
    received_at,
    request_body,
    request_id,
    request_parts,
    request_started,
    server_timing,
)
from serving.metrics import Metrics

MAX_DEPTH = 32
MAX_URL_BYTES = 4096
MAX_HEADER_BYTES = 32 * 1024
BODY_TIMEOUT_S = 10.0
BROKEN_BODY = "serving.broken_body"
"""Set in the scope of a request whose body stopped being HTTP (`sockets`)."""
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"?', re.DOTALL)
_AS_BRACKETS = bytes.maketrans(b"{}", b"[]")
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_BODYLESS = ("GET", "HEAD", "OPTIONS")
logger = logging.getLogger(__name__)


class Refusal(Exception):
    """A request that is answered here; the connection is closed where part of the body was not read. `field`: the one at fault."""

    def __init__(self, status: int, code: str, detail: str, *, close: bool = False, field: str | None = None) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail, self.close = status, code, detail, close
        self.errors = [FieldError(field, None, detail)] if field else []


class Guard:
    """An ASGI application around another.

    Args:
        max_body_bytes: largest body that is read.
        untimed: routes that are counted, but not among the times to answer.
        draining: true once the process is going away; answers then ask the client to close the connection.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        max_body_bytes: int,
        metrics: Metrics,
        draining: Callable[[], bool],
        untimed: frozenset[str] = frozenset(),
    ) -> None:
        self._app = app
        self._untimed = untimed
        self._max_body_bytes = max_body_bytes
        self._metrics = metrics
        self._draining = draining

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; anything but HTTP is passed on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = received_at(scope)
        headers: dict[bytes, bytes] = dict(scope["headers"])
        identity = choose_request_id(headers.get(b"x-request-id"))
        request_started.set(started)
        request_id.set(identity)
        parts: dict[str, float] = {}
        request_parts.set(parts)
        status = 0
        streams = False

        async def send_named(message: Message) -> None:
            nonlocal status, streams
            if message["type"] == "http.response.start":
                status = message["status"]
                streams = dict(message.get("headers", ())).get(b"content-type", b"").startswith(b"text/event-stream")
                added = [(b"x-request-id", identity.encode())]
                added += [(name.lower().encode(), value.encode()) for name, value in (answer_headers.get() or {}).items()]
                if parts:
                    added.append((b"server-timing", server_timing(parts, time.perf_counter() - request_started.get())))
                if self._draining():
                    added.append((b"connection", b"close"))
                message["headers"] = [*message.get("headers", ()), *added]
            await send(message)

        self._metrics.in_flight += 1
        try:
            _require_bounded_head(scope)
            replay = receive
            if scope["method"] not in _BODYLESS:
                body = await self._body(scope, headers, receive)
                _require_readable(body, headers)
                request_body.set(body)
                request_started.set(received_at(scope))
                replay = _replay(body, receive)
            await self._app(scope, replay, send_named)
        except Refusal as refusal:
            await _answer(send_named, refusal)
        except Exception:
            logger.exception("request %s failed", identity)
            if status:
                raise
            await _answer(
                send_named, Refusal(500, "internal_error", "An unexpected error; the log names it under this request id.")
            )
        finally:
            self._metrics.in_flight -= 1
            route = str(scope.get("path_template") or "unmatched")
            # How long somebody listened to events is no time to answer.
            if not streams:
                took_s = None if route in self._untimed else time.perf_counter() - started
                self._metrics.observe_request(route, scope["method"], status, took_s)

    async def _body(self, scope: Scope, headers: dict[bytes, bytes], receive: Receive) -> bytes:
        limit = self._max_body_bytes
        too_large = Refusal(
            413,
            "body_too_large",
            f"At most {limit} bytes of body are read; send less, or several requests.",
            close=True,
            field=BODY,
        )
        announced = headers.get(b"content-length", b"0")
        if not announced.isdigit() or len(announced) > 18 or int(announced) > limit:
            raise too_large
        chunks: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(BODY_TIMEOUT_S):
                while True:
                    message: Any = await receive()
                    if BROKEN_BODY in scope:
                        raise Refusal(
                            400,
                            "invalid_http",
                            "The body is no HTTP/1.1: look at its length, its chunks and what follows them.",
                            close=True,
                        )
                    if message["type"] == "http.disconnect":
                        raise Refusal(400, "disconnected", "The client left before its body was complete.", close=True)
                    chunk: bytes = message.get("body", b"")
                    size += len(chunk)
                    if size > limit:
                        raise too_large
                    chunks.append(chunk)
                    if not message.get("more_body", False):
                        return b"".join(chunks)
        except TimeoutError:
            raise Refusal(408, "body_too_slow", f"The body did not arrive within {BODY_TIMEOUT_S:.0f} s.", close=True) from None


def _require_bounded_head(scope: Scope) -> None:
    if len(scope.get("raw_path", b"") or b"") + len(scope.get("query_string", b"")) > MAX_URL_BYTES:
        raise Refusal(414, "url_too_long", f"A URL has at most {MAX_URL_BYTES} bytes here.")
    if sum(len(name) + len(value) for name, value in scope["headers"]) > MAX_HEADER_BYTES:
        raise Refusal(431, "headers_too_large", f"Headers have at most {MAX_HEADER_BYTES} bytes here.")


def _require_readable(body: bytes, headers: dict[bytes, bytes]) -> None:
    """Refuse what the JSON decoder would fail on in its own ways: other encodings, invalid UTF-8, NUL bytes, extreme nesting."""
    if headers.get(b"content-encoding", b"identity").strip().lower() != b"identity":
        raise Refusal(415, "unsupported_encoding", "Send the body without Content-Encoding.")
    if not body:
        return
    media_type = headers.get(b"content-type", b"application/json").partition(b";")[0].strip().lower()
    if media_type != b"application/json":
        raise Refusal(415, "unsupported_media_type", "Send JSON with `Content-Type: application/json` (`curl --json '...'`).")
    try:
        body.decode()
    except UnicodeDecodeError as error:
        raise Refusal(400, "invalid_utf8", f"The body is not UTF-8 at byte {error.start}.", field=BODY) from None
    if b"\0" in body:
        raise Refusal(400, "binary_body", "The body holds NUL bytes; send JSON.", field=BODY)
    if nesting(body) > MAX_DEPTH:
        raise Refusal(400, "nested_too_deeply", f"JSON nested deeper than {MAX_DEPTH} levels is not read.", field=BODY)


def nesting(body: bytes) -> int:
    """Deepest nesting of objects and arrays, brackets inside strings left out; `MAX_DEPTH` + 1 for anything deeper.

    Innermost pairs are taken out, level by level: each step is one pass of the interpreter's own search, whatever was sent.
    """
    if body.count(b"[") + body.count(b"{") <= MAX_DEPTH:
        return 0
    brackets = _STRING.sub(b"", body).translate(_AS_BRACKETS, delete=_NO_BRACKETS)
    for depth in range(MAX_DEPTH + 1):
        inner = brackets.replace(b"[]", b"")
        if inner == brackets:
            # What never closes is as deep as it is long. What closes and was never open is no JSON, which the decoder says.
            return min(depth + brackets.count(b"["), MAX_DEPTH + 1)
        brackets = inner
    return MAX_DEPTH + 1


def _replay(body: bytes, receive: Receive) -> Receive:
    given = False

    async def replayed() -> Any:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replayed


async def _answer(send: Send, refusal: Refusal) -> None:
    body = document(refusal.status, refusal.code, refusal.detail, refusal.errors)
    headers = [(b"content-type", MEDIA_TYPE.encode()), (b"content-length", str(len(body)).encode())]
    if refusal.close:
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
