"""The local GitHub server, failing as a test tells it (`faults`) and writing down what it was asked (`requests`).

Only the steps of a connection that a fault changes are overridden; everything else is the server that runs in production.
"""

import threading
from collections.abc import Generator
from dataclasses import replace
from datetime import datetime
from typing import Any, Self

from sentiment_platform.github_server import GithubServer
from sentiment_platform.github_server.handler import CHUNK_BYTES, Authorization, GithubHandler, pieces
from sentiment_platform.github_server.limits import Quota, RateLimits
from sentiment_platform.github_server.messages import Reply, Request, json_reply
from sentiment_platform.github_server.records import Refused
from sentiment_platform_tests.github_server.faults import Fault, FaultPlan, spoil
from sentiment_platform_tests.github_server.request_log import RequestLog, RequestRecord


class CutOff(ConnectionError):
    """The connection is to be closed without (the rest of) an answer."""


class WatchedLimits(RateLimits):
    """Knows whether the request that this thread answers was charged to a quota."""

    def __init__(self) -> None:
        super().__init__()
        self.of_thread = threading.local()

    def take(self, caller: str, limit: int, now: datetime) -> Quota:
        quota = super().take(caller, limit, now)
        self.of_thread.charged = not quota.exceeded
        return quota

    def give_back(self, caller: str, limit: int, now: datetime) -> Quota:
        self.of_thread.charged = False
        return super().give_back(caller, limit, now)

    def forget(self) -> None:
        with self._lock:
            self._windows.clear()


class ScriptedHandler(GithubHandler):
    """One connection of a `ScriptedServer`."""

    plan: FaultPlan
    log: RequestLog
    limits: WatchedLimits
    fault: Fault | None = None

    def reply_to(self, request: Request, authorization: Authorization) -> Reply:
        query = "&".join(f"{name}={value}" for name, value in request.query.items())
        self.fault = self.plan.strike(request.method, f"{request.path}?{query}" if query else request.path)
        self.limits.of_thread.charged = False
        reply = None
        try:
            reply = self._faulty_reply(request, authorization)
        finally:
            # Before the first byte is sent, so that whoever has the answer also finds it in the log.
            self.log.add(
                RequestRecord(
                    at=self.loopback.service.folder.clock(),
                    method=request.method,
                    path=request.path,
                    authorization=authorization,
                    status=reply.status if reply else 0,
                    counted=self.limits.of_thread.charged,
                    fault=self.fault.kind if self.fault else None,
                )
            )
        return reply

    def _faulty_reply(self, request: Request, authorization: Authorization) -> Reply:
        fault = self.fault
        if fault is None:
            return super().reply_to(request, authorization)
        if fault.kind == "cut_before":
            raise CutOff
        if fault.kind == "status":
            return Reply(status=fault.status, content=fault.body, headers=dict(fault.headers), content_type=fault.content_type)
        reply = super().reply_to(request, authorization)
        if fault.kind == "stored_then_502":
            return json_reply({"message": "Server Error"}, 502)
        if fault.kind == "cut_connection" and fault.after_bytes == 0:
            raise CutOff
        if fault.kind in ("truncate_body", "flip_bit", "replace_body"):
            content_type = fault.content_type if fault.kind == "replace_body" else reply.content_type
            whole = reply.file.read_bytes() if reply.file else reply.content
            return replace(reply, content=spoil(fault, whole), file=None, content_type=content_type)
        return reply

    @property
    def _copies(self) -> int:
        return self.fault.factor if self.fault and self.fault.kind == "inflate" else 1

    def length_of(self, reply: Reply) -> int:
        return reply.length * self._copies

    def send_body(self, reply: Reply) -> None:
        fault = self.fault
        slow = fault if fault and fault.kind == "slow_body" else None
        left = fault.after_bytes if fault and fault.kind == "cut_connection" else None
        for _ in range(self._copies):
            for piece in pieces(reply, slow.chunk_bytes if slow else CHUNK_BYTES):
                if slow and self.loopback.stopping.wait(slow.delay_s):
                    raise CutOff
                if left is not None and left < len(piece):
                    self.wfile.write(piece[:left])
                    raise CutOff
                left = None if left is None else left - len(piece)
                self.wfile.write(piece)
        if left is not None:
            raise CutOff

    def chunks(self) -> Generator[bytes]:
        if self.fault and self.fault.kind == "starter_then_502":
            raise Refused(502, "Server Error")
        allowed = self.fault.after_bytes if self.fault and self.fault.kind == "cut_upload" else None
        for chunk in super().chunks():
            if allowed is None:
                yield chunk
                continue
            yield chunk[:allowed]
            allowed -= len(chunk[:allowed])
            if not allowed:
                raise CutOff


class ScriptedServer(GithubServer):
    """As `GithubServer`, with faults to add and a log to read; both outlive a stop."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self.faults, self.requests = FaultPlan(), RequestLog()
        self._limits_watched = WatchedLimits()
        parts = {"plan": self.faults, "log": self.requests, "limits": self._limits_watched}
        super().__init__(*arguments, handler=type("Handler", (ScriptedHandler,), parts), **options)

    def begin_an_hour(self) -> None:
        """Everybody has a whole quota again."""
        self._limits_watched.forget()

    def start(self) -> Self:
        super().start()
        assert self._running is not None
        self._running[0].limits = self._limits_watched
        return self
