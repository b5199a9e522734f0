"""A Redis client of this test's own."""

from collections.abc import Iterator
from typing import Any

import pytest

from sentiment_platform.features.connection import connect


@pytest.fixture
def client(redis_url: str) -> Iterator[Any]:
    client = connect(redis_url)
    yield client
    client.close()
