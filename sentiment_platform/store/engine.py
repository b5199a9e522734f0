"""Engines: how the house connects to PostgreSQL, with every wait bounded.

psycopg 3 for the platform's own SQL. A serverless PostgreSQL that sleeps refuses or delays a connection, and that is not a failure:
the graph's engines (`wake_s`) and whatever asks `wait_until_awake` first try again for a while, and say so. Serving does not wait.
"""

import logging
import socket
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import OperationalError

from sentiment_platform.errors import TransientError

T = TypeVar("T")
logger = logging.getLogger(__name__)
WAKE_S = 30.0
"""How long a database may take to wake, in seconds; a serverless one needs less than ten."""
QUIET_S = 2.0
"""After so long a person who waits is told what for."""

# A statement's limit is kept by the server. That the server vanished without a word (a host without power, a translated address that was
# forgotten) only TCP can tell who waits for it, and by a system's defaults it does so after two hours; with these, within 25 s.
_LIFE_SIGNS = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 20_000}
SILENCE_S = 5.0
"""How long after the limit of a statement a server is given up that neither answers nor vanishes, in seconds."""


def sqlalchemy_url(url: str) -> str:
    """`postgresql://` or `postgres://` as the URL of psycopg 3."""
    parsed = make_url(url.replace("postgres://", "postgresql://", 1))
    return parsed.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


def create_platform_engine(
    url: str, *, pool_size: int = 4, connect_timeout_s: int = 5, statement_timeout_ms: int = 120_000, wake_s: float = 0.0
) -> Engine:
    """An engine with time-outs; it connects at first use.

    Args:
        wake_s: seconds for which every new connection is tried again while the database refuses it; 0 fails at the first try.
        statement_timeout_ms: longest statement in milliseconds, above 0; prepared statements stay off so that a
            transaction-mode pooler in front of the database is harmless.
    """
    engine = create_engine(
        sqlalchemy_url(url),
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_timeout=connect_timeout_s,
        pool_pre_ping=True,
        connect_args={
            "connect_timeout": connect_timeout_s,
            "prepare_threshold": None,
            "application_name": "sentiment-platform",
            **_LIFE_SIGNS,
        },
    )
    event.listen(engine, "do_connect", _connect(statement_timeout_ms / 1000 + SILENCE_S, wake_s))
    # As statements after connecting, not as start-up options: transaction-mode poolers refuse start-up options.
    event.listen(engine, "connect", _session_settings(statement_timeout_ms))
    return engine


def _session_settings(statement_timeout_ms: int) -> Callable[[Any, Any], None]:
    def on_connect(connection: Any, _record: Any) -> None:
        connection.execute(f"SET statement_timeout = {statement_timeout_ms:d}")
        # A server may be set to any zone; digests and features are computed from the times that it hands out.
        connection.execute("SET TIME ZONE 'UTC'")
        connection.commit()

    return on_connect


def _connect(limit_s: float, wake_s: float) -> Callable[..., Any]:
    def do_connect(_dialect: Any, _record: Any, arguments: Any, parameters: Any) -> Any:
        from psycopg import OperationalError as Refused

        from sentiment_platform.store.bounded_connection import BoundedConnection

        where = f"{parameters.get('host', 'its socket')}:{parameters.get('port', 5432)}"
        connection = _try_until(lambda: BoundedConnection.connect(*arguments, **parameters), Refused, wake_s, where)
        connection.limit_s = limit_s
        return connection

    return do_connect


def wait_until_awake(engine: Engine, *, limit_s: float = WAKE_S, sleep: Callable[[float], None] = time.sleep) -> float:
    """Try `SELECT 1` until it answers; returns the seconds waited.

    Raises:
        TransientError: no answer within `limit_s`, or nothing listens on that port of this very machine.
    """

    def ask() -> None:
        try:
            with engine.connect() as connection:
                connection.execute(text("SELECT 1"))
        except OperationalError as error:
            if _nothing_listens(engine.url):
                raise TransientError(
                    f"No server listens at {engine.url.host}:{engine.url.port or 5432}, where DATABASE_URL says that PostgreSQL is.",
                    remedy="Start it; or correct DATABASE_URL; or take it away, and the platform starts a PostgreSQL of its own.",
                ) from error
            raise

    started = time.monotonic()
    try:
        _try_until(ask, OperationalError, limit_s, f"{engine.url.host}:{engine.url.port or 5432}", sleep)
    except OperationalError as error:
        raise TransientError(
            f"PostgreSQL at {engine.url.render_as_string()} did not answer within {limit_s:.0f} s: {error.orig}",
            remedy="Check DATABASE_URL and that the server runs; a sleeping serverless database may need longer.",
        ) from error
    return time.monotonic() - started


def _nothing_listens(url: URL) -> bool:
    """Whether a port of this machine refuses: a database that sleeps is elsewhere."""
    if url.host not in ("localhost", "127.0.0.1", "::1"):
        return False
    try:
        socket.create_connection((url.host, url.port or 5432), timeout=1.0).close()
    except ConnectionRefusedError:
        return True
    except OSError:
        return False
    return False


def _try_until(
    attempt: Callable[[], T],
    refused: type[Exception],
    limit_s: float,
    where: str,
    sleep: Callable[[float], None] = time.sleep,
) -> T:
    """What `attempt` returns; it is repeated with growing pauses while it raises `refused`, and raises that after `limit_s`.

    Whoever waits longer than QUIET_S is told so. A timer says it, because an attempt alone may take longer.
    """
    waiting = f"Waiting for PostgreSQL at {where}, for {limit_s:.0f} s at most: a serverless one that sleeps needs some seconds to wake."
    notice = threading.Timer(QUIET_S, logger.warning, (waiting,))
    notice.daemon = True
    if limit_s > QUIET_S:
        notice.start()
    started = time.monotonic()
    pause_s = 0.1
    try:
        while True:
            try:
                return attempt()
            except refused:
                if time.monotonic() - started + pause_s > limit_s:
                    raise
            sleep(pause_s)
            pause_s = min(pause_s * 2, 2.0)
    finally:
        notice.cancel()
