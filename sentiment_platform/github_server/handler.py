"""One connection of the server: HTTP in, HTTP out, with tokens, quotas and ETags on the way.

What is asked for is decided in `routes`; this file alone knows sockets.
"""

import hashlib
import hmac
import logging
import re
import uuid
from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from typing import Literal, cast

from sentiment_platform.github_server import documents
from sentiment_platform.github_server.limits import Quota
from sentiment_platform.github_server.listener import LoopbackServer
from sentiment_platform.github_server.messages import Access, Reply, Request, json_reply, split_target
from sentiment_platform.github_server.records import Refused
from sentiment_platform.github_server.routes import API, UPLOADS, dispatch

Authorization = Literal["absent", "accepted", "refused"]
CHUNK_BYTES = 256 * 1024
MAX_BODY_BYTES = 2 * 1024**3
MAX_JSON_BYTES = 1024**2
logger = logging.getLogger(__name__)


class GithubHandler(BaseHTTPRequestHandler):
    """Answers the requests of one connection. The steps without an underscore are there to be overridden."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 60
    server_version = "github-local"
    sys_version = ""

    def log_message(self, format: str, *args: object) -> None:
        logger.debug(format, *args)

    def do_GET(self) -> None:
        self._answer()

    do_HEAD = do_POST = do_PATCH = do_PUT = do_DELETE = do_GET

    def _answer(self) -> None:
        self._unread = 0
        try:
            self._exchange()
            self._read_away()
        except (ConnectionError, TimeoutError):  # Whoever asked is gone, and gets no (more of an) answer.
            self.close_connection = True

    def _exchange(self) -> None:
        path, query = split_target(self.path)
        length = self.headers.get("Content-Length", "0")
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower() or not re.fullmatch(r"\d{1,15}", length):
            self.close_connection = True
            self._send(_problem(Refused(400, "Bad Content-Length")))
            return
        self._unread = int(length)
        if self._unread > (MAX_BODY_BYTES if path.startswith(UPLOADS) else MAX_JSON_BYTES):
            self._unread, self.close_connection = 0, True
            self._send(_problem(Refused(413, "Payload too large")))
            return
        authorization, access = self._authorize()
        request = Request(
            method=self.command,
            path=path,
            query=query,
            accept=self.headers.get("Accept", ""),
            content_type=self.headers.get("Content-Type", ""),
            content_length=self._unread,
            access=access,
            chunks=self.chunks,
        )
        self._send(self.reply_to(request, authorization))

    def reply_to(self, request: Request, authorization: Authorization) -> Reply:
        """The whole reply, charged to the caller's quota; raises `ConnectionError` where none can be given."""
        if request.path.startswith((f"{API}/", f"{UPLOADS}/")):
            return self._charged(request, authorization)
        return _outcome(lambda: dispatch(self.loopback.service, request), request)

    @property
    def loopback(self) -> LoopbackServer:
        """The server that this connection belongs to."""
        return cast("LoopbackServer", self.server)

    def _authorize(self) -> tuple[Authorization, Access]:
        header = self.headers.get("Authorization")
        if header is None:
            return "absent", "anonymous"
        scheme, _, token = header.partition(" ")
        if scheme.lower() in ("bearer", "token"):
            for known, access in self.loopback.tokens.items():
                if hmac.compare_digest(known.encode(), token.strip().encode()):
                    return "accepted", access
        return "refused", "anonymous"

    def _charged(self, request: Request, authorization: Authorization) -> Reply:
        """The reply with its rate-limit headers. What is free: a look at the quota, a refusal because of it, a 304 with a token."""
        server, known = self.loopback, authorization == "accepted"
        now = server.service.folder.clock()
        caller = f"the {request.access} token" if known else str(self.client_address[0])
        limit = server.hourly_limit if known else server.anonymous_hourly_limit
        if request.path == f"{API}/rate_limit" and authorization != "refused":
            quota = server.limits.look(caller, limit, now)
            return _with_quota(json_reply(documents.rate_limit(quota)), quota)
        quota = server.limits.take(caller, limit, now)
        if quota.exceeded:
            return _with_quota(_problem(Refused(403, f"API rate limit exceeded for {caller}.")), quota)
        if authorization == "refused":
            return _with_quota(_problem(Refused(401, "Bad credentials")), quota)
        reply = self._conditional(request, _outcome(lambda: dispatch(server.service, request), request))
        if reply.status == 304 and known:
            return _with_quota(reply, server.limits.give_back(caller, limit, now))
        # GitHub's upload host sends no rate-limit headers.
        return reply if request.path.startswith(UPLOADS) else _with_quota(reply, quota)

    def _conditional(self, request: Request, reply: Reply) -> Reply:
        """Give a JSON reply its weak ETag, and answer 304 where the caller already has it (RFC 9110, 13.1.2)."""
        if reply.file or not reply.content or reply.status not in (200, 201):
            return reply
        etag = f'W/"{hashlib.sha256(reply.content).hexdigest()}"'
        headers = {**reply.headers, "ETag": etag, "Cache-Control": "private, max-age=60, s-maxage=60"}
        held = [tag.strip().removeprefix("W/") for tag in self.headers.get("If-None-Match", "").split(",")]
        if request.method in ("GET", "HEAD") and (etag.removeprefix("W/") in held or "*" in held):
            return Reply(status=304, headers=headers)
        return replace(reply, headers=headers)

    def _send(self, reply: Reply) -> None:
        bodyless = self.command == "HEAD" or reply.status in (204, 304)
        self.send_response(reply.status)
        if reply.status not in (204, 304):
            self.send_header("Content-Type", reply.content_type)
            self.send_header("Content-Length", str(self.length_of(reply)))
        self.send_header("X-GitHub-Media-Type", "github.v3; format=json")
        self.send_header("X-GitHub-Request-Id", _request_id())
        self.send_header("Vary", "Accept, Authorization, Accept-Encoding")
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if not bodyless:
            self.send_body(reply)
        if reply.on_sent and not bodyless:
            reply.on_sent()

    def length_of(self, reply: Reply) -> int:
        """Bytes that `send_body` will write."""
        return reply.length

    def send_body(self, reply: Reply) -> None:
        """Write the body; raises `ConnectionError` where the rest of it is not to come."""
        for piece in pieces(reply, CHUNK_BYTES):
            self.wfile.write(piece)

    def chunks(self) -> Generator[bytes]:
        """The request body; raises `ConnectionError` when the sender stops early."""
        while self._unread:
            wanted = min(CHUNK_BYTES, self._unread)
            chunk = self.rfile.read(wanted)
            if len(chunk) < wanted:
                raise ConnectionError("the request body ended early")
            self._unread -= len(chunk)
            yield chunk

    def _read_away(self) -> None:
        """Leave nothing of this request on the connection: the next one begins behind it."""
        for _ in GithubHandler.chunks(self):
            pass


def pieces(reply: Reply, size: int) -> Iterator[bytes]:
    """The body in pieces of at most `size` bytes."""
    if reply.file is None:
        yield from (reply.content[start : start + size] for start in range(0, len(reply.content), size))
        return
    with reply.file.open("rb") as file:
        while piece := file.read(size):
            yield piece


def _request_id() -> str:
    return uuid.uuid4().hex.upper()


def _problem(refused: Refused, request: Request | None = None) -> Reply:
    named = _request_id() if request and request.path.startswith(UPLOADS) else None
    return json_reply(documents.problem(refused, named), refused.status)


def _outcome(answer: Callable[[], Reply], request: Request) -> Reply:
    try:
        return answer()
    except Refused as refused:
        return _problem(refused, request)


def _with_quota(reply: Reply, quota: Quota) -> Reply:
    return replace(reply, headers={**reply.headers, **quota.headers()})
