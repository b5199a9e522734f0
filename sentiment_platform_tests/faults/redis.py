"""What can happen to Redis, and how it ends again: one entry for each fault of the online store."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import psutil
from redis import Redis

from sentiment_platform.features.online import OnlineRow, write
from sentiment_platform.local.parts.redis import LocalRedis
from sentiment_platform_tests.faults.proxy import Proxy


@dataclass
class Rig:
    """A Redis of the trial's own behind a proxy."""

    server: LocalRedis
    proxy: Proxy

    @contextmanager
    def client(self) -> Iterator[Redis]:
        client = Redis.from_url(self.server.url, socket_timeout=5)
        try:
            yield client
        finally:
            client.close()

    @property
    def url(self) -> str:
        """The address that serving is given."""
        return self.server.url.replace(f":{self.server.port}/", f":{self.proxy.port}/")

    def fill(self) -> None:
        """What a request about HML and Quill asks for."""
        now = datetime.now(UTC)
        values = {"ticker:HML": {"ticker_articles_1d": 4.0}, "source:quill": {"source_articles_7d": 9.0}}
        with self.client() as client:
            client.delete(*(f"features:v1:{entity}" for entity in values))
            write(client, "v1", [OnlineRow(entity, of, now - timedelta(minutes=1)) for entity, of in values.items()], now)


def _pause(rig: Rig, resume: bool) -> None:
    process = psutil.Process(rig.server.pid)
    process.resume() if resume else process.suspend()


def _configure(rig: Rig, **options: str) -> None:
    with rig.client() as client:
        for name, value in options.items():
            client.config_set(name.replace("_", "-"), value)


def _command(rig: Rig, *arguments: str) -> None:
    with rig.client() as client:
        client.execute_command(*arguments)


def _replace_all(rig: Rig, value: bytes | None) -> None:
    with rig.client() as client:
        for name in client.scan_iter("*"):
            client.delete(name)
            client.set(name, value) if value is not None else client.rpush(name, "a", "b")


def _delay(rig: Rig, seconds: float) -> None:
    """Every reply from now on, those while connecting as well."""
    rig.proxy.delay_s = seconds
    rig.proxy.cut()


def _reset(rig: Rig, resets: bool) -> None:
    rig.proxy.resets = resets
    rig.proxy.cut()


def _nothing(_: Rig) -> None:
    pass


FAULTS: dict[str, tuple[Callable[[Rig], None], Callable[[Rig], None]]] = {
    "refused": (lambda rig: rig.proxy.refuse(), lambda rig: rig.proxy.listen()),
    "killed": (lambda rig: rig.server.stop(), lambda rig: rig.server.start()),
    "stopped by SIGSTOP": (lambda rig: _pause(rig, False), lambda rig: _pause(rig, True)),
    "20 ms slower": (lambda rig: _delay(rig, 0.02), lambda rig: _delay(rig, 0)),
    "200 ms slower": (lambda rig: _delay(rig, 0.2), lambda rig: _delay(rig, 0)),
    "connections reset": (lambda rig: _reset(rig, True), lambda rig: _reset(rig, False)),
    "emptied by FLUSHALL": (lambda rig: _command(rig, "FLUSHALL"), _nothing),
    "out of memory": (
        lambda rig: _configure(rig, maxmemory_policy="noeviction", maxmemory="1"),
        lambda rig: _configure(rig, maxmemory="128mb", maxmemory_policy="allkeys-lru"),
    ),
    "read-only": (
        lambda rig: _command(rig, "REPLICAOF", "127.0.0.1", "1"),
        lambda rig: _command(rig, "REPLICAOF", "NO", "ONE"),
    ),
    "full of wrong types": (lambda rig: _replace_all(rig, None), _nothing),
    "full of garbage": (lambda rig: _replace_all(rig, b'{"schema":"v1","values":{"x":\xff'), _nothing),
}
"""Name -> how it begins, how it ends."""
USABLE = "20 ms slower"
"""No reason to do without, whether it was connected before or has to be now."""
TOO_SLOW = "200 ms slower"
EMPTYING = {"killed", "emptied by FLUSHALL", "full of wrong types", "full of garbage"}
"""After these the context has to be written again, as the next collection does."""
