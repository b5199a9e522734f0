"""A resource that speaks of this test's own database."""

from collections.abc import Iterator

import pytest

from sentiment_platform.store.resources import PlatformResource
from sentiment_platform_tests.monitoring.seeding import NOW


@pytest.fixture
def platform(database_url: str) -> Iterator[PlatformResource]:
    platform = PlatformResource(overrides={"DATABASE_URL": database_url}, fixed_now=NOW.isoformat())
    yield platform
    platform.engine().dispose()
