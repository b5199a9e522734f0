"""The local PostgreSQL: passwords, users, leftovers, restarts."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import psycopg2
import pytest

from sentiment_platform.local.parts.postgres import LocalPostgres
from sentiment_platform.local.processes.process import LocalStackError


@pytest.fixture(scope="module")
def server(servers_dir: Path) -> Iterator[LocalPostgres]:
    state = servers_dir / "postgres-tests"
    state.mkdir(mode=0o711)
    server = LocalPostgres(state, durable=False)
    server.start()
    yield server
    server.stop()


def ask(url: str, query: str) -> str:
    with psycopg.connect(url) as connection:
        row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return str(row[0])


def test_it_is_postgresql_18_and_both_drivers_reach_it(server: LocalPostgres) -> None:
    assert int(ask(server.url, "SHOW server_version_num")) // 10_000 == 18
    connection = psycopg2.connect(server.url)
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_database()")
        assert cursor.fetchone() == ("sentiment",)
    connection.close()


def test_a_wrong_or_missing_password_is_refused(server: LocalPostgres) -> None:
    wrong = re.sub(r":[^:@]+@", ":wrong@", server.url)
    assert wrong != server.url
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(wrong)
    with pytest.raises(psycopg.OperationalError, match="no password supplied"):
        psycopg.connect(re.sub(r":[^:@]+@", "@", server.url))


def test_the_role_of_the_platform_may_create_databases_and_is_no_superuser(server: LocalPostgres) -> None:
    assert ask(server.url, "SELECT rolcreatedb FROM pg_roles WHERE rolname = current_user") == "True"
    assert ask(server.url, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") == "False"


def test_the_server_does_not_run_as_root_and_its_secrets_are_closed(server: LocalPostgres) -> None:
    assert server.pid is not None
    assert psutil.Process(server.pid).uids().effective != 0
    secrets = list((server.state_dir / "secrets").iterdir())
    assert len(secrets) == 2
    assert {oct(path.stat().st_mode & 0o777) for path in secrets} == {"0o600"}
    command = " ".join(psutil.Process(server.pid).cmdline())
    assert not any(path.read_text() in command for path in secrets)


def test_it_listens_on_loopback_alone(server: LocalPostgres) -> None:
    assert server.pid is not None
    process = psutil.Process(server.pid)
    listening = [item.laddr.ip for item in process.net_connections("inet") if item.status == psutil.CONN_LISTEN]
    assert listening == ["127.0.0.1"]
    assert not [item for item in process.net_connections("unix") if item.laddr]


def test_data_port_and_password_survive_a_restart(server: LocalPostgres) -> None:
    before = server.url
    with psycopg.connect(before) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS value")
    server.stop()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(before)
    server.start()
    assert server.url == before
    assert ask(server.url, "SELECT value FROM kept") == "42"


def test_a_taken_port_is_replaced_by_a_free_one(server: LocalPostgres) -> None:
    port = int(server.url.rpartition(":")[2].partition("/")[0])
    server.stop()
    with socket.socket() as squatter:
        squatter.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        squatter.bind(("127.0.0.1", port))
        squatter.listen()
        server.start()
        assert f":{port}/" not in server.url
        assert ask(server.url, "SELECT 1") == "1"


def test_a_postmaster_killed_with_9_is_restarted_over_its_leftovers(server: LocalPostgres) -> None:
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)
    server.start()
    assert ask(server.url, "SELECT 1") == "1"


def test_a_stale_pid_file_that_names_a_living_stranger_harms_neither(server: LocalPostgres) -> None:
    server.stop()
    stranger = subprocess.Popen(["sleep", "60"])
    try:
        data = server.state_dir / "postgres"
        (data / "postmaster.pid").write_text(f"{stranger.pid}\n{data}\n{int(time.time())}\n")
        (server.state_dir / "run" / "postgres.pid").write_text(json.dumps({"pid": stranger.pid, "identity": "another boot 1"}))
        server.start()
        assert ask(server.url, "SELECT 1") == "1"
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_server_on_our_data_that_we_have_not_started_is_left_alone(server: LocalPostgres) -> None:
    assert server.pid is not None
    pid = server.pid
    pid_file = server.state_dir / "run" / "postgres.pid"
    saved = pid_file.read_text()
    pid_file.unlink()
    second = LocalPostgres(server.state_dir, durable=False)
    with pytest.raises(LocalStackError, match=rf"Process {pid} is a PostgreSQL server .*`kill -INT {pid}`"):
        second.start()
    pid_file.write_text(saved)
    assert ask(server.url, "SELECT 1") == "1"


def test_lost_secrets_are_named_and_not_waited_for(server: LocalPostgres) -> None:
    secret = server.state_dir / "secrets" / "postgres-postgres"
    password = secret.read_text()
    server.stop()
    secret.write_text("another")
    started = time.monotonic()
    with pytest.raises(LocalStackError, match="is not the one of the database"):
        server.start()
    assert time.monotonic() - started < 10
    secret.write_text(password)
    server.start()


def test_a_server_that_cannot_start_quotes_its_log(servers_dir: Path) -> None:
    state = servers_dir / "broken"
    state.mkdir(mode=0o711)
    server = LocalPostgres(state, durable=False)
    server.start()
    server.stop()
    (state / "postgres" / "postgresql.conf").write_text("no_such_parameter = 1\n")
    with pytest.raises(LocalStackError, match='unrecognized configuration parameter "no_such_parameter"'):
        server.start()


CHILD = """
import sys, time
from pathlib import Path
from sentiment_platform.local.parts.postgres import LocalPostgres
server = LocalPostgres(Path(sys.argv[1]), durable=False)
server.start()
print(server.pid, flush=True)
time.sleep(120)
"""


@pytest.mark.parametrize("victim", ["parent", "supervisor"])
def test_the_server_ends_when_its_parent_or_supervisor_is_killed_with_9(servers_dir: Path, victim: str) -> None:
    state = servers_dir / f"orphan-{victim}"
    state.mkdir(mode=0o711)
    with subprocess.Popen([sys.executable, "-c", CHILD, str(state)], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        postmaster = psutil.Process(int(parent.stdout.readline()))
        family = [postmaster, *postmaster.children(recursive=True)]
        assert len(family) > 3
        supervisor = postmaster.parent()
        assert supervisor is not None
        assert supervisor.ppid() == parent.pid
        os.kill(parent.pid if victim == "parent" else supervisor.pid, signal.SIGKILL)
        _, alive = psutil.wait_procs([*family, supervisor] if victim == "parent" else family, timeout=15)
        assert not alive
        parent.kill()
    again = LocalPostgres(state, durable=False)
    again.start()
    assert ask(again.url, "SELECT 1") == "1"
    again.stop()
