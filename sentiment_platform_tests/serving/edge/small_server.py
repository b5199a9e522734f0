"""A small server behind the connections that serving uses, and what its clients need."""

import asyncio
import json
import socket
import time
from functools import partial
from threading import Thread
from typing import Any

import uvicorn
import uvloop

from serving.edge.guard import Guard
from serving.edge.places import Places
from serving.edge.sockets import BoundedConnection
from serving.metrics import Metrics

CAP, HEAD_S, WRITE_S = 5, 0.6, 0.6
ASK = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
ANSWERED, STAYED = list[str](), list[str]()
"""What was answered slowly, and what requests to `/stay` were told at last."""
LARGE = 40_000_000
"""Bytes of an answer that no kernel buffers whole."""


class Running:
    """A small application behind the connections that serving uses, in a thread."""

    def __init__(self, protocol: Any = BoundedConnection) -> None:
        self.metrics = Metrics()
        made = (
            partial(protocol, self.metrics, Places(CAP, self.metrics), head_s=HEAD_S, write_s=WRITE_S)
            if protocol is BoundedConnection
            else protocol
        )
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.address = self._listening.getsockname()
        guarded = Guard(answer, max_body_bytes=65_536, metrics=self.metrics, draining=lambda: False)
        config = uvicorn.Config(
            guarded, http=made, log_config=None, ws="none", lifespan="off", server_header=False, date_header=False
        )
        self._server = uvicorn.Server(config)
        self._thread = Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(self._server.serve([self._listening]))

    def connect(self) -> socket.socket:
        made = socket.create_connection(self.address, timeout=10)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return made

    def refused(self, reason: str) -> int:
        return int(self.metrics.connections_refused.labels(reason)._value.get())

    def connections(self) -> int:
        return len(self._server.server_state.connections)

    def stop(self) -> None:
        self._server.should_exit = self._server.force_exit = True
        self._thread.join(10)


async def answer(scope: Any, receive: Any, send: Any) -> None:
    """The length of the body, or `/named` the headers; `/slow` takes its time, `/late` after its head; `/large` is large; `/stay` streams and never ends."""
    message = await receive()
    body = message["body"]
    while message.get("more_body"):
        message = await receive()
        body += message["body"]
    if scope["path"] == "/slow":
        await asyncio.sleep(0.3)
        ANSWERED.append(scope["path"])
    if scope["path"] == "/stay":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        STAYED.append((await receive())["type"])
        return
    told = bytes(LARGE) if scope["path"] == "/large" else str(len(body)).encode()
    if scope["path"] == "/named":
        told = b" ".join(name for name, _ in scope["headers"])
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", str(len(told)).encode())]})
    if scope["path"] == "/late":
        await asyncio.sleep(1)
    await send({"type": "http.response.body", "body": told})


def read_all(connection: socket.socket) -> bytes:
    """Until the other side closes."""
    chunks = list[bytes]()
    while chunk := connection.recv(65536):
        chunks.append(chunk)
    return b"".join(chunks)


def problem(reply: bytes) -> dict[str, Any]:
    head, _, body = reply.partition(b"\r\n\r\n")
    told = json.loads(body)
    assert b"content-type: application/problem+json" in head
    assert f"x-request-id: {told['request_id']}".encode() in head
    assert head.startswith(f"HTTP/1.1 {told['status']} ".encode())
    return told


def wait_for(holds: Any, limit_s: float = 8.0) -> None:
    ends = time.monotonic() + limit_s
    while not holds():
        assert time.monotonic() < ends
        time.sleep(0.02)


def ask(connection: socket.socket) -> bytes:
    connection.sendall(ASK)
    reply = connection.recv(65536)
    assert reply.endswith(b"\r\n\r\n0")
    return reply
