"""Load on a serving process from a process of its own: streams of requests over kept connections, closed loops or a fixed rate.

`python -m sentiment_platform_tests.benchmarks.load` reads a JSON list of `Stream` from standard input and prints a list of `Seen`.
"""

import asyncio
import subprocess
import sys
import time
from collections import deque
from collections.abc import Sequence

import msgspec

STARTED_S = 1.5
"""Requests are made and connections are open before the first one is sent."""
PHRASES = ("reports great profit and strong growth", "warns of fraud and falling sales", "will hold its annual meeting in May")


class Stream(msgspec.Struct, frozen=True, kw_only=True):
    """Requests of one kind.

    Attributes:
        rate: requests a second, whatever was answered; None: each connection sends its next request when it has its answer.
        begins_s, seconds: from the start of the load.
        items: texts of one request; more than one makes it a batch.
        characters: of one text.
        filled_with: what a text is filled up with instead of sentences; the dearest is what is read one sign at a time.
        distinct: whether each text is another; else all of the stream are the same one.
        as_users: as questions of users, which a version in shadow is asked too; else as a load test.
    """

    name: str
    port: int
    path: str = "/predict"
    connections: int = 1
    rate: float | None = None
    begins_s: float = 0.0
    seconds: float = 5.0
    items: int = 1
    characters: int = 60
    filled_with: str = ""
    explain: bool = False
    distinct: bool = True
    as_users: bool = False


class Seen(msgspec.Struct, kw_only=True):
    """What came back; times in milliseconds from the sending of a request.

    Attributes:
        statuses: status -> requests; "0": the connection was closed or no answer came until 5 s after the end.
        at_s: for each answer with 200 the second of the load in which it came, beside `took_ms`.
        unsent: requests of a fixed rate for which no connection was free.
        without_retry_after: answers 503 that do not say when to come back.
    """

    name: str
    statuses: dict[str, int] = {}
    degraded: int = 0
    took_ms: list[float] = []
    at_s: list[float] = []
    refused_ms: list[float] = []
    unsent: int = 0
    without_retry_after: int = 0


class _Connection(asyncio.Protocol):
    def __init__(self, load: "_Load") -> None:
        self._load = load
        self._read = b""
        self._need = -1
        self.sent_at = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._transport = transport

    def ask(self, request: bytes) -> None:
        self.sent_at = time.perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._read += data
        if self._need < 0:
            # An answer comes in one or two pieces.
            head, separator, _ = self._read.partition(b"\r\n\r\n")
            if not separator:
                return
            at = head.lower().find(b"content-length: ")
            self._need = len(head) + 4 + int(head[at + 16 :].partition(b"\r\n")[0])
        if len(self._read) >= self._need:
            answer, self._read, self._need = self._read, b"", -1
            self._load.answered(self, answer)

    def connection_lost(self, exc: Exception | None) -> None:
        if self.sent_at:
            self._load.lost()


