"""A registry to publish to and serving processes over it: one for a whole module of questions, or fresh ones for a single test."""

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import redis
from sqlalchemy import Engine

from sentiment_platform.github_server import GithubServer
from sentiment_platform.settings import Settings
from sentiment_platform_tests.serving.publishing import Publisher
from sentiment_platform_tests.serving.running import ServingProcess

StartServing = Callable[..., ServingProcess]


@pytest.fixture
def publisher(settings: Settings, engine: Engine) -> Iterator[Publisher]:
    publisher = Publisher(settings, engine)
    yield publisher
    publisher.close()


@pytest.fixture
def start_serving(settings: Settings) -> Iterator[StartServing]:
    """Call it to start a process; a keyword changes an environment variable, `ready=False` does not wait for a model."""
    started: list[ServingProcess] = []

    def start(*, ready: bool = True, over: Settings = settings, program: str | None = None, **changed: str) -> ServingProcess:
        process = ServingProcess(over, program=program, **changed)
        started.append(process)
        return process.start(ready=ready)

    yield start
    for process in started:
        process.stop()


@pytest.fixture(scope="module")
def module_settings(
    tmp_path_factory: pytest.TempPathFactory,
    new_database: Callable[..., str],
    _migrated_database: str,
    _redis_server_url: str,
    signing_keys: dict[str, str],
) -> Iterator[Settings]:
    """Complete settings over a database, a Redis database and a registry of this module, without rows, keys or releases."""
    folder: Path = tmp_path_factory.mktemp("module")
    redis_url = urlsplit(_redis_server_url)._replace(path="/1").geturl()
    with redis.Redis.from_url(redis_url) as client:
        client.flushdb()
    with GithubServer(folder / "github", "local/registry", "token") as github:
        yield Settings.from_environment(
            {
                "SENTIMENT_STATE_DIR": str(folder / "state"),
                "DATABASE_URL": new_database(_migrated_database),
                "REDIS_URL": redis_url,
                "SENTIMENT_REGISTRY_REPOSITORY": "local/registry",
                "SENTIMENT_REGISTRY_URL": github.url,
                "SENTIMENT_REGISTRY_TOKEN": "token",
                **signing_keys,
            }
        )


@pytest.fixture(scope="module")
def answering(module_settings: Settings) -> Iterator[ServingProcess]:
    """A process with VADER deployed, for all the questions of a module that change nothing."""
    publisher = Publisher(module_settings)
    publisher.deploy(publisher.model())
    publisher.close()
    process = ServingProcess(module_settings)
    try:
        yield process.start()
    finally:
        process.stop()
