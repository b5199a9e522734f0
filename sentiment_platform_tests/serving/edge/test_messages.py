"""Where a message ends and the next begins: between chunks, in trailers, behind a body, and where a client ends its sending."""

import socket
import time
from functools import partial

import pytest

from sentiment_platform_tests.serving.edge.small_server import (
    ANSWERED,
    ASK,
    HEAD_S,
    Running,
    answer,
    ask,
    problem,
    read_all,
    wait_for,
)
from serving.edge.admission import admitting_connections
from serving.edge.door import Door
from serving.edge.sockets import MAX_HEAD_BYTES
from serving.metrics import Metrics
from serving.work.loop_share import LoopShare

CHUNKED = b" HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize("begun", [b"0\r\nX-A: ", b"5;x="])
def test_what_stands_between_chunks_and_after_them_is_bounded(running: Running, begun: bytes) -> None:
    before = running.refused("headers_too_large")
    with running.connect() as connection:
        connection.sendall(b"POST /" + CHUNKED + b"5\r\nhello\r\n" + begun)
        time.sleep(0.05)
        for _ in range(MAX_HEAD_BYTES // 4096 + 1):
            connection.sendall(b"a" * 4096)
        connection.settimeout(2)
        assert problem(read_all(connection))["code"] == "invalid_http"
    assert running.refused("headers_too_large") == before + 1


@pytest.mark.parametrize("together", [True, False])
def test_trailers_are_read_and_are_no_headers(running: Running, *, together: bool) -> None:
    with running.connect() as connection:
        connection.sendall(b"POST /named" + CHUNKED + b"5\r\nhello\r\n")
        if not together:
            time.sleep(0.05)
        connection.sendall(b"0\r\nAuthorization: Bearer a\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n")
        assert connection.recv(65536).endswith(b"\r\n\r\nhost transfer-encoding")
        ask(connection)


@pytest.mark.parametrize(
    ("ahead", "count"), [(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 45000\r\n\r\n" + b" " * 45_000, 1), (ASK, 3_000)]
)
def test_a_head_is_not_charged_with_what_came_before_it(running: Running, ahead: bytes, count: int) -> None:
    with running.connect() as connection:
        connection.sendall(ahead * count + ASK[:20])
        time.sleep(0.3)
        connection.sendall(ASK[20:-2] + b"Connection: close\r\n\r\n")
        replies = read_all(connection)
    assert replies.count(b"HTTP/1.1 200") == count + 1


def test_a_large_body_of_a_prediction_that_is_refused_is_read_to_its_end() -> None:
    metrics = Metrics()
    door = Door(answer, LoopShare(0.2), metrics, ["/predict"], draining=lambda: False, full=lambda route: True)
    full = Running(admitting_connections(door, metrics))
    try:
        with full.connect() as connection:
            connection.sendall(b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n\r\n")
            for _ in range(6):
                time.sleep(0.02)
                connection.sendall(b" " * 10_000)
            assert problem(connection.recv(65536))["code"] == "overloaded"
            ask(connection)
    finally:
        full.stop()


def test_who_is_refused_again_and_again_keeps_the_connection() -> None:
    metrics = Metrics()
    door = Door(answer, LoopShare(0.2), metrics, ["/predict"], draining=lambda: False, full=lambda route: True)
    full = Running(partial(admitting_connections(door, metrics), head_s=HEAD_S))
    began, asked = time.monotonic(), b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}"
    try:
        with full.connect() as connection:
            while time.monotonic() < began + 3 * HEAD_S:
                connection.sendall(asked)
                assert problem(connection.recv(65536))["code"] == "overloaded"
                time.sleep(HEAD_S / 4)
    finally:
        full.stop()


@pytest.mark.parametrize(
    ("asked", "statuses"),
    [
        (b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n", [200]),
        (2 * b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n" + ASK, 3 * [200]),
        (b"GET /late HTTP/1.1\r\nHost: a\r\n\r\n" + ASK[:20], [200]),
        (b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\nPOST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc", [200, 400]),
        (b"POST /slow HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc", [400]),
        (ASK[:20], []),
        (b"", []),
    ],
)
@pytest.mark.parametrize("pause_s", [0, 0.1])
def test_who_ends_its_sending_gets_its_answers(running: Running, asked: bytes, statuses: list[int], pause_s: float) -> None:
    with running.connect() as connection:
        connection.sendall(asked)
        time.sleep(pause_s)
        began = time.monotonic()
        connection.shutdown(socket.SHUT_WR)
        replies = read_all(connection)
        assert [int(reply[:3]) for reply in replies.split(b"HTTP/1.1 ")[1:]] == statuses
        assert statuses or time.monotonic() - began < HEAD_S / 2
        wait_for(lambda: running.connections() == 0)


def test_who_ends_its_sending_and_takes_nothing_or_left_keeps_no_place(running: Running) -> None:
    wait_for(lambda: running.connections() == 0)
    before = running.refused("answer_not_read")
    with running.connect() as deaf, running.connect() as left:
        wait_for(lambda: running.connections() == 2)
        ANSWERED.clear()
        deaf.sendall(b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n")
        deaf.shutdown(socket.SHUT_WR)
        left.sendall(20 * b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
        left.close()
        wait_for(lambda: running.connections() == 0)
    assert running.refused("answer_not_read") == before + 1
    assert len(ANSWERED) < 5, "the others were given up"
