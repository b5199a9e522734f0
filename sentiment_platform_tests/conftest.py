"""Fixtures for every test: real PostgreSQL, Redis and registry server of the local stack, one per session, empty per test.

Nothing here ever reads DATABASE_URL, REDIS_URL or a token of the caller: a machine that is configured for production must not have
its data touched by tests. SENTIMENT_TEST_DATABASE_URL and SENTIMENT_TEST_REDIS_URL name servers that tests may empty.
"""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
import redis
from psycopg import sql
from sqlalchemy import Engine

from sentiment_platform.local.parts.postgres import LocalPostgres
from sentiment_platform.local.parts.redis import LocalRedis
from sentiment_platform.local.parts.secrets import signing_environment
from sentiment_platform.settings import Settings, documentation
from sentiment_platform.store.engine import create_platform_engine

if TYPE_CHECKING:
    from xdist.scheduler import LoadFileScheduling

    from sentiment_platform_tests.e2e.demo_run import Told
    from sentiment_platform_tests.github_server.scripted import ScriptedServer

KEPT = ("SENTIMENT_TEST_", "SENTIMENT_SHARED_DATA")
SCRUBBED_PREFIXES = ("SENTIMENT_", "DAGSTER_", "PG", "REDIS_")
SCRUBBED = {"GITHUB_TOKEN", "GH_TOKEN", *(variable for variable, _, _ in documentation())}
DEFAULT_SHARED_DATA = Path(__file__).parents[2] / "shared" / "data"
ROOM_FOR_SERVERS_BYTES = 4 * 2**30
TEST_REPOSITORY = "local/registry"
TEST_TOKEN = "ghs_0kT3vQ9xLm2RwZ7bYc5HdA"
DEMO_TESTS = ("sentiment_platform_tests/dashboard/", "sentiment_platform_tests/e2e/test_demo.py")
_numbers = count(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Slow files first, those with the longest time limit before the others: the last to be handed out are short, and all workers end together."""
    limits: dict[Path, float] = {}
    for item in items:
        if item.get_closest_marker("slow"):
            limit = item.get_closest_marker("timeout")
            limits[item.path] = max(limits.get(item.path, 1.0), limit.args[0] if limit else 1.0)
    items.sort(key=lambda item: -limits.get(item.path, 0.0))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> "LoadFileScheduling | None":
    """Where the tests of a file stay in one worker, those of the demo's tests and of the dashboard's stay together: one demo serves all."""
    if config.getvalue("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class Scheduling(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return DEMO_TESTS[0] if nodeid.startswith(DEMO_TESTS) else super()._split_scope(nodeid)

    return Scheduling(config, log)


@pytest.fixture(scope="session", autouse=True)
def _scrubbed_environment() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as environment:
        for variable in list(os.environ):
            if variable.startswith(KEPT):
                continue
            if variable in SCRUBBED or variable.startswith(SCRUBBED_PREFIXES):
                environment.delenv(variable)
        yield


@pytest.fixture(scope="session", autouse=True)
def _authorities_read_once() -> Iterator[None]:
    """What httpx trusts: for each of the thousands of clients of the tests it would read that again, 15 ms each time."""
    from httpx._transports import default as transports

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(transports, "create_ssl_context", cache(transports.create_ssl_context))
        yield


@pytest.fixture(scope="session")
def servers_dir() -> Iterator[Path]:
    """State folder of the session's servers. Not under pytest's own folder, which is closed to the server's user.

    In memory where there is room: a busy disk takes up to 40 s to delete the thousands of small files of a few databases.
    """
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and shutil.disk_usage(memory).free > ROOM_FOR_SERVERS_BYTES
    folder = Path(tempfile.mkdtemp(prefix="sentiment-tests-", dir=memory if roomy else None))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_url(servers_dir: Path) -> Iterator[str]:
    """A PostgreSQL server whose role may create databases; not durable. One per session."""
    if given := os.environ.get("SENTIMENT_TEST_DATABASE_URL"):
        yield given
        return
    server = LocalPostgres(servers_dir, durable=False)
    server.start()
    try:
        yield server.url
    finally:
        server.stop()


@pytest.fixture(scope="session")
def new_database(postgres_url: str) -> Iterator[Callable[..., str]]:
    """Call it for the URL of a new database, empty or a copy of `template`; all are dropped at the end of the session."""
    made: list[str] = []

    def create(template: str = "template1") -> str:
        name = f"test_{os.getpid()}_{next(_numbers)}"
        # Copied as files, for a server that flushes nothing takes half as long as through its log.
        copy = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy")
        statement = copy.format(sql.Identifier(name), sql.Identifier(template))
        with psycopg.connect(postgres_url, autocommit=True) as connection:
            connection.execute(statement)
        made.append(name)
        return urlunsplit(urlsplit(postgres_url)._replace(path=f"/{name}"))

    yield create
    for name in reversed(made):
        _drop(postgres_url, name)


@pytest.fixture(scope="session")
def _migrated_database(new_database: Callable[..., str]) -> str:
    """Name of a database with all migrations applied and no rows; nobody stays connected to it."""
    from sentiment_platform.store.migrate import upgrade

    url = new_database()
    upgrade(url)
    return urlsplit(url).path.removeprefix("/")


@pytest.fixture
def empty_database_url(new_database: Callable[..., str], postgres_url: str) -> Iterator[str]:
    """A database of this test alone, without any table."""
    url = new_database()
    yield url
    _drop(postgres_url, urlsplit(url).path.removeprefix("/"))


@pytest.fixture
def database_url(new_database: Callable[..., str], _migrated_database: str, postgres_url: str) -> Iterator[str]:
    """A database of this test alone, migrated to the newest revision, without rows."""
    url = new_database(_migrated_database)
    yield url
    _drop(postgres_url, urlsplit(url).path.removeprefix("/"))


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """An engine over the database of this test alone."""
    engine = create_platform_engine(database_url)
    yield engine
    engine.dispose()


def _drop(server_url: str, name: str) -> None:
    # WITH (FORCE) is refused to a role that is no superuser while autovacuum works there; a plain drop ends that by itself.
    ours = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND usename = current_user"
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(ours, [name])
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))


@pytest.fixture(scope="session")
def _redis_server_url(servers_dir: Path) -> Iterator[str]:
    if given := os.environ.get("SENTIMENT_TEST_REDIS_URL"):
        yield given
        return
    server = LocalRedis(servers_dir)
    server.start()
    try:
        yield server.url
    finally:
        server.stop()


@pytest.fixture
def redis_url(_redis_server_url: str) -> str:
    """A Redis without keys."""
    with redis.Redis.from_url(_redis_server_url) as client:
        client.flushall()
    return _redis_server_url


@pytest.fixture
def github_server(tmp_path: Path) -> Iterator["ScriptedServer"]:
    """A registry server without releases, of this test alone."""
    from sentiment_platform_tests.github_server.scripted import ScriptedServer

    server = ScriptedServer(tmp_path / "github", TEST_REPOSITORY, TEST_TOKEN)
    server.start()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def signing_keys(servers_dir: Path) -> dict[str, str]:
    """SENTIMENT_SIGNING_KEYS and SENTIMENT_PUBLIC_KEYS of this session."""
    return signing_environment(servers_dir / "secrets")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The labelled and dated data beside the repository; the test is skipped where it is missing."""
    folder = Path(os.environ.get("SENTIMENT_SHARED_DATA") or DEFAULT_SHARED_DATA)
    if not folder.is_dir():
        pytest.skip(f"no shared data: {folder} does not exist (SENTIMENT_SHARED_DATA names another place)")
    return folder


@pytest.fixture
def settings(
    tmp_path: Path, database_url: str, redis_url: str, github_server: "ScriptedServer", signing_keys: dict[str, str]
) -> Settings:
    """Complete settings over this test's own database, Redis and registry."""
    return Settings.from_environment(
        {
            "SENTIMENT_STATE_DIR": str(tmp_path / "state"),
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "SENTIMENT_REGISTRY_REPOSITORY": TEST_REPOSITORY,
            "SENTIMENT_REGISTRY_URL": github_server.url,
            "SENTIMENT_REGISTRY_TOKEN": TEST_TOKEN,
            "TRANSFORMER_BASE": "packaged:minilm",
            "SENTIMENT_ALLOW_PRIVATE_HOSTS": "yes",
            **signing_keys,
        }
    )


@pytest.fixture(scope="session")
def demo_state(servers_dir: Path) -> Path:
    """State folder of the session's demo; under the servers' folder, which PostgreSQL's user can reach."""
    folder = servers_dir / "demo"
    folder.mkdir()
    return folder


@pytest.fixture(scope="session")
def demo(demo_state: Path, tmp_path_factory: pytest.TempPathFactory) -> "Told":
    """The whole loop, run once; minutes."""
    from sentiment_platform_tests.e2e.demo_run import run_demo

    return run_demo(demo_state, tmp_path_factory.mktemp("demo") / "stderr.txt")
