"""Requests that a client sends ahead, without awaiting the answers before: each counts its own time, and no connection shuts others out."""

import json
import re
import socket
import time
from collections.abc import Iterator

import pytest

from sentiment_platform.settings import Settings
from sentiment_platform_tests.serving.running import ServingProcess, metric

pytestmark = pytest.mark.slow
REQUESTS, PLACES = 50, 20
FEW_PLACES = f"""
from serving.edge import places

places.MAX_CONNECTIONS = {PLACES}
from serving.__main__ import main

main([])
"""
LIVE = b"GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n"


def prediction(number: int) -> bytes:
    body = json.dumps({"text": f"Profit rose by {number} percent"}).encode()
    close = b"Connection: close\r\n" if number == REQUESTS - 1 else b""
    head = b"POST /predict/vader HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n" + close
    return head + b"Content-Length: %d\r\n\r\n" % len(body) + body


def test_the_times_of_requests_sent_ahead_add_up_to_what_all_of_them_took(answering: ServingProcess) -> None:
    """Each began with the answer before it; counted from when they were sent, the sum was the square."""
    answering.predict("Profit rose", "/predict/vader")
    began = time.perf_counter()
    with socket.create_connection(("127.0.0.1", answering.port), timeout=20) as connection:
        connection.sendall(b"".join(map(prediction, range(REQUESTS))))
        replies = b"".join(iter(lambda: connection.recv(65536), b""))
    wall_ms = 1000 * (time.perf_counter() - began)
    assert replies.count(b"HTTP/1.1 200 OK") == REQUESTS, replies[:2000]
    totals = [float(total) for total in re.findall(rb"total;dur=([0-9.]+)", replies)]
    told = [float(ms) for ms in re.findall(rb'"response_time_ms":([0-9.]+)', replies)]
    assert len(totals) == len(told) == REQUESTS
    assert 0.3 * wall_ms < sum(totals) < 1.1 * wall_ms
    assert sum(told) < 1.1 * wall_ms


@pytest.fixture
def small(settings: Settings) -> Iterator[ServingProcess]:
    process = ServingProcess(settings, program=FEW_PLACES)
    try:
        yield process.start(ready=False)
    finally:
        process.stop()


def test_connections_that_are_left_open_shut_nobody_out(small: ServingProcess) -> None:
    small.client.close()

    def connect() -> socket.socket:
        made = socket.create_connection(("127.0.0.1", small.port), timeout=10)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return made

    def asked(connection: socket.socket, request: bytes = LIVE) -> bytes:
        connection.sendall(request)
        return connection.recv(65536)[9:12]

    in_the_middle, held = [connect() for _ in range(3)], list[socket.socket]()
    for connection in in_the_middle:
        connection.sendall(LIVE[:-2])
    for _ in range(5 * PLACES):
        held.append(connect())
        assert asked(held[-1]) == b"200", "also the probe of an orchestrator"
    assert held[0].recv(1) == b"", "closed as any connection that was kept alive"
    assert {asked(connection, LIVE[-2:]) for connection in in_the_middle} == {b"200"}
    with connect() as watching:
        watching.sendall(b"GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        text = b"".join(iter(lambda: watching.recv(65536), b"")).decode()
    body = text.partition("\r\n\r\n")[2]
    # The first one was still open, from when the process was awaited.
    assert metric(body, "serving_connections_refused_total", reason="rested_longest") == 3 + 5 * PLACES + 1 - PLACES
    for connection in (*held, *in_the_middle):
        connection.close()
