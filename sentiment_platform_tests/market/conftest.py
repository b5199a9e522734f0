from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from sentiment_platform.store.engine import create_platform_engine


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = create_platform_engine(database_url)
    yield engine
    engine.dispose()
