"""Switches that turn a part of the platform off while it runs. PostgreSQL has their state (`store.flags`), Redis spreads it.

Nothing heavy is imported: serving reads them too.
"""

import logging
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime

import msgspec

FLAGS: dict[str, str] = {
    "transformer": "Families other than the cheapest answer. Off: the cheapest answers, degraded; a dearer one by name is a 503.",
    "experiments": "Arms and versions in shadow take part in traffic. Off: the champions alone answer.",
    "automatic_promotion": "What the gate proposes is published. Off: only what people ask for is, and rollbacks.",
    "collection": "News is collected by schedule. Off: the schedule skips.",
}
"""Name -> what it allows; each is on until somebody turns it off."""
FLAGS_KEY = "flags"
KEPT_S = 60
"""So long Redis has the state: after that, or where it lost it, the database is asked once."""
TIMEOUT_S = 0.5
logger = logging.getLogger(__name__)


class Flag(msgspec.Struct, frozen=True, kw_only=True):
    """One switch; `revision` counts its changes, and is 0 for one that nobody ever changed."""

    name: str
    enabled: bool = True
    revision: int = 0
    reason: str | None = None
    actor: str | None = None
    changed_at: datetime | None = None


def encoded(flags: Sequence[Flag]) -> bytes:
    """As Redis and the disk have them."""
    return msgspec.json.encode(list(flags))


def decoded(content: bytes | None) -> list[Flag] | None:
    """What `encoded` wrote; None for anything else."""
    if content is None:
        return None
    try:
        return msgspec.json.decode(content, type=list[Flag])
    except msgspec.MsgspecError:
        return None


def spread(redis_url: str, flags: Sequence[Flag]) -> bool:
    """Tell every serving process, by Redis; without it they ask the database. Whether Redis took it; at most a second."""
    if not redis_url:
        return False
    from redis import Redis
    from redis.backoff import NoBackoff
    from redis.exceptions import RedisError
    from redis.retry import Retry

    try:
        client = Redis.from_url(
            redis_url, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S, retry=Retry(NoBackoff(), 0)
        )
        with closing(client):
            client.set(FLAGS_KEY, encoded(flags), ex=KEPT_S)
    except (RedisError, OSError, ValueError) as error:
        logger.warning("Redis was not told of the flags: %s: %s", type(error).__name__, error)
        return False
    return True
