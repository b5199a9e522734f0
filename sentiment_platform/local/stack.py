"""The local stack: its own PostgreSQL, Redis, GitHub server and feed server, each only where the settings name no real one.

What belongs here: which parts run, under which lock, and the environment that leads to them. The parts themselves, and how a process
is kept and ended, are in the files beside this one. Nothing else of the platform knows whether a part is local.
"""

import contextlib
import fcntl
import os
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Self

from sentiment_platform.errors import ConflictError
from sentiment_platform.local.parts.feeds import feeds_setting
from sentiment_platform.local.parts.postgres import LocalPostgres
from sentiment_platform.local.parts.redis import BROKER_EVICTION_POLICY, LocalRedis
from sentiment_platform.local.parts.secrets import kept_secret, signing_environment
from sentiment_platform.local.processes.keeping import Keeper, KeeperThread
from sentiment_platform.local.processes.ports import LOOPBACK, stable_port
from sentiment_platform.local.processes.process import ProcessOrder, SupervisedProcess, start_on_a_port
from sentiment_platform.queues.work_queues import SHORT, on_workers
from sentiment_platform.running.dagster_files import INSTANCE, dagster_file
from sentiment_platform.settings import Settings
from sentiment_platform.store.dagster_storage import DAGSTER_POSTGRES_URL, create_dagster_schema, dagster_storage_url

REPOSITORY = "local/registry"
START_TIMEOUT_S = 20.0
_LOCK = Path("run", "stack.lock")
ENV_FILE_MARK = "# Written by the local stack; valid while it runs."


def stack_runs(state_dir: Path) -> bool:
    """Whether a process keeps a stack on this state folder."""
    lock = state_dir / _LOCK
    if not lock.exists():
        return False
    with lock.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


