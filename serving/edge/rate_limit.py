"""Limits that all serving processes share, in Redis; and what holds while Redis is away.

A caller that was refused is refused from memory until it may come back: a flood of refusals costs no round trip. The arithmetic: `gcra`.
"""

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any, Literal

from serving.contract.problems import Problem, unavailable
from serving.contract.request_context import rate_headers
from serving.edge.gcra import LOCAL_BUCKETS, SCRIPT, Bucket, Limit, LocalBuckets, Taken
from serving.edge.replicas import Replicas
from serving.links.redis_link import RedisLink
from serving.metrics import Metrics

WithoutRedis = Literal["local", "refuse"]
WITHOUT_REDIS = (
    "Redis, which counts requests, is away, and this is refused without it. Try again when it is back; an operator may set "
    "SENTIMENT_LIMITS_WITHOUT_REDIS=local, so that each process counts alone."
)


class RateLimiter:
    """Takes tokens for a request; used from one event loop."""

    def __init__(self, redis: RedisLink, metrics: Metrics) -> None:
        self._redis = redis
        self._metrics = metrics
        self._local = LocalBuckets()
        self.replicas = Replicas(redis)
        self._refused_until: OrderedDict[str, int] = OrderedDict()

    async def take(
        self,
        buckets: Sequence[Bucket],
        cost: int,
        *,
        without_redis: WithoutRedis,
        beside: Callable[[], object] = lambda: None,
    ) -> None:
        """Take `cost` tokens from every bucket, or refuse; says in the answer's headers what is left.

        Args:
            without_redis: what to do while Redis is away: `local` gives what is this process's part among those that Redis knew last.
                Where there is none at all this process is the only one, and its own count is right.
            beside: called where Redis is asked, before: what it asks there goes with it, in one round trip.

        Raises:
            Problem: 429 where a bucket has too little, 503 where nobody can say.
        """
        self.replicas.here()
        taken, told_by = self._from_memory(buckets, cost), "memory"
        if taken is None:
            beside()
            # What is refused without Redis waits for a connection that is being made.
            taken, told_by = await self._asked(buckets, cost, patient=without_redis == "refuse"), "redis"
        if taken is None:
            if without_redis == "refuse" and self._redis.status.status != "unused":
                raise unavailable("limits_unavailable", WITHOUT_REDIS)
            self._metrics.limits_alone.inc()
            buckets = [Bucket(bucket.limit.shared_by(self.replicas.count), bucket.caller) for bucket in buckets]
            taken, told_by = self._local.take(buckets, cost, now_us()), "process"
        # Memory knows the one bucket that was refused.
        shown = buckets if taken.refused is None or told_by != "memory" else [taken.refused]
        rate_headers.set(_headers(shown, taken))
        if taken.refused is not None:
            self._metrics.rate_limited.labels(taken.refused.limit.name, told_by).inc()
            raise too_many(taken.refused.limit, taken.wait_us)

    async def _asked(self, buckets: Sequence[Bucket], cost: int, *, patient: bool) -> Taken | None:
        asked_us = now_us()
        arguments: list[Any] = [cost]
        for bucket in buckets:
            arguments += [bucket.limit.interval_us, bucket.limit.burst]
        # Whole, not by its hash: a Redis that was started anew does not know it, and would be taken for one that is away.
        keys = [bucket.key for bucket in buckets]
        reply = await self._redis.command("EVAL", SCRIPT, len(buckets), *keys, *arguments, patient=patient)
        if reply is None:
            return None
        which, wait_us, _, *ahead_us = (int(value) for value in reply)
        refused = buckets[which - 1] if which else None
        if refused is not None:
            # From when on a cost of nothing fits; what any other cost waits for follows from it, and nobody can make it earlier.
            spent_us = min(cost, refused.limit.burst) * refused.limit.interval_us
            self._refused_until[refused.key] = asked_us + wait_us - spent_us
            self._refused_until.move_to_end(refused.key)
            if len(self._refused_until) > LOCAL_BUCKETS:
                self._refused_until.popitem(last=False)
        return Taken(refused, wait_us, tuple(ahead_us))

    def _from_memory(self, buckets: Sequence[Bucket], cost: int) -> Taken | None:
        now = now_us()
        for bucket in buckets:
            if (until := self._refused_until.get(bucket.key)) is None:
                continue
            wait_us = until + min(cost, bucket.limit.burst) * bucket.limit.interval_us - now
            if wait_us > 0:
                return Taken(bucket, wait_us, (until + bucket.limit.burst * bucket.limit.interval_us - now,))
            if until <= now:
                del self._refused_until[bucket.key]
        return None


def too_many(limit: Limit, wait_us: int) -> Problem:
    """The refusal of a caller that asks too much."""
    seconds = max(1, math.ceil(wait_us / 1_000_000))
    too_much = {
        "address": "This address asks more than is allowed;",
        "key": "This API key is used for more than is allowed;",
        "guess": f"This address presented more than {limit.burst} wrong API keys; one every {limit.interval_us / 1e6:g} s is allowed. "
        "Check the key, and",
    }
    return Problem(
        429,
        "rate_limited",
        f"{too_much[limit.name]} try again in {seconds} s.",
        headers={"Retry-After": str(seconds)},
    )


def _headers(buckets: Sequence[Bucket], taken: Taken) -> tuple[tuple[bytes, bytes], ...]:
    """`RateLimit-Policy` and `RateLimit` as draft-ietf-httpapi-ratelimit-headers has them: quota, window; what is left, seconds until all is."""
    policies = ", ".join(
        f'"{bucket.limit.name}";q={bucket.limit.burst};w={math.ceil(bucket.limit.burst * bucket.limit.interval_us / 1_000_000)}'
        for bucket in buckets
    )
    left = ", ".join(
        f'"{bucket.limit.name}";r={bucket.limit.remaining(ahead_us)};t={math.ceil(ahead_us / 1_000_000)}'
        for bucket, ahead_us in zip(buckets, taken.ahead_us, strict=True)
    )
    return ((b"ratelimit-policy", policies.encode()), (b"ratelimit", left.encode()))


def now_us() -> int:
    """This process's clock, in microseconds; says nothing of the time of day."""
    return time.monotonic_ns() // 1000
