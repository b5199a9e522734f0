"""How bulk work connects to Redis: bounded waits, one retry layer, replies as bytes."""

from typing import Any


def connect(url: str, *, timeout_s: float = 5.0) -> Any:
    """A synchronous redis-py client.

    redis-py's own default of ten silent retries would hold a job for minutes; the caller's retry policy is the only one.
    """
    from redis import Redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    return Redis.from_url(url, socket_timeout=timeout_s, socket_connect_timeout=timeout_s, retry=Retry(NoBackoff(), 0))
