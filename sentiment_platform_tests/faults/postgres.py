"""What can happen to PostgreSQL, and how it ends again: one entry for each fault of the database behind serving."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import psycopg

from sentiment_platform.local.parts.postgres import LocalPostgres
from sentiment_platform.store.migrate import upgrade
from sentiment_platform_tests.faults.proxy import Proxy


@contextlib.contextmanager
def own_server(folder: Path) -> Iterator[LocalPostgres]:
    """A server with the platform's tables that a test may stop: nobody else uses it."""
    folder.mkdir(mode=0o711, exist_ok=True)
    server = LocalPostgres(folder, durable=False)
    server.start()
    try:
        upgrade(server.url)
        yield server
    finally:
        server.stop()


@dataclass
class Rig:
    """A PostgreSQL of the trial's own behind a proxy, and what a fault holds of it."""

    server: LocalPostgres
    proxy: Proxy
    suspended: list[psutil.Process] = field(default_factory=list[psutil.Process])
    held: list[psycopg.Connection] = field(default_factory=list[psycopg.Connection])

    @property
    def url(self) -> str:
        """The address that serving is given."""
        return self.server.url.replace(f":{self.server.port}/", f":{self.proxy.port}/")

    def connect(self) -> psycopg.Connection:
        """A connection past the proxy; it is not in a transaction."""
        return psycopg.connect(self.server.url, autocommit=True, connect_timeout=10)

    def release(self) -> None:
        """Give back what the fault held; locks go with their connection."""
        for connection in self.held:
            connection.close()
        self.held.clear()


def _suspend(rig: Rig) -> None:
    postmaster = psutil.Process(rig.server.pid)
    rig.suspended = [postmaster, *postmaster.children(recursive=True)]
    for process in rig.suspended:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.suspend()


def _resume(rig: Rig) -> None:
    for process in rig.suspended:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.resume()
    rig.suspended = []


def _delay(rig: Rig, seconds: float) -> None:
    rig.proxy.delay_s = seconds


def _terminate(rig: Rig) -> int:
    """End every connection that is not ours, as an administrator or a failover does; how many there were."""
    ours = [connection.info.backend_pid for connection in rig.held]
    query = """SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
               WHERE usename = current_user AND pid <> pg_backend_pid() AND pid <> ALL(%s)"""
    asking = rig.held[0] if rig.held else rig.connect()
    row = asking.execute(query, [ours]).fetchone()
    if not rig.held:
        asking.close()
    return row[0] if row else 0


def _restart(rig: Rig) -> None:
    rig.server.stop()
    rig.server.start()


def _occupy(rig: Rig) -> None:
    """Take every connection that the server gives, those of serving included."""
    while True:
        try:
            rig.held.append(rig.connect())
        except psycopg.OperationalError as error:
            if "too many" not in str(error) and "reserved" not in str(error):
                raise
            # Serving may have been quicker with a place that was freed here.
            if _terminate(rig) == 0:
                return


def _lock(rig: Rig) -> None:
    connection = psycopg.connect(rig.server.url)
    rig.held.append(connection)
    # What stands in these tables' queue waits behind it, however short it is.
    connection.execute("LOCK TABLE platform.predictions, platform.feedback IN ACCESS EXCLUSIVE MODE")


def _mute(rig: Rig) -> None:
    rig.proxy.mute()


def _nothing(_: Rig) -> None:
    pass


@dataclass(frozen=True)
class Fault:
    """How it begins and ends, how long it stays, and whether nothing at all can be stored meanwhile. `again` repeats in between.

    Afterwards the pool serves again within `recovers_s` seconds.
    """

    begin: Callable[[Rig], object]
    end: Callable[[Rig], object]
    stays_s: float = 3.0
    stores_nothing: bool = False
    again: Callable[[Rig], object] = _nothing
    recovers_s: float = 5.0


FAULTS: dict[str, Fault] = {
    "down": Fault(lambda rig: rig.server.stop(), lambda rig: rig.server.start(), stores_nothing=True),
    "refused": Fault(lambda rig: rig.proxy.refuse(), lambda rig: rig.proxy.listen(), stores_nothing=True),
    "stopped by SIGSTOP": Fault(_suspend, _resume, stores_nothing=True),
    # TCP lives on and no keep-alive fails, until each thread of serving waits for ever: only its own patience (10 s) frees it.
    "every open connection falls silent": Fault(_mute, _nothing, stays_s=13.0, again=_mute, recovers_s=12.0),
    "500 ms slower": Fault(lambda rig: _delay(rig, 0.5), lambda rig: _delay(rig, 0.0), stays_s=6.0),
    "connections terminated": Fault(_terminate, _nothing, again=_terminate),
    "restarted": Fault(_restart, _nothing),
    "max_connections reached": Fault(_occupy, Rig.release, stores_nothing=True),
    # Several times as long as a statement of serving may take (5 s): batches of the journal fail and are sent again.
    "table locked": Fault(_lock, Rig.release, stays_s=30.0, stores_nothing=True),
}
