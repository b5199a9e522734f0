"""What was told in public, read back from Redis."""

import msgspec
import redis

from sentiment_platform.entities import EVENTS_KEY
from sentiment_platform.events import FIELD, Event


def told(redis_url: str) -> list[Event]:
    """Every event, oldest first."""
    with redis.Redis.from_url(redis_url) as client:
        return [msgspec.json.decode(fields[FIELD], type=Event) for _, fields in client.xrange(EVENTS_KEY)]
