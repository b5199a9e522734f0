"""What is nearly HTTP is refused or answered, never with 500, and the process answers a good request after each hundred."""

import socketserver
from collections.abc import Iterator
from threading import Thread

import pytest

from sentiment_platform_tests.serving.fuzzing.raw_bytes import fuzz, requests
from sentiment_platform_tests.serving.running import ServingProcess

pytestmark = pytest.mark.slow
ROUNDS = 4
LONGEST_S = 5


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


class _Failing(socketserver.BaseRequestHandler):
    """Fails at every byte above 127."""

    def handle(self) -> None:
        self.request.settimeout(LONGEST_S)
        status = b"200" if self.request.recv(65_536).isascii() else b"500"
        self.request.sendall(b"HTTP/1.1 " + status + b" X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")


@pytest.fixture
def failing() -> Iterator[tuple[str, int]]:
    """A server that fails; at the end it waits for each of its threads, so that nothing of it outlives the test."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Failing) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield ("127.0.0.1", server.server_address[1])
        server.shutdown()
        thread.join()


def test_a_server_that_fails_is_seen(failing: tuple[str, int]) -> None:
    """The control."""
    assert fuzz(failing, 0, 100).failed != []