class LocalStack:
    """Starts what has no URL in `settings`; a context manager.

    Args:
        settings: DATABASE_URL, REDIS_URL and SENTIMENT_REGISTRY_REPOSITORY switch the local PostgreSQL, Redis and GitHub server off
            one by one, SENTIMENT_FEEDS the feed server. Data, logs, ports and secrets are kept in `settings.state_dir`.
        feeds_directory: folder whose feed files are served; None serves none.
        durable: False lets PostgreSQL skip waiting for the disk; for data that is thrown away.
        log: gets one line for each part that is started.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        feeds_directory: Path | None = None,
        durable: bool = True,
        log: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.settings = settings
        self.state_dir = settings.state_dir.resolve()
        self.environment: dict[str, str] = {}
        """Variables that, over the process's own, make the settings complete; filled by `start()`."""
        self._feeds_directory = feeds_directory
        self._durable = durable
        self._log = log
        self._keeper = Keeper()
        self._running = contextlib.ExitStack()

    def start(self) -> Self:
        """Start the parts, one after the other; when one fails, those before it are stopped again. One that ends later is started again.

        Raises:
            ConflictError: another stack uses the state folder.
            LocalStackError: a part does not start; the message quotes its log.
        """
        self.stop()
        starters = self._starters()
        self._keeper = Keeper(self._log)
        try:
            if starters:
                self._lock()
            for start in starters:
                start()
            self._prepare_dagster()
            thread = KeeperThread(self._keeper, self._log)
            thread.start()
            # Entered last, so that it ends first: what is stopped on purpose stays stopped.
            self._running.callback(thread.stop)
        except BaseException:
            self.stop()
            raise
        return self

    @property
    def starts_parts(self) -> bool:
        """Whether a part is started here; else the settings name them all, and nothing of this stack is there to be joined."""
        return bool(self._starters())

    def stop(self) -> None:
        """Stop all parts, the last started first. Safe to call twice."""
        self._running.close()
        self.environment = {}

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def write_env_file(self, path: Path) -> None:
        """Write the environment (mode 0600) so that `set -a; . ./.env.local; set +a; dagster dev` uses this stack."""
        lines = [f"{ENV_FILE_MARK} Use: set -a; . ./.env.local; set +a"]
        lines += [f"{name}={shlex.quote(value)}" for name, value in self.environment.items()]
        fresh = path.with_name(f"{path.name}.{os.getpid()}")
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write("\n".join(lines) + "\n")
        fresh.replace(path)

    def _starters(self) -> list[Callable[[], None]]:
        wanted: list[Callable[[], None]] = []
        if not self.settings.database_url:
            wanted.append(self._start_postgres)
        if not self.settings.redis_url:
            wanted.append(self._start_redis)
        if on_workers(self.settings) and not self.settings.broker_url:
            wanted.append(self._start_broker)
        if not self.settings.registry_repository:
            wanted.append(self._start_registry)
        if self._feeds_directory is not None and not self.settings.feeds:
            wanted.append(self._start_feeds)
        return wanted

    def _lock(self) -> None:
        path = self.state_dir / _LOCK
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = self._running.enter_context(path.open("a+"))
        try:
            # Freed by the kernel with this process, however it ends.
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            owner = lock.read().strip() or "unknown"
            raise ConflictError(
                f"Another local stack (process {owner}) uses {self.state_dir}.",
                remedy="Other commands join it by themselves; stop it with Ctrl-C where it runs, or set another SENTIMENT_STATE_DIR.",
            ) from error
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()

    def _start_postgres(self) -> None:
        server = LocalPostgres(self.state_dir, durable=self._durable, log=self._log)
        self._running.callback(server.stop)
        self._keeper.keep(server.start(), well=True)
        create_dagster_schema(server.url)
        self.environment |= {"DATABASE_URL": server.url, "DATABASE_DIRECT_URL": server.url}
        self._log(f"PostgreSQL runs on {LOOPBACK}:{server.port}.")

    def _start_redis(self) -> None:
        server = LocalRedis(self.state_dir, log=self._log)
        self._running.callback(server.stop)
        self._keeper.keep(server.start(), well=True)
        self.environment["REDIS_URL"] = server.url
        self._log(f"Redis runs on {LOOPBACK}:{server.port}.")

    def _start_broker(self) -> None:
        server = LocalRedis(self.state_dir, name="broker", eviction_policy=BROKER_EVICTION_POLICY, log=self._log)
        self._running.callback(server.stop)
        self._keeper.keep(server.start(), well=True)
        self.environment["SENTIMENT_BROKER_URL"] = server.url
        self._log(f"The broker runs on {LOOPBACK}:{server.port}; start a worker: sentiment-platform worker {SHORT.name}")

    def _start_registry(self) -> None:
        secrets = self.state_dir / "secrets"
        token = kept_secret(secrets, "registry-token")
        command = ["sentiment_platform.github_server", "--state", str(self.state_dir / "github")]
        port = self._start_module("GitHub server", "github", [*command, "--repository", REPOSITORY], f"{token}\n")
        self.environment |= {
            "SENTIMENT_REGISTRY_REPOSITORY": REPOSITORY,
            "SENTIMENT_REGISTRY_URL": f"http://{LOOPBACK}:{port}/api/v3",
            "SENTIMENT_REGISTRY_TOKEN": token,
        }
        # Keys that the caller has set are the caller's to complete: ours would not fit them.
        if not self.settings.signing_keys and not self.settings.public_keys:
            self.environment |= signing_environment(secrets)

    def _start_feeds(self) -> None:
        directory = (self._feeds_directory or Path()).resolve()
        port = self._start_module("feed server", "feeds", ["sentiment_platform.local.parts.feeds", "--directory", str(directory)])
        self.environment |= {"SENTIMENT_FEEDS": feeds_setting(directory, port), "SENTIMENT_ALLOW_PRIVATE_HOSTS": "yes"}

    def _start_module(self, name: str, part: str, command: list[str], stdin_text: str = "") -> int:
        """Start `python -m` one of our servers on its remembered port and wait until it listens; returns the port."""
        run_dir = self.state_dir / "run"
        port_file = run_dir / f"{part}.port"

        def start() -> None:
            port_file.unlink(missing_ok=True)
            port = str(stable_port(run_dir / "ports.json", part))
            process = SupervisedProcess(
                ProcessOrder(
                    name=name,
                    argv=[sys.executable, "-m", *command, "--port", port, "--port-file", str(port_file)],
                    log_path=self.state_dir / "logs" / f"{part}.log",
                    pid_path=run_dir / f"{part}.pid",
                    environment={"PATH": os.defpath, "PYTHONUNBUFFERED": "1"},
                    cwd=self.state_dir,
                    stdin_text=stdin_text,
                )
            )
            self._running.callback(process.stop)
            process.start()
            process.wait_until_ready(lambda: None if port_file.exists() else "it does not listen", START_TIMEOUT_S)
            self._keeper.keep(process, well=True)

        start_on_a_port(start)
        port = int(port_file.read_text())
        self._log(f"The {name} runs on {LOOPBACK}:{port}.")
        return port

    def _prepare_dagster(self) -> None:
        local_url = self.environment.get("DATABASE_URL")
        # Dagster's event log on our own server need not wait for the disk; the platform's tables do.
        direct_url = f"{local_url}?options=-csynchronous_commit%3Doff" if local_url else self.settings.direct_database_url()
        home = self.state_dir / "dagster"
        home.mkdir(parents=True, exist_ok=True)
        # A link, so that Dagster's files stay out of the working tree and an edited dagster.yaml counts at once. Replaced, never missing:
        # a Dagster that found none would begin an instance of its own.
        link = home / f"{INSTANCE}.{os.getpid()}"
        link.unlink(missing_ok=True)
        link.symlink_to(dagster_file(INSTANCE))
        link.replace(home / INSTANCE)
        self.environment |= {
            "SENTIMENT_STATE_DIR": str(self.state_dir),
            "DAGSTER_HOME": str(home),
            DAGSTER_POSTGRES_URL: dagster_storage_url(direct_url),
        }
