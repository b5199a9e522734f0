"""Redis as something that may be gone: every use is bounded to 50 ms, and a broken one is left alone for a second.

Here: the connection, its time limits and the circuit breaker. What is kept in Redis: `cache`, `online_features`.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from serving.clock import Clock, utc_now
from serving.contract import DependencyStatus

T = TypeVar("T")
TIMEOUT_S = 0.05
OPEN_AFTER = 3
OPEN_S = 1.0
logger = logging.getLogger(__name__)


class RedisLink:
    """One asynchronous client behind a circuit breaker; used from one event loop.

    Args:
        url: "" means that there is no Redis; every attempt then fails at once.
        timeout_s: longest time one attempt may take, connecting included. Without `retry=` redis-py would try ten times more.
    """

    def __init__(self, url: str, *, timeout_s: float = TIMEOUT_S, clock: Clock = utc_now) -> None:
        self._client: Any = None
        if url:
            self._client = Redis.from_url(
                url,
                socket_timeout=timeout_s,
                socket_connect_timeout=timeout_s,
                retry=Retry(NoBackoff(), 0),
                max_connections=512,
                client_name="sentiment-serving",
            )
        self._timeout_s = timeout_s
        self._clock = clock
        self._failures = 0
        self._closed_until = 0.0
        self._trying = False
        self.status = DependencyStatus("unknown" if url else "unused")

    async def attempt(self, operation: Callable[[Any], Awaitable[T]]) -> T | None:
        """What `operation` returns when given the client, or None where Redis did not answer in time."""
        if self._client is None:
            return None
        broken = self._failures >= OPEN_AFTER
        if broken and (self._trying or time.monotonic() < self._closed_until):
            return None
        self._trying = broken
        try:
            async with asyncio.timeout(self._timeout_s):
                result = await operation(self._client)
        except (RedisError, OSError, TimeoutError) as error:
            self._failed(error)
            return None
        finally:
            self._trying = False
        if self._failures or self.status.status != "ok":
            self._failures = 0
            self.status = DependencyStatus("ok", self._clock())
        return result

    async def probe(self) -> None:
        """Ask for a sign of life, so that the status is fresh without traffic."""
        if await self.attempt(lambda client: client.ping()) and self._client is not None:
            self.status = DependencyStatus("ok", self._clock())

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()

    def _failed(self, error: BaseException) -> None:
        self._failures += 1
        self._closed_until = time.monotonic() + OPEN_S
        if self._failures == OPEN_AFTER:
            logger.warning("Redis does not answer (%s: %s); predictions go on without it", type(error).__name__, error)
        if self._failures >= OPEN_AFTER:
            self.status = DependencyStatus("down", self._clock(), f"{type(error).__name__}: no answer within the time limit")
