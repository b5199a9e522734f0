"""How many serving processes there are, as Redis knows: each that counts requests tells so. While Redis is away the last count holds."""

import asyncio
import secrets
import time

from sentiment_platform.entities import REPLICAS_KEY
from serving.links.redis_link import RedisLink

TOLD_EVERY_S = 5.0
GONE_AFTER_S = 30
SCRIPT = """
local now = tonumber(redis.call('TIME')[1])
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[2])
return redis.call('ZCARD', KEYS[1])
"""
"""KEYS: the set. ARGV: who is here, and after how many seconds without a word somebody is gone. Reply: how many are here."""


class Replicas:
    """Used from one event loop. Without requests nothing is told, so that an idle process lets Redis sleep."""

    def __init__(self, redis: RedisLink) -> None:
        self._redis = redis
        self._name = secrets.token_hex(8)
        self._told_at = float("-inf")
        self._telling: asyncio.Task[None] | None = None
        self.count = 1

    def here(self) -> None:
        """Tell and ask again where that is due; nobody waits for it."""
        if self._telling is None and time.monotonic() - self._told_at > TOLD_EVERY_S:
            self._telling = asyncio.get_running_loop().create_task(self._tell())

    async def _tell(self) -> None:
        try:
            counted = await self._redis.command("EVAL", SCRIPT, 1, REPLICAS_KEY, self._name, GONE_AFTER_S)
            if counted is not None:
                self._told_at = time.monotonic()
                self.count = max(1, int(counted))
        finally:
            self._telling = None
