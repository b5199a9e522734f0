"""Sockets as slow, broken or greedy clients use them: each is bounded, told why where it can be told, and counted."""

import asyncio
import logging
import socket
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import uvloop

from sentiment_platform_tests.serving.edge.small_server import (
    ASK,
    CAP,
    HEAD_S,
    LARGE,
    STAYED,
    WRITE_S,
    Running,
    ask,
    problem,
    read_all,
    wait_for,
)
from serving.edge.places import Places, largest_number_of_connections
from serving.edge.sockets import MAX_HEAD_BYTES, MAX_HEADERS
from serving.edge.whole_answers import WholeAnswers
from serving.metrics import Metrics


def test_the_head_of_an_answer_comes_with_its_body_in_order_also_of_requests_sent_ahead(running: Running) -> None:
    with running.connect() as connection:
        for _ in range(30):
            connection.sendall(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
            assert connection.recv(65536).endswith(b"\r\n\r\n0"), "in two writes the body comes with the next look"
        ahead = [(b"POST", b"12"), (b"HEAD", b""), (b"POST", b"1"), (b"GET", b"")]
        for method, body in ahead:
            length = b"content-length: %d\r\n" % len(body) if body else b""
            last = b"connection: close\r\n" if method == b"GET" else b""
            connection.sendall(method + b" / HTTP/1.1\r\nHost: here\r\n" + length + last + b"\r\n" + body)
        replies = read_all(connection).split(b"HTTP/1.1 ")[1:]
    assert [reply.partition(b"\r\n\r\n")[2] for reply in replies] == [b"2", b"", b"1", b"0"]


def test_a_head_whose_body_is_made_later_does_not_wait_for_it(running: Running) -> None:
    with running.connect() as connection:
        connection.sendall(b"GET /late HTTP/1.1\r\nHost: here\r\n\r\n")
        connection.settimeout(0.7)
        assert connection.recv(65536).endswith(b"\r\n\r\n")
        connection.settimeout(10)
        assert connection.recv(65536) == b"0"


@pytest.mark.parametrize(
    "sent",
    [b"GARBAGE\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\x16\x03\x01\x02\x00\x01", b"GET / HTTP/1.1\r\nA B\r\n\r\n"],
)
def test_what_is_no_http_gets_a_problem_document_with_an_id_and_is_counted(running: Running, sent: bytes) -> None:
    before = running.refused("invalid_http")
    with running.connect() as connection:
        connection.sendall(sent)
        assert problem(read_all(connection))["code"] == "invalid_http"
    assert running.refused("invalid_http") == before + 1


def test_a_head_that_never_ends_is_refused_by_its_bytes_while_it_arrives(running: Running) -> None:
    with running.connect() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nX-Long: ")
        for _ in range(MAX_HEAD_BYTES // 4096 + 1):
            connection.sendall(b"a" * 4096)
        assert problem(read_all(connection))["code"] == "headers_too_large"


@pytest.mark.parametrize("drip", [b"a", b""])
def test_a_head_that_comes_too_slowly_is_refused_by_its_time(running: Running, drip: bytes) -> None:
    with running.connect() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nX-Slow: ")
        began = time.monotonic()
        connection.settimeout(0.1)
        reply = b""
        while not reply and time.monotonic() < began + 8:
            try:
                connection.sendall(drip)
                reply = connection.recv(65536)
            except TimeoutError:
                continue
        assert problem(reply)["code"] == "head_too_slow"


@pytest.mark.parametrize("asked_before", [False, True])
@pytest.mark.parametrize("sent", [b"", b"\r\n"])
def test_a_connection_that_asks_nothing_is_closed(running: Running, sent: bytes, *, asked_before: bool) -> None:
    with running.connect() as connection:
        if asked_before and sent:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            answer = connection.recv(65536)
            while not answer.endswith(b"\r\n\r\n0"):
                answer += connection.recv(65536)
        connection.sendall(sent)
        assert read_all(connection) == b""


def test_connections_beyond_the_cap_are_told_so_and_those_within_it_go_on(running: Running) -> None:
    wait_for(lambda: running.connections() == 0)
    held = [running.connect() for _ in range(CAP)]
    for connection in held:
        connection.sendall(ASK[:-2])
    wait_for(lambda: running.connections() == CAP)
    time.sleep(0.05)
    with running.connect() as one_more:
        reply = read_all(one_more)
        assert problem(reply)["code"] == "too_many_connections"
        assert b"retry-after: 1\r\n" in reply
    for connection in held:
        connection.sendall(ASK[-2:])
        assert connection.recv(65536).endswith(b"\r\n\r\n0"), "a head that began keeps its place"
        connection.close()
    wait_for(lambda: running.connections() == 0)


def test_when_full_the_connection_that_rested_longest_makes_room_and_nobody_who_is_in_the_middle(running: Running) -> None:
    wait_for(lambda: running.connections() == 0)
    before = running.refused("rested_longest")
    slow, half, first, asks_nothing, again = [running.connect() for _ in range(CAP)]
    for connection in (slow, half, again, first):
        ask(connection)
    slow.sendall(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
    half.sendall(ASK[:9])
    ask(again)
    come = list[socket.socket]()
    for leaves in (asks_nothing, first, again):
        come.append(running.connect())
        ask(come[-1])
        assert read_all(leaves) == b"", "closed, and not reset"
        leaves.close()
    assert running.refused("rested_longest") == before + 3
    assert slow.recv(65536).endswith(b"0")
    half.sendall(ASK[9:])
    assert half.recv(65536).endswith(b"0")
    for connection in (slow, half, *come):
        ask(connection)
        connection.close()
    wait_for(lambda: running.connections() == 0)


async def over_one_connection(do: Callable[[asyncio.Transport, socket.socket], Awaitable[None]]) -> None:
    """`do` with the server's end of a connection, which is not read, and the client's."""
    with socket.create_server(("127.0.0.1", 0)) as listening, socket.create_connection(listening.getsockname()) as client:
        accepted = listening.accept()[0]
        accepted.setblocking(False)
        transport, _ = await asyncio.get_running_loop().connect_accepted_socket(asyncio.Protocol, accepted)
        transport.pause_reading()
        try:
            await do(transport, client)
        finally:
            if not transport.is_closing():
                transport.abort()
            await asyncio.sleep(0)


@pytest.mark.parametrize("sent", [b"", ASK])
def test_whose_request_lies_in_the_kernel_keeps_its_place(sent: bytes) -> None:
    """As of a connection that is not read for a moment after a refusal."""

    async def compare(transport: asyncio.Transport, client: socket.socket) -> None:
        places = Places(1, Metrics())
        assert places.take(transport)
        client.sendall(sent)
        await asyncio.sleep(0.02)
        newcomer = asyncio.Transport()
        assert places.take(newcomer) is (sent == b"")
        assert transport.is_closing() is (sent == b"")

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(over_one_connection(compare))


def test_an_answer_whose_connection_was_cut_meanwhile_is_dropped() -> None:
    failed = list[Any]()

    async def compare(transport: asyncio.Transport, _: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: failed.append(context))
        answers = WholeAnswers(transport, loop)
        transport.abort()
        loop.call_soon(answers.write, b"HTTP/1.1 200 OK\r\n\r\n")
        await asyncio.sleep(0.02)
        answers.write(b"0")
        answers.close()
        with pytest.raises(RuntimeError):
            transport.write(b"the control")

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(over_one_connection(compare))
    assert failed == []


def test_a_client_that_reads_nothing_is_cut_and_one_that_reads_slowly_is_not(running: Running) -> None:
    before = running.refused("answer_not_read")
    with running.connect() as deaf, running.connect() as slow:
        for connection in (deaf, slow):
            connection.sendall(b"GET /large HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        taken, ends = 0, time.monotonic() + 3 * WRITE_S
        while time.monotonic() < ends:
            taken += len(slow.recv(200_000))
            time.sleep(0.02)
        assert running.refused("answer_not_read") == before + 1
        taken += len(read_all(slow))
    assert taken > LARGE


def test_a_client_that_is_cut_with_requests_ahead_leaves_no_traceback(running: Running, caplog: pytest.LogCaptureFixture) -> None:
    before = running.refused("answer_not_read")
    with caplog.at_level(logging.WARNING), running.connect() as deaf:
        deaf.sendall(4 * b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n")
        wait_for(lambda: running.refused("answer_not_read") == before + 1)
        wait_for(lambda: running.connections() == 0)
        wait_for(lambda: running.metrics.in_flight == 0)
    assert [record.getMessage() for record in caplog.records] == []


def test_a_stream_learns_that_its_client_left_also_with_a_request_behind_it(running: Running) -> None:
    STAYED.clear()
    with running.connect() as leaving:
        leaving.sendall(b"GET /stay HTTP/1.1\r\nHost: a\r\n\r\n" + ASK)
        assert leaving.recv(65536).startswith(b"HTTP/1.1 200 ")
        time.sleep(0.1)
        assert STAYED == []
    wait_for(lambda: STAYED == ["http.disconnect"])


def test_garbage_behind_a_request_neither_takes_the_place_of_its_answer_nor_gets_one(running: Running) -> None:
    with running.connect() as connection:
        connection.sendall(b"POST /slow HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc")
        time.sleep(0.05)
        connection.sendall(b"GARBAGE\r\n\r\n")
        reply = read_all(connection)
    assert reply.startswith(b"HTTP/1.1 200 ")
    assert reply.endswith(b"\r\n\r\n3")
    assert reply.count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize("offered", ["h2c", "websocket", "TLS/1.3"])
def test_a_body_is_read_where_the_client_offers_another_protocol(running: Running, offered: str) -> None:
    """As curl and Java send it."""
    head = f"POST / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings, close\r\nUpgrade: {offered}\r\nContent-Length: 5\r\n\r\n"
    with running.connect() as connection:
        connection.sendall(head.encode())
        connection.sendall(b"hello")
        assert read_all(connection).endswith(b"\r\n\r\n5")


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        (b"GET /?" + b"a" * 5_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414, "url_too_long"),
        (b"GET /?" + b"a" * 200_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414, "url_too_long"),
        (b"GET / HTTP/1.1\r\nHost: a\r\n" + b"A: b\r\n" * MAX_HEADERS + b"\r\n", 431, "headers_too_large"),
        (b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n", 400, "invalid_http"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, "invalid_http"),
    ],
)
def test_a_head_is_refused_for_what_is_wrong_with_it(running: Running, sent: bytes, status: int, code: str) -> None:
    with running.connect() as connection:
        connection.sendall(sent)
        told = problem(read_all(connection))
    assert (told["status"], told["code"]) == (status, code)


@pytest.mark.parametrize(
    "head", [b"GET / HTTP/1.0\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + b"A: b\r\n" * (MAX_HEADERS - 2)]
)
def test_a_head_at_its_bounds_is_answered(running: Running, head: bytes) -> None:
    with running.connect() as connection:
        connection.sendall(head + b"\r\n")
        assert read_all(connection).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("chunks", [b"ZZ\r\n", b"3\r\nabcX", b"-1\r\n", b"FFFFFFFFFFFFFFFFF\r\n"])
def test_a_body_that_stops_being_http_is_refused_at_once(running: Running, chunks: bytes) -> None:
    with running.connect() as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks)
        connection.settimeout(2)
        assert problem(read_all(connection))["code"] == "invalid_http"


def test_without_these_bounds_a_slow_head_is_awaited_for_ever() -> None:
    """The control: uvicorn's own protocol."""
    bare = Running("httptools")
    try:
        with bare.connect() as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nX-Slow: ")
            connection.settimeout(2 * HEAD_S)
            with pytest.raises(TimeoutError):
                connection.recv(1)
    finally:
        bare.stop()


def test_the_cap_leaves_descriptors_for_everything_else() -> None:
    assert 1 <= largest_number_of_connections() <= 2_000
