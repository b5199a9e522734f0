"""Redis as a resource: a client with bounded waits, closed after use."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import dagster as dg

from sentiment_platform.features.connection import connect
from sentiment_platform.store.resources import PlatformResource


class RedisResource(dg.ConfigurableResource["RedisResource"]):
    """The online feature store."""

    platform: dg.ResourceDependency[PlatformResource]

    @contextmanager
    def connect(self) -> Generator[Any]:
        """A synchronous client for bulk work."""
        client = connect(self.platform.settings().require("redis_url"))
        try:
            yield client
        finally:
            client.close()
