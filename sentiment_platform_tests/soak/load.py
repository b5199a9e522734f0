"""Clients that keep their connection and send as they are told; light, because they share the machine with what they load."""

import asyncio
import itertools
import json
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

TIME_LIMIT_S = 20.0
_numbers = itertools.count()


class Failed(Exception):
    """No whole answer came."""


@dataclass
class Answered:
    """What came back; `wrong` are the answers that a trial calls failures, in words."""

    statuses: Counter[int] = field(default_factory=Counter[int])
    seconds: list[float] = field(default_factory=list[float])
    degraded: int = 0
    wrong: list[str] = field(default_factory=list[str])
    sentiments: dict[str, set[float]] = field(default_factory=dict[str, set[float]])
    """Version -> the sentiments that it gave of the one text that is asked again and again."""

    @property
    def total(self) -> int:
        return self.statuses.total()

    def quantile_ms(self, share: float) -> float:
        ordered = sorted(self.seconds)
        return ordered[int(share * (len(ordered) - 1))] * 1e3 if ordered else 0.0


class Connection:
    """One keep-alive connection over HTTP/1.1."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def send(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, bytes]:
        """Status and body.

        Raises:
            Failed: the connection broke, or nothing came in time.
            ConnectionRefusedError: nobody listens.
        """
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._streams
        content = json.dumps(body).encode() if body is not None else b""
        given = {"host": "soak", "content-length": str(len(content)), "content-type": "application/json", **headers}
        head = f"{method} {path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in given.items())
        try:
            async with asyncio.timeout(TIME_LIMIT_S):
                writer.write(head.encode() + b"\r\n" + content)
                told = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
                lines = dict(line.split(": ", 1) for line in told.split("\r\n")[1:] if ": " in line)
                answer = await reader.readexactly(int(lines.get("content-length", "0")))
        except (OSError, EOFError, TimeoutError) as error:
            self.close()
            raise Failed(f"{method} {path}: {type(error).__name__}") from error
        if lines.get("connection") == "close":
            self.close()
        return int(told.split(" ", 2)[1]), answer

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


Ask = Callable[[Connection, Answered], Awaitable[None]]


async def predict(connection: Connection, answered: Answered, *, same: bool = False) -> None:
    """One text; mostly one that nobody asked before."""
    number = next(_numbers)
    text = "Harbour Mills reports great profit" if same else f"Harbour Mills reports great profit in its quarter {number}"
    began = time.perf_counter()
    status, body = await connection.send("POST", "/predict", {"text": text, "traffic": "load_test"})
    answered.seconds.append(time.perf_counter() - began)
    answered.statuses[status] += 1
    if status == 200:
        answer = json.loads(body)
        answered.degraded += bool(answer["degraded"])
        if same:
            version = answer["performance"]["model_version"]
            answered.sentiments.setdefault(version, set()).add(answer["prediction"]["sentiment"])


async def anything(connection: Connection, answered: Answered) -> None:
    """What users, dashboards and probes ask of a day, good and bad."""
    kind = random.randrange(20)
    if kind < 12:
        await predict(connection, answered, same=kind < 3)
        return
    text = {"text": f"Tallow Foods warns of falling sales {next(_numbers)}", "traffic": "load_test"}
    method, path, body = (
        ("POST", "/predict/batch", {"items": [text] * 4}),
        ("POST", "/predict/compare", text),
        ("POST", "/predict", {**text, "explain": True}),
        ("GET", "/models/status", None),
        ("GET", "/metrics", None),
        ("GET", "/health", None),
        ("POST", "/predict", {"text": ""}),
        ("GET", "/nowhere", None),
    )[kind - 12]
    status, _ = await connection.send(method, path, body)
    answered.statuses[status] += 1
    if status == 500:
        answered.wrong.append(f"{method} {path}: 500")


async def clients(port: int, count: int, ask: Ask, until: Callable[[], bool], *, every_s: float = 0.0) -> Answered:
    """`count` clients that ask, each once in `every_s` (late ones catch up), until `until` is true.

    Each failure is noted; a refused connection ends its client.
    """
    answered = Answered()

    async def client() -> None:
        connection = Connection(port)
        due = time.monotonic()
        while not until():
            due += every_s
            try:
                await ask(connection, answered)
            except ConnectionRefusedError:
                break
            except Failed as failed:
                answered.wrong.append(str(failed))
            await asyncio.sleep(max(0.0, due - time.monotonic()))
        connection.close()

    await asyncio.gather(*(client() for _ in range(count)))
    return answered
