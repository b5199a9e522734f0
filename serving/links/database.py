"""PostgreSQL as something that may be gone: calls run in threads of their own, with a limit on how long anybody waits.

SQLAlchemy is imported at the first call: a process that only predicts starts without it.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from sentiment_platform.clock import Clock, utc_now
from sentiment_platform.errors import TransientError
from serving.contract.health_bodies import DependencyStatus

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

T = TypeVar("T")
LIMIT_S = 3.0
THREADS = 4
MARGIN_S = 0.1
"""By which an act is committed before its caller gives up, or never."""
_NEVER = datetime.min.replace(tzinfo=UTC)
LATE = "it gives no answer"
QUIET_S = 10.0
"""So long after the last failure of any link an answer to another one shows that the server is back."""
logger = logging.getLogger(__name__)


class DatabaseUnavailable(TransientError):
    """PostgreSQL did not answer in time, or refused."""

    def __init__(self, why: str, *, remedy: str = "Try again in a few seconds.") -> None:
        super().__init__(f"The database is not available ({why}).", remedy=remedy)


@dataclass(slots=True)
class _Caller:
    """Whoever waits for an answer until `ends` (`time.monotonic`), or has gone."""

    ends: float
    gone: bool = False

    def left_s(self) -> float:
        return 0.0 if self.gone else self.ends - time.monotonic()


class NoDatabase(DatabaseUnavailable):
    """There is none until somebody names one: what serving does without a database goes on as while one is away."""

    def __init__(self) -> None:
        super().__init__("DATABASE_URL is not set", remedy="Set it, and start serving again.")


class Outages:
    """One line of the log when the server goes away and one when it is back, whichever link finds out; used from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._since = self._failed_at = 0.0
        self._failed: object = None

    def failed(self, link: object, why: str) -> None:
        """`link` had no answer."""
        with self._lock:
            if self._failed is None:
                self._since = time.monotonic()
                logger.warning("PostgreSQL does not answer (%s); predictions go on without it", why)
            self._failed, self._failed_at = link, time.monotonic()

    def answered(self, link: object) -> None:
        """`link` had an answer. While another one has none, such as for a locked table, that ends nothing."""
        if self._failed is None:
            return
        with self._lock:
            if self._failed is link or (self._failed is not None and time.monotonic() - self._failed_at > QUIET_S):
                self._failed = None
                logger.warning("PostgreSQL answers again, after %.0f s", time.monotonic() - self._since)


class Database:
    """Short transactions on one engine.

    Args:
        url: "" means that there is none; every call then fails at once.
        threads: calls at a time, and connections that are kept.
        outages: of all links to the same server.
    """

    def __init__(self, url: str, *, clock: Clock = utc_now, threads: int = THREADS, outages: Outages | None = None) -> None:
        self._outages = outages or Outages()
        self._url = url
        self._clock = clock
        self._engine: Engine | None = None
        self._size = threads
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="database")
        # A server that hangs holds its threads: beyond these, callers are refused instead of queued.
        self._waiting = 0
        self.status = DependencyStatus("unknown" if url else "unused")

    async def call(self, work: "Callable[[Connection], T]", *, limit_s: float = LIMIT_S, act: bool = False) -> T:
        """What `work` returns, called with a connection inside a transaction. What nobody waits for any more is not begun.

        Args:
            act: `work` records a person's act, which must not be committed later than this either: not even by a server that hangs.

        Raises:
            DatabaseUnavailable: no connection, an error of the database, or no end within `limit_s` seconds.
            NoDatabase: there is none.
        """
        caller = _Caller(time.monotonic() + limit_s)
        try:
            return await asyncio.wait_for(asyncio.wrap_future(self._submit(work, caller, act=act)), limit_s)
        except TimeoutError:
            raise self._away(LATE) from None
        finally:
            caller.gone = True

    def call_and_wait(self, work: "Callable[[Connection], T]", *, limit_s: float = LIMIT_S, act: bool = False) -> T:
        """`call` for threads that are not the event loop's."""
        caller = _Caller(time.monotonic() + limit_s)
        try:
            return self._submit(work, caller, act=act).result(limit_s)
        except TimeoutError:
            raise self._away(LATE) from None
        finally:
            caller.gone = True

    async def probe(self) -> None:
        """Ask for a sign of life, so that the status is fresh without traffic."""
        from sqlalchemy import text

        try:
            await self.call(lambda connection: connection.execute(text("SELECT 1")))
        except DatabaseUnavailable as error:
            logger.debug("probe: %s", error)

    def close(self) -> None:
        """Close the connections; a thread that hangs is left behind."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        if self._engine is not None and self._waiting == 0:
            self._engine.dispose()

    def _submit(self, work: "Callable[[Connection], T]", caller: "_Caller", *, act: bool) -> "Future[T]":
        if not self._url:
            raise NoDatabase
        if self._waiting >= 2 * self._size:
            raise DatabaseUnavailable("too many calls wait for it")
        self._waiting += 1
        future = self._threads.submit(self._run, work, caller, act)
        future.add_done_callback(self._done)
        return future

    def _done(self, _: "Future[Any]") -> None:
        self._waiting -= 1

    def _run(self, work: "Callable[[Connection], T]", caller: "_Caller", act: bool) -> T:
        from sqlalchemy.exc import DBAPIError, SQLAlchemyError

        from sentiment_platform.store.audit import record_within
        from sentiment_platform.store.engine import create_platform_engine

        if caller.left_s() <= 0:
            raise DatabaseUnavailable(LATE)
        if self._engine is None:
            self._engine = create_platform_engine(self._url, pool_size=self._size, connect_timeout_s=2, statement_timeout_ms=5000)
        try:
            with self._engine.begin() as connection:
                if act:
                    record_within(connection, caller.left_s() - MARGIN_S)
                result = work(connection)
                if act and caller.left_s() <= 0:
                    raise DatabaseUnavailable(LATE)
        except SQLAlchemyError as error:
            if isinstance(error, DBAPIError) and not error.connection_invalidated and _is_about_data(error):
                raise
            raise self._away(type(error).__name__) from error
        self.status = DependencyStatus("ok", self._clock())
        self._outages.answered(self)
        return result

    def _away(self, why: str) -> DatabaseUnavailable:
        self.status = DependencyStatus("down", self._clock(), why)
        self._outages.failed(self, why)
        return DatabaseUnavailable(LATE)


def last_known(databases: Sequence[Database]) -> DependencyStatus:
    """The newest state of any link to the same server."""
    return max((each.status for each in databases), key=lambda status: status.checked_at or _NEVER)


def _is_about_data(error: Any) -> bool:
    """Whether the database understood and refused these values: another try cannot help."""
    from sqlalchemy.exc import DataError, IntegrityError

    return isinstance(error, DataError | IntegrityError)
