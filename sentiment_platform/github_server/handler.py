"""One connection of the server: HTTP in, HTTP out, with tokens, quotas, ETags and faults on the way.

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
from typing import TYPE_CHECKING, cast

from sentiment_platform.github_server import documents
from sentiment_platform.github_server.control import CONTROL, control
from sentiment_platform.github_server.faults import Fault, spoil
from sentiment_platform.github_server.limits import Quota
from sentiment_platform.github_server.messages import Access, Reply, Request, json_reply, split_target
from sentiment_platform.github_server.records import Refused
from sentiment_platform.github_server.request_log import Authorization, RequestRecord
from sentiment_platform.github_server.routes import API, UPLOADS, dispatch

if TYPE_CHECKING:
    from sentiment_platform.github_server.server import LoopbackServer

CHUNK_BYTES = 256 * 1024
MAX_BODY_BYTES = 2 * 1024**3
MAX_JSON_BYTES = 1024**2
NO_REPLY = Reply(0)
logger = logging.getLogger(__name__)


class CutOff(Exception):
    """The connection is to be closed without (the rest of) an answer."""


class GithubHandler(BaseHTTPRequestHandler):
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
        except (CutOff, ConnectionError, TimeoutError):
            self.close_connection = True

    def _exchange(self) -> None:
        server = cast("LoopbackServer", self.server)
        path, query = split_target(self.path)
        length = self.headers.get("Content-Length", "0")
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower() or not re.fullmatch(r"\d{1,15}", length):
            self.close_connection = True
            self._send(_problem(Refused(400, "Bad Content-Length")), None)
            return
        self._unread = int(length)
        if self._unread > (MAX_BODY_BYTES if path.startswith(UPLOADS) else MAX_JSON_BYTES):
            self._unread, self.close_connection = 0, True
            self._send(_problem(Refused(413, "Payload too large")), None)
            return
        authorization, access = self._authorize(server)
        under_control = path.startswith(CONTROL)
        target = path + ("?" + "&".join(f"{k}={v}" for k, v in query.items()) if query else "")
        fault = None if under_control else server.faults.strike(self.command, target)
        request = Request(
            method=self.command,
            path=path,
            query=query,
            accept=self.headers.get("Accept", ""),
            content_type=self.headers.get("Content-Type", ""),
            content_length=self._unread,
            access=access,
            fault=fault,
            chunks=lambda: self._chunks(fault),
        )
        if under_control:
            self._send(_outcome(lambda: control(server.faults, server.log, request), request), None)
            return
        reply, counted = self._perform(server, request, authorization)
        # Before the first byte is sent, so that whoever has the answer also finds it in the log.
        server.log.add(
            RequestRecord(
                at=server.service.folder.clock(),
                method=self.command,
                path=path,
                authorization=authorization,
                status=reply.status,
                counted=counted,
                fault=fault.kind if fault else None,
            )
        )
        self._send(reply, fault)

    def _perform(self, server: "LoopbackServer", request: Request, authorization: Authorization) -> tuple[Reply, bool]:
        """The reply as its fault leaves it (status 0: none), and whether it was charged to a quota."""
        fault = request.fault
        if fault is not None and fault.kind == "cut_before":
            return NO_REPLY, False
        if fault is not None and fault.kind == "status":
            return Reply(fault.status, fault.body, headers=dict(fault.headers), content_type=fault.content_type), False
        try:
            reply, counted = self._charged(server, request, authorization)
        except (CutOff, ConnectionError, TimeoutError):
            return NO_REPLY, True
        return (_faulty(fault, reply) if fault is not None else reply), counted

    def _authorize(self, server: "LoopbackServer") -> tuple[Authorization, Access]:
        header = self.headers.get("Authorization")
        if header is None:
            return "absent", "anonymous"
        scheme, _, token = header.partition(" ")
        if scheme.lower() in ("bearer", "token"):
            for known, access in server.tokens.items():
                if hmac.compare_digest(known.encode(), token.strip().encode()):
                    return "accepted", access
        return "refused", "anonymous"

    def _charged(self, server: "LoopbackServer", request: Request, authorization: Authorization) -> tuple[Reply, bool]:
        """The reply with its rate-limit headers, and whether it was charged to a quota."""
        if not request.path.startswith((f"{API}/", f"{UPLOADS}/")):
            return _outcome(lambda: dispatch(server.service, request), request), False
        now = server.service.folder.clock()
        known = authorization == "accepted"
        caller = f"the {request.access} token" if known else str(self.client_address[0])
        limit = server.hourly_limit if known else server.anonymous_hourly_limit
        if request.path == f"{API}/rate_limit" and authorization != "refused":
            quota = server.limits.look(caller, limit, now)
            return _with_quota(json_reply(documents.rate_limit(quota)), quota), False
        quota = server.limits.take(caller, limit, now)
        if quota.exceeded:
            refused = Refused(403, f"API rate limit exceeded for {caller}.")
            return _with_quota(_problem(refused), quota), False
        if authorization == "refused":
            return _with_quota(_problem(Refused(401, "Bad credentials")), quota), True
        reply = self._conditional(request, _outcome(lambda: dispatch(server.service, request), request))
        if reply.status == 304 and known:
            return _with_quota(reply, server.limits.give_back(caller, limit, now)), False
        if request.path.startswith(UPLOADS):
            return reply, True  # GitHub's upload host sends no rate-limit headers
        return _with_quota(reply, quota), True

    def _conditional(self, request: Request, reply: Reply) -> Reply:
        """Give a JSON reply its weak ETag, and answer 304 where the caller already has it (RFC 9110, 13.1.2)."""
        if reply.file or not reply.content or reply.status not in (200, 201):
            return reply
        etag = f'W/"{hashlib.sha256(reply.content).hexdigest()}"'
        headers = {**reply.headers, "ETag": etag, "Cache-Control": "private, max-age=60, s-maxage=60"}
        held = [tag.strip().removeprefix("W/") for tag in self.headers.get("If-None-Match", "").split(",")]
        if request.method in ("GET", "HEAD") and (etag.removeprefix("W/") in held or "*" in held):
            return Reply(304, headers=headers)
        return replace(reply, headers=headers)

    def _send(self, reply: Reply, fault: Fault | None) -> None:
        if reply.status == 0:
            raise CutOff
        bodyless = self.command == "HEAD" or reply.status in (204, 304)
        length = reply.length * (fault.factor if fault and fault.kind == "inflate" else 1)
        self.send_response(reply.status)
        if reply.status not in (204, 304):
            self.send_header("Content-Type", reply.content_type)
            self.send_header("Content-Length", str(length))
        self.send_header("X-GitHub-Media-Type", "github.v3; format=json")
        self.send_header("X-GitHub-Request-Id", _request_id())
        self.send_header("Vary", "Accept, Authorization, Accept-Encoding")
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if not bodyless:
            self._send_body(reply, fault)
        if reply.on_sent and not bodyless:
            reply.on_sent()

    def _send_body(self, reply: Reply, fault: Fault | None) -> None:
        server = cast("LoopbackServer", self.server)
        slow = fault if fault and fault.kind == "slow_body" else None
        left = fault.after_bytes if fault and fault.kind == "cut_connection" else None
        for _ in range(fault.factor if fault and fault.kind == "inflate" else 1):
            for chunk in _pieces(reply, slow.chunk_bytes if slow else CHUNK_BYTES):
                if slow and server.stopping.wait(slow.delay_s):
                    raise CutOff
                if left is not None and left < len(chunk):
                    self.wfile.write(chunk[:left])
                    raise CutOff
                left = None if left is None else left - len(chunk)
                self.wfile.write(chunk)
        if left is not None:
            raise CutOff

    def _chunks(self, fault: Fault | None) -> Generator[bytes]:
        """The request body; raises `ConnectionError` when the sender stops early."""
        allowed = fault.after_bytes if fault and fault.kind == "cut_upload" else None
        while self._unread:
            wanted = min(CHUNK_BYTES, self._unread)
            if allowed is not None:
                wanted = min(wanted, allowed)
                allowed -= wanted
                if not wanted:
                    raise CutOff
            chunk = self.rfile.read(wanted)
            if len(chunk) < wanted:
                raise ConnectionError("the request body ended early")
            self._unread -= len(chunk)
            yield chunk

    def _read_away(self) -> None:
        """Leave nothing of this request on the connection: the next one begins behind it."""
        for _ in self._chunks(None):
            pass


def _faulty(fault: Fault, reply: Reply) -> Reply:
    """What a fault makes of the reply; faults of the sending itself are left to the sender."""
    if fault.kind == "stored_then_502":
        return json_reply({"message": "Server Error"}, 502)
    if fault.kind == "cut_connection" and fault.after_bytes == 0:
        return NO_REPLY
    if fault.kind in ("truncate_body", "flip_bit", "replace_body"):
        content_type = fault.content_type if fault.kind == "replace_body" else reply.content_type
        whole = reply.file.read_bytes() if reply.file else reply.content
        return replace(reply, content=spoil(fault, whole), file=None, content_type=content_type)
    return reply


def _pieces(reply: Reply, size: int) -> Iterator[bytes]:
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