class _Load:
    def __init__(self, stream: Stream, begins: float) -> None:
        self._stream = stream
        self._begins, self._ends = begins + stream.begins_s, begins + stream.begins_s + stream.seconds
        self._origin = begins
        self._free: deque[_Connection] = deque()
        self._number = 0
        # Made in advance where their number is known: whoever loads must not be the one that is slow.
        self._ready = [self._request(number) for number in range(int((stream.rate or 0) * stream.seconds) + 1)]
        self._waiting = 0
        self.seen = Seen(name=stream.name)

    async def run(self) -> Seen:
        loop, stream = asyncio.get_running_loop(), self._stream
        for _ in range(stream.connections):
            _, connection = await loop.create_connection(lambda: _Connection(self), "127.0.0.1", stream.port)
            self._free.append(connection)
        await asyncio.sleep(max(0.0, self._begins - time.perf_counter()))
        if stream.rate is None:
            while self._free:
                self._ask(self._free.popleft())
            await asyncio.sleep(max(0.0, self._ends - time.perf_counter()))
        else:
            await self._keep_rate(stream.rate)
        for _ in range(500):
            if not self._waiting:
                break
            await asyncio.sleep(0.01)
        self._count(0, self._waiting)
        return self.seen

    async def _keep_rate(self, rate: float) -> None:
        due = 0
        while (now := time.perf_counter()) < self._ends:
            while due < (now - self._begins) * rate:
                due += 1
                if self._free:
                    self._ask(self._free.popleft())
                else:
                    self.seen.unsent += 1
            await asyncio.sleep(0.001)

    def _ask(self, connection: _Connection) -> None:
        self._waiting += 1
        self._number += 1
        connection.ask(self._ready[self._number] if self._number < len(self._ready) else self._request(self._number))

    def _request(self, number: int) -> bytes:
        stream = self._stream
        texts = [self._text(number * stream.items + item) for item in range(stream.items)]
        said = {**({} if stream.as_users else {"traffic": "load_test"}), **({"explain": True} if stream.explain else {})}
        bodies = [{"text": text, **said} for text in texts]
        body = msgspec.json.encode(bodies[0] if stream.items == 1 else {"items": bodies})
        head = (
            f"POST {stream.path} HTTP/1.1\r\nHost: load\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body

    def _text(self, number: int) -> str:
        own = number if self._stream.distinct else 0
        start = f"{self._stream.name} {own} {self._origin:.3f} {PHRASES[own % len(PHRASES)]}"
        if self._stream.filled_with:
            return (start + self._stream.filled_with * self._stream.characters)[: self._stream.characters]
        more = (f". Unit {own + part} {PHRASES[(own + part) % len(PHRASES)]}" for part in range(1, 200))
        while len(start) < self._stream.characters:
            start += next(more)
        return start[: self._stream.characters]

    def answered(self, connection: _Connection, answer: bytes) -> None:
        now = time.perf_counter()
        took_ms, connection.sent_at = (now - connection.sent_at) * 1e3, 0.0
        self._waiting -= 1
        status = int(answer[9:12])
        self._count(status, 1)
        if status == 200:
            self.seen.took_ms.append(took_ms)
            self.seen.at_s.append(now - self._origin)
            self.seen.degraded += b'"degraded":true' in answer
        else:
            self.seen.refused_ms.append(took_ms)
            self.seen.without_retry_after += status == 503 and b"retry-after:" not in answer.partition(b"\r\n\r\n")[0].lower()
        if self._stream.rate is None and now < self._ends:
            self._ask(connection)
        else:
            self._free.append(connection)

    def lost(self) -> None:
        self._waiting -= 1
        self._count(0, 1)

    def _count(self, status: int, requests: int) -> None:
        if requests:
            self.seen.statuses[str(status)] = self.seen.statuses.get(str(status), 0) + requests


def put_load(*streams: Stream) -> list[Seen]:
    """Put these loads on their processes at the same time, from another process; returns what came back, in their order."""
    limit_s = max(stream.begins_s + stream.seconds for stream in streams) + 30
    done = subprocess.run(
        [sys.executable, "-m", __spec__.name],
        input=msgspec.json.encode(streams),
        stdout=subprocess.PIPE,
        timeout=limit_s,
        check=True,
    )
    return msgspec.json.decode(done.stdout, type=list[Seen])


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which `share` of the values are; 0 of none."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))] if values else 0.0


async def _run(streams: Sequence[Stream]) -> list[Seen]:
    begins = time.perf_counter() + STARTED_S
    return list(await asyncio.gather(*(_Load(stream, begins).run() for stream in streams)))


def _main() -> None:
    import uvloop

    seen = uvloop.run(_run(msgspec.json.decode(sys.stdin.buffer.read(), type=list[Stream])))
    with open(sys.stdout.fileno(), "wb", closefd=False) as output:
        output.write(msgspec.json.encode(seen))


if __name__ == "__main__":
    _main()
