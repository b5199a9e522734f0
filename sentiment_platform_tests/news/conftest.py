"""A scripted feed server."""

from collections.abc import Iterator

import pytest

from sentiment_platform_tests.news.server import ScriptedServer, serving


@pytest.fixture
def feeds() -> Iterator[ScriptedServer]:
    with serving() as server:
        yield server
