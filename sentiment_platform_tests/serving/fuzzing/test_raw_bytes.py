"""What is nearly HTTP is refused or answered, never with 500, and the process answers a good request after each hundred."""

import asyncio
import socket
from collections.abc import Iterator
from threading import Thread
from typing import Any

import pytest

from sentiment_platform_tests.serving.fuzzing.raw_bytes import fuzz, requests
from sentiment_platform_tests.serving.running import ServingProcess

pytestmark = pytest.mark.slow
ROUNDS = 4


def test_a_seed_makes_the_same_requests_again_and_another_one_others() -> None:
    assert list(requests(1, 50)) == list(requests(1, 50))
    assert list(requests(1, 50)) != list(requests(2, 50))


def test_no_bytes_make_it_fail(answering: ServingProcess) -> None:
    statuses: set[int] = set()
    for seed in range(ROUNDS):
        seen = fuzz(("127.0.0.1", answering.port), seed, 100)
        assert seen.failed == [], f"seed {seed}"
        statuses |= seen.statuses.keys()
        assert answering.predict()["prediction"]["model_used"] == "vader"
    assert statuses >= {200, 400, 404, 415}, "good requests were among them, and bad ones of several kinds"


@pytest.fixture
def failing() -> Iterator[tuple[str, int]]:
    """A server that fails at every byte above 127."""
    listening = socket.create_server(("127.0.0.1", 0))

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        status = b"500" if not (await reader.read(65_536)).isascii() else b"200"
        writer.write(b"HTTP/1.1 " + status + b" X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    loop = asyncio.new_event_loop()
    server: Any = loop.run_until_complete(asyncio.start_server(answer, sock=listening))
    thread = Thread(target=loop.run_forever, daemon=True)
    thread.start()
    yield listening.getsockname()
    loop.call_soon_threadsafe(server.close)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(5)
    loop.close()


def test_a_server_that_fails_is_seen(failing: tuple[str, int]) -> None:
    """The control."""
    assert fuzz(failing, 0, 100).failed != []
