import os
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit, urlunsplit

import dagster as dg
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError

from sentiment_platform.errors import SettingsError, TransientError
from sentiment_platform.monitoring.assets import performance_report
from sentiment_platform.settings import Settings
from sentiment_platform.store import engine as engine_module
from sentiment_platform.store.engine import create_platform_engine, sqlalchemy_url, wait_until_awake
from sentiment_platform.store.migrate import upgrade
from sentiment_platform.store.resources import PlatformResource
from sentiment_platform_tests.faults.proxy import Proxy

ASLEEP_S = 5.0


def at_port(url: str, port: int) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=f"{parts.username}:{parts.password}@127.0.0.1:{port}"))


def copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


@contextmanager
def sleeping_database(url: str, asleep_s: float) -> Iterator[str]:
    """The database behind a port that hangs up on everybody for `asleep_s` seconds and forwards afterwards."""
    parts = urlsplit(url)
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    opened: list[socket.socket] = [listener]
    threads: list[threading.Thread] = []
    wakes_at = time.monotonic() + asleep_s

    def forward() -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                if time.monotonic() < wakes_at:
                    client.close()
                    continue
                server = socket.create_connection((parts.hostname or "", parts.port or 0))
                opened.extend((client, server))
                for pair in ((client, server), (server, client)):
                    threads.append(threading.Thread(target=copy, args=pair))
                    threads[-1].start()

    accepting = threading.Thread(target=forward)
    accepting.start()
    try:
        yield at_port(url, listener.getsockname()[1])
    finally:
        for end in opened:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        for thread in (accepting, *threads):
            thread.join(5)


