"""An engine over this test's own database, and one over a database that all tests of a module share."""

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Engine

from sentiment_platform.store.engine import create_platform_engine


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = create_platform_engine(database_url, pool_size=8)
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def shared_engine(new_database: Callable[..., str], _migrated_database: str) -> Iterator[Engine]:
    """For properties: many examples, one migrated database."""
    engine = create_platform_engine(new_database(_migrated_database))
    yield engine
    engine.dispose()
