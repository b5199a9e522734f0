"""Fixtures of the monitoring tests: an engine over this test's own database, and a resource that speaks of the same one."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from sentiment_platform.store.engine import create_platform_engine
from sentiment_platform.store.resources import PlatformResource
from sentiment_platform_tests.monitoring.seeding import NOW


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = create_platform_engine(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def platform(database_url: str) -> Iterator[PlatformResource]:
    platform = PlatformResource(overrides={"DATABASE_URL": database_url}, fixed_now=NOW.isoformat())
    yield platform
    platform.engine().dispose()