@pytest.mark.slow
def test_a_database_that_sleeps_is_asked_until_it_wakes_and_who_waits_is_told(
    database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    with sleeping_database(database_url, ASLEEP_S) as url:
        engine = create_platform_engine(url)
        assert wait_until_awake(engine, limit_s=30) > 1.0
        (said,) = caplog.messages
        assert said.startswith(f"Waiting for PostgreSQL at 127.0.0.1:{engine.url.port}, for 30 s at most")
        caplog.clear()
        # Awake, it is not spoken of.
        wait_until_awake(engine, limit_s=30)
        assert caplog.messages == []
        engine.dispose()


def test_a_port_of_this_machine_where_nothing_listens_is_not_waited_for() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        engine = create_platform_engine(f"postgresql://me:very-secret@127.0.0.1:{closed.getsockname()[1]}/news")
        with pytest.raises(TransientError, match=r"No server listens at 127\.0\.0\.1:\d+, where DATABASE_URL") as caught:
            wait_until_awake(engine, sleep=lambda s: pytest.fail(f"it waited for {s} s"))
    assert "very-secret" not in str(caught.value)


@pytest.mark.slow
def test_an_asset_whose_first_query_finds_the_database_asleep_materializes(database_url: str) -> None:
    with sleeping_database(database_url, ASLEEP_S) as url:
        # Without patience, as serving asks, the same first query fails at once.
        impatient = create_platform_engine(url)
        with pytest.raises(OperationalError):
            impatient.connect()
        platform = PlatformResource(overrides={"DATABASE_URL": url})
        result = dg.materialize([performance_report], resources={"platform": platform})
    assert result.success
    (materialized,) = result.asset_materializations_for_node("performance_report")
    assert materialized.metadata["dagster/row_count"].value == 0


def test_a_connection_is_tried_again_no_longer_than_was_asked_for() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        engine = create_platform_engine(f"postgresql://me:very-secret@127.0.0.1:{closed.getsockname()[1]}/news", wake_s=1.0)
        started = time.monotonic()
        with pytest.raises(OperationalError, match="Connection refused") as refused:
            engine.connect()
        assert 0.5 < time.monotonic() - started < 30
    assert "very-secret" not in str(refused.value)


@pytest.mark.slow
def test_the_migration_of_a_sleeping_database_waits_for_it(empty_database_url: str) -> None:
    with sleeping_database(empty_database_url, ASLEEP_S) as url:
        upgrade(url)
        engine = create_platform_engine(url)
        with engine.connect() as connection:
            assert connection.execute(text("SELECT count(*) FROM platform.leases")).scalar() == 0
        engine.dispose()


def test_a_database_that_never_wakes_is_a_transient_error_without_the_password() -> None:
    with sleeping_database("postgresql://me:very-secret@127.0.0.1:1/news", 60) as url:
        engine = create_platform_engine(url)
        pauses: list[float] = []
        with pytest.raises(TransientError, match=r"(?s)127\.0\.0\.1.*did not answer within 1 s.*DATABASE_URL") as caught:
            wait_until_awake(engine, limit_s=0.9, sleep=lambda s: (pauses.append(s), time.sleep(s))[0])
        assert "very-secret" not in str(caught.value)
        assert "very-secret" not in repr(engine.url)
        assert pauses[:3] == [0.1, 0.2, 0.4]


def test_every_session_has_a_statement_limit_and_speaks_utc(database_url: str) -> None:
    name = urlsplit(database_url).path.removeprefix("/")
    engine = create_platform_engine(database_url, statement_timeout_ms=300)
    with engine.connect() as connection:
        connection.execute(text(f"ALTER DATABASE \"{name}\" SET timezone = 'Asia/Tokyo'"))
        connection.commit()
    engine.dispose()
    at = datetime(2025, 1, 6, 23, 30, tzinfo=UTC)
    with engine.connect() as connection:
        read = connection.execute(text("SELECT CAST(:at AS timestamptz)"), {"at": at}).scalar_one()
        assert (read, read.hour, read.utcoffset()) == (at, 23, timedelta(0))
        # The zone and the limit outlive a rollback.
        connection.rollback()
        assert connection.execute(text("SELECT current_setting('TimeZone')")).scalar_one() == "UTC"
        with pytest.raises(OperationalError, match="statement timeout"):
            connection.execute(text("SELECT pg_sleep(5)"))
    engine.dispose()


def test_a_connection_that_the_server_dropped_is_replaced(engine: Engine) -> None:
    with engine.connect() as connection:
        dropped = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
    with engine.connect() as one, engine.connect() as two:
        pids = [c.execute(text("SELECT pg_backend_pid()")).scalar_one() for c in (one, two)]
        killer = two if pids[0] == dropped else one
        killer.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": dropped})
        (one if killer is two else two).invalidate()
    with engine.connect() as connection:
        assert connection.execute(text("SELECT pg_backend_pid()")).scalar_one() != dropped


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg2"])
def test_any_spelling_of_the_url_uses_psycopg_3_and_keeps_its_password(scheme: str) -> None:
    assert sqlalchemy_url(f"{scheme}://u:p%40ss@h:5/d?sslmode=require") == "postgresql+psycopg://u:p%40ss@h:5/d?sslmode=require"


def test_a_pooled_host_is_refused_for_the_direct_url() -> None:
    pooled, direct = "postgresql://u:secret@x-pooler.example/d", "postgresql://u:secret@x.example/d"
    with pytest.raises(SettingsError, match="pooler") as caught:
        Settings.from_environment({"DATABASE_URL": direct, "DATABASE_DIRECT_URL": pooled})
    assert "secret" not in str(caught.value)
    with pytest.raises(SettingsError, match="set DATABASE_DIRECT_URL to the server itself"):
        Settings.from_environment({"DATABASE_URL": pooled}).direct_database_url()
    settings = Settings.from_environment({"DATABASE_URL": pooled, "DATABASE_DIRECT_URL": direct})
    assert settings.direct_database_url() == direct


@pytest.mark.skipif(sys.platform != "linux", reason="the names of these options are Linux's")
def test_a_server_that_vanishes_without_a_word_is_noticed_within_half_a_minute(database_url: str) -> None:
    engine = create_platform_engine(database_url)
    with engine.connect() as connection:
        fileno = connection.connection.driver_connection.fileno()  # type: ignore[union-attr]
        with socket.socket(fileno=os.dup(fileno)) as seen:
            assert seen.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
            idle, interval, count = (
                seen.getsockopt(socket.IPPROTO_TCP, option)
                for option in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
            )
            unanswered_ms = seen.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
    engine.dispose()
    assert 0 < idle + interval * count < 30, "nothing was sent, and nothing comes"
    assert 0 < unanswered_ms < 30_000, "what was sent is not confirmed"


@pytest.mark.slow
def test_a_server_that_hangs_behind_a_live_connection_is_given_up_and_the_next_connection_works(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "SILENCE_S", 1.0)
    with Proxy(urlsplit(database_url).port or 0) as proxy:
        engine = create_platform_engine(at_port(database_url, proxy.port), statement_timeout_ms=1_000)
        with engine.connect() as connection:
            assert connection.execute(text("SELECT pg_sleep(0.6)")).rowcount == 1, "slower is not silent"
            proxy.mute()
            started = time.monotonic()
            with pytest.raises(OperationalError, match="not answered for 2 s"):
                connection.execute(text("SELECT 1"))
            assert 1.9 < time.monotonic() - started < 10
        # A connection that fell silent while nobody used it is found out when it is taken from the pool.
        with engine.connect() as connection:
            assert connection.execute(text("SELECT 2")).scalar_one() == 2
        proxy.mute()
        with engine.begin() as connection:
            assert connection.execute(text("SELECT 3")).scalar_one() == 3
        engine.dispose()
