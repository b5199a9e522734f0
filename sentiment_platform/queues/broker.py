"""The broker: a Redis of its own that evicts nothing. One that evicts loses whole queues without an error."""

from typing import Any

from sentiment_platform.errors import PermanentError, TransientError
from sentiment_platform.queues.work_queues import WorkQueue, queue_url
from sentiment_platform.settings import Settings

KEEPS_ALL = "noeviction"
TIMEOUT_S = 5.0


def check_broker(settings: Settings, queue: WorkQueue) -> str:
    """Ask the broker what it does when its memory is full; what it says, in words.

    Raises:
        PermanentError: it would evict keys, or does not say so.
        TransientError: it does not answer.
    """
    from redis import Redis
    from redis.exceptions import RedisError, ResponseError

    with Redis.from_url(
        queue_url(settings, queue), socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S, decode_responses=True
    ) as client:
        try:
            policy = _policy(client)
        except ResponseError as error:
            raise PermanentError(
                f"The broker refuses database {client.connection_pool.connection_kwargs.get('db', 0)} or INFO: {error}.",
                remedy="Each queue needs a database of its own: use a Redis with at least two.",
            ) from error
        except RedisError as error:
            raise TransientError(
                f"The broker does not answer: {error}.", remedy="Check SENTIMENT_BROKER_URL and that the server runs."
            ) from error
    if policy != KEEPS_ALL:
        raise PermanentError(
            f"The broker's maxmemory-policy is {policy or 'unknown'}: it may evict a queue, and the runs in it wait for ever.",
            remedy=f"Give SENTIMENT_BROKER_URL a Redis of its own, with `maxmemory-policy {KEEPS_ALL}`.",
        )
    return f"answers, maxmemory-policy {policy}"


def _policy(client: Any) -> str:
    from redis.exceptions import ResponseError

    try:
        asked = client.config_get("maxmemory-policy")
    except ResponseError:
        # Hosted servers have no CONFIG.
        asked = {}
    return asked.get("maxmemory-policy") or client.info("memory").get("maxmemory_policy", "")
