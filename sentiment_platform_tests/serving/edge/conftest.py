"""The browser, for the page of the API, and a small server."""

from collections.abc import Generator

import pytest

from sentiment_platform_tests.browser.conftest import page
from sentiment_platform_tests.serving.edge.small_server import Running

__all__ = ["page"]


@pytest.fixture(scope="module")
def running() -> Generator[Running]:
    server = Running()
    yield server
    server.stop()
