"""Fixtures of the news tests: an engine over this test's own database, and a scripted feed server."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from sentiment_platform.store.engine import create_platform_engine
from sentiment_platform_tests.news.server import ScriptedServer, serving


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = create_platform_engine(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def feeds() -> Iterator[ScriptedServer]:
    with serving() as server:
        yield server
