"""What every answer is wrapped in, whoever wrote it: headers for caches and browsers, the allow-list of origins, an ETag, no body for HEAD.

A handler that sets one of these headers itself keeps it. Sizes, request ids and metrics: `guard`.
"""

from collections.abc import Iterable
from hashlib import sha256
from typing import Any

from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from sentiment_platform.errors import SettingsError
from sentiment_platform.setting_values.addresses import ORIGIN
from serving.contract.request_context import rate_headers

REVALIDATED = "no-cache"
"""The `Cache-Control` of documents that change rarely: kept, but asked about each time; the answer to that is mostly 304."""
POLICY = "default-src 'none'; frame-ancestors 'none'"
DEFAULTS = {
    b"cache-control": b"no-store",
    b"content-security-policy": POLICY.encode(),
    b"cross-origin-resource-policy": b"same-origin",
    b"referrer-policy": b"no-referrer",
    b"x-content-type-options": b"nosniff",
}
PREFLIGHT = (
    (b"access-control-allow-methods", b"GET, HEAD, POST, PUT"),
    (
        b"access-control-allow-headers",
        b"Authorization, Content-Type, Idempotency-Key, X-API-Key, X-Experiment-Arm, X-Request-Deadline-Ms, X-Request-ID",
    ),
    (b"access-control-max-age", b"600"),
)
EXPOSED = (
    b"access-control-expose-headers",
    b"Allow, ETag, RateLimit, RateLimit-Policy, Retry-After, Server-Timing, WWW-Authenticate, X-Experiment, X-Experiment-Arm, "
    b"X-Request-ID",
)

Headers = list[tuple[bytes, bytes]]


def allowed_origins(setting: str) -> frozenset[bytes]:
    """The origins that a setting names, separated by commas.

    Raises:
        SettingsError: one is no exact origin.
    """
    origins = [origin.strip() for origin in setting.split(",") if origin.strip()]
    for origin in origins:
        if not ORIGIN.match(origin):
            raise SettingsError(
                f"SENTIMENT_CORS_ORIGINS: {origin!r} is no origin.",
                remedy="Write scheme, host and port as browsers send them, `https://app.example.org`: lower case, no path, no `*`.",
            )
    return frozenset(origin.encode() for origin in origins)


class Envelope:
    """An ASGI application around all others.

    Args:
        origins: pages of these origins may read answers; no cookie is ever asked for, so credentials are not allowed.
    """

    def __init__(self, app: ASGIApp, *, origins: frozenset[bytes]) -> None:
        self._app = app
        self._origins = origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; anything but HTTP is passed on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        await self._app(scope, receive, _Answer(scope, send, self._cross_origin(scope)).send)

    def _cross_origin(self, scope: HTTPScope) -> Headers:
        if not self._origins:
            return []
        asked = dict(scope["headers"])
        # An answer to one origin must not be given to another from a cache.
        headers: Headers = [(b"vary", b"Origin")]
        if (origin := asked.get(b"origin", b"")) in self._origins:
            headers += [(b"access-control-allow-origin", origin), EXPOSED]
            if scope["method"] == "OPTIONS" and b"access-control-request-method" in asked:
                headers += PREFLIGHT
        return headers


class _Answer:
    """One answer on its way out; `send` takes the messages of the application."""

    def __init__(self, scope: HTTPScope, send: Send, added: Headers) -> None:
        self._method = scope["method"]
        self._known = dict(scope["headers"]).get(b"if-none-match", b"")
        self._send = send
        self._added = added
        self._held: Any = None
        self._ended = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            await self._start(message)
        elif not self._ended:
            await self._body(message)

    async def _start(self, message: Any) -> None:
        headers: Headers = [*message.get("headers", ()), *self._added, *rate_headers.get()]
        present = {name for name, _ in headers}
        headers += [(name, value) for name, value in DEFAULTS.items() if name not in present]
        # Whatever answers GET answers HEAD (`head_as_get`).
        message["headers"] = [(name, with_head(value) if name == b"allow" else value) for name, value in headers]
        revalidated = self._method in ("GET", "HEAD") and (b"cache-control", REVALIDATED.encode()) in headers
        if revalidated and message["status"] == 200:
            self._held = message
            return
        await self._send(message)
        if self._method == "HEAD" and b"content-length" not in present:
            # A stream: nobody waits for its first part.
            await self._body({})

    async def _body(self, message: Any) -> None:
        body: bytes = message.get("body", b"")
        if self._held is not None:
            start, self._held = self._held, None
            if not message.get("more_body", False):
                body = _tagged(start, body, self._known)
            await self._send(start)
        if self._method == "HEAD":
            self._ended = True
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})
        else:
            message["body"] = body
            await self._send(message)


def head_as_get(app: ASGIApp) -> ASGIApp:
    """`app`, asked for GET where the client asks for HEAD: routes know GET only; the envelope leaves the body out."""

    async def asked(scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await app(scope, receive, send)
            return
        ended = False

        async def received() -> Any:
            # What streams ends itself when the client leaves.
            return {"type": "http.disconnect"} if ended else await receive()

        async def sent(message: Message) -> None:
            nonlocal ended
            ended = ended or message["type"] == "http.response.start"
            await send(message)

        # The server and the metrics go on knowing what was asked.
        as_get: Any = {**scope, "method": "GET"}
        try:
            await app(as_get, received, sent)
        finally:
            if "path_template" in as_get:
                scope["path_template"] = as_get["path_template"]

    return asked


def _tagged(start: Any, body: bytes, known: bytes) -> bytes:
    """The body that is sent, with its ETag in `start`; none, and 304, where the client has it already."""
    tag = b'"' + sha256(body).hexdigest()[:32].encode() + b'"'
    headers: Iterable[tuple[bytes, bytes]] = start["headers"]
    if known.strip() == b"*" or tag in [each.strip().removeprefix(b"W/") for each in known.split(b",")]:
        start["status"] = 304
        headers = [(name, value) for name, value in headers if name not in (b"content-length", b"content-type")]
        body = b""
    start["headers"] = [*headers, (b"etag", tag)]
    return body


def with_head(allowed: bytes) -> bytes:
    """The methods of a route, with HEAD where it takes GET, in their order."""
    methods = {method.strip() for method in allowed.split(b",")}
    return b", ".join(sorted(methods | {b"HEAD"} if b"GET" in methods else methods))
