"""Bytes that are nearly HTTP: mutations of good requests, made by a seed, sent over real sockets."""

import contextlib
import random
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

GOOD = b'{"text":"Harbour Mills reports great profit"}'
HOST = b"Host: fuzz\r\n"
JSON = b"Content-Type: application/json\r\n"
HEADS = (
    b"GET /health/live HTTP/1.1\r\n" + HOST,
    b"GET /news?limit=3&symbol=MILL HTTP/1.1\r\n" + HOST,
    b"HEAD /models/status HTTP/1.1\r\n" + HOST,
    b"OPTIONS /predict HTTP/1.1\r\n" + HOST + b"Origin: https://a.example\r\nAccess-Control-Request-Method: POST\r\n",
)
PATHS = (b"/predict", b"/predict/vader", b"/predict/compare", b"/predict/batch", b"/feedback", b"/models/select", b"/nowhere")
GARBAGE = (
    b"\x00", b"\xff", b"\r", b"\n", b"\r\n", b"\t", b" ", b"%00", b"%ff", b"\xc3\x28", b"\xed\xa0\x80", b"../", b"{" * 40,
    b"Content-Length: 3\r\n", b"Content-Length: -1\r\n", b"Content-Length: 99999999999999999999\r\n",
    b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding: gzip\r\n", b"Expect: 100-continue\r\n", b"Upgrade: h2c\r\n",
    b"Connection: upgrade, close\r\n", b"X: " + b"a" * 9_000 + b"\r\n", b"Content-Encoding: gzip\r\n", b"Authorization: Bearer \r\n",
    b"X-Request-ID: \x01\r\n", b"Idempotency-Key: \xff\r\n", b"X-Request-Deadline-Ms: 1e9\r\n", b"Host: again\r\n", b": no name\r\n",
)  # fmt: skip
AT_A_TIME = 32
QUIET_S = 0.3
"""So long an answer may be silent before it is taken for complete: what a client left out is waited for by the server, not here."""


@dataclass
class Seen:
    """What the answers were."""

    sent: int = 0
    statuses: dict[int, int] = field(default_factory=dict[int, int])
    failed: list[bytes] = field(default_factory=list[bytes])
    """Requests that were answered with 500."""


def requests(seed: int, count: int) -> Iterator[bytes]:
    """`count` of them, the same for the same seed."""
    rng = random.Random(seed)
    for _ in range(count):
        whole = b"".join(_valid(rng) for _ in range(rng.choice((1, 1, 1, 2, 4))))
        for _ in range(rng.randrange(4)):
            whole = _mutated(rng, whole)
        yield whole


def fuzz(address: tuple[str, int], seed: int, count: int) -> Seen:
    """Send each over a connection of its own, some at a time, and note every status that comes back."""
    seen = Seen()
    sent = list(requests(seed, count))
    with ThreadPoolExecutor(AT_A_TIME) as threads:
        answers = list(threads.map(lambda whole: exchange(address, whole), sent))
    for whole, answer in zip(sent, answers, strict=True):
        seen.sent += 1
        for status in _statuses(answer):
            seen.statuses[status] = seen.statuses.get(status, 0) + 1
            if status == 500:
                seen.failed.append(whole)
    return seen


def exchange(address: tuple[str, int], whole: bytes) -> bytes:
    """All that is answered; b"" where the connection was closed or nothing came."""
    answer = b""
    with socket.create_connection(address, timeout=10) as connection, contextlib.suppress(OSError):
        connection.sendall(whole)
        connection.settimeout(QUIET_S)
        while chunk := connection.recv(65_536):
            answer += chunk
    return answer


def _statuses(answer: bytes) -> list[int]:
    return [int(part[:3]) for part in answer.split(b"HTTP/1.1 ")[1:] if part[:3].isdigit()]


def _valid(rng: random.Random) -> bytes:
    if rng.random() < 0.3:
        return rng.choice(HEADS) + b"\r\n"
    path = rng.choice(PATHS)
    body = b'{"items":[%s]}' % GOOD if path == b"/predict/batch" else GOOD
    head = b"POST " + path + b" HTTP/1.1\r\n" + HOST + JSON
    if rng.random() < 0.4:
        cuts = sorted(rng.randrange(len(body)) for _ in range(rng.randrange(4)))
        parts = [body[a:b] for a, b in zip([0, *cuts], [*cuts, len(body)], strict=True) if a < b]
        chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts)
        return head + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n"
    return head + b"Content-Length: %d\r\n\r\n" % len(body) + body


def _mutated(rng: random.Random, whole: bytes) -> bytes:
    at = rng.randrange(len(whole) + 1)
    kind = rng.randrange(6)
    if kind == 0:
        return whole[:at] + rng.choice(GARBAGE) + whole[at:]
    if kind == 1:
        return whole[:at] + whole[at + rng.randrange(1, 20) :]
    if kind == 2:
        return whole[:at] + bytes([rng.randrange(256)]) + whole[at + 1 :]
    if kind == 3:
        end = whole.find(b"\r\n") + 2
        return whole[:end] + rng.choice(GARBAGE) + whole[end:]
    if kind == 4:
        return whole[:at]
    length = rng.randrange(1, 60)
    return whole[:at] + whole[at : at + length] + whole[at:]
