"""A registry to publish to and a serving process over it, of this test alone."""

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Engine

from sentiment_platform.settings import Settings
from sentiment_platform.store.engine import create_platform_engine
from sentiment_platform_tests.serving.publishing import Publisher
from sentiment_platform_tests.serving.running import ServingProcess

StartServing = Callable[..., ServingProcess]


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = create_platform_engine(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def publisher(settings: Settings, engine: Engine) -> Iterator[Publisher]:
    publisher = Publisher(settings, engine)
    yield publisher
    publisher.close()


@pytest.fixture
def start_serving(settings: Settings) -> Iterator[StartServing]:
    """Call it to start a process; a keyword changes an environment variable, `ready=False` does not wait for a model."""
    started: list[ServingProcess] = []

    def start(*, ready: bool = True, over: Settings = settings, **changed: str) -> ServingProcess:
        process = ServingProcess(over, **changed)
        started.append(process)
        return process.start(ready=ready)

    yield start
    for process in started:
        process.stop()
