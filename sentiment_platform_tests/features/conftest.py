"""An engine and a Redis client of this test's own."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine

from sentiment_platform.features.connection import connect
from sentiment_platform.store.engine import create_platform_engine


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = create_platform_engine(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def client(redis_url: str) -> Iterator[Any]:
    client = connect(redis_url)
    yield client
    client.close()
