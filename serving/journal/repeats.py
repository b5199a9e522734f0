"""Feedback that names an `Idempotency-Key`: sent again it gets the same answer and counts once; with another body it is refused.

The id of such a record follows from who speaks, the key, and the prediction, so that the database keeps one whoever writes it how often.
The answer is remembered in this process and, for its neighbours, in Redis; without Redis a neighbour answers with its own moment.
"""

import asyncio
import uuid
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

import msgspec

from sentiment_platform.entities import idempotency_key
from serving.journal.journal_records import FeedbackRecord
from serving.links.redis_link import RedisLink

KEPT_S = 24 * 3600
REMEMBERED = 10_000
ASKED_S = 5.0
"""How long Redis may take, a connection that has to be made included; after that this process goes by itself."""
_TIME = 48
"""First bits of a record's id."""


class Said(msgspec.Struct, frozen=True):
    """What was said under a key, as a digest, and when it was first received."""

    digest: str
    received_at: datetime


_NO_TIME = datetime.min.replace(tzinfo=UTC)
_read = msgspec.json.Decoder(Said).decode


@dataclass(frozen=True, slots=True)
class Repeated:
    """A record; whether it is said for the first time, and whether this process has it on the disk: then it need not be written again."""

    record: FeedbackRecord
    is_new: bool
    is_written: bool


class ReusedKey(Exception):
    """The key was used for another body."""


class Repeats:
    """Used from one event loop."""

    def __init__(self, redis: RedisLink) -> None:
        self._redis = redis
        self._said: OrderedDict[str, Said] = OrderedDict()
        self._asked: dict[str, asyncio.Task[Said]] = {}
        self._written: OrderedDict[str, None] = OrderedDict()

    async def recorded(self, key: str, speaker: str, record: FeedbackRecord) -> "Repeated":
        """The record as it is kept under `key` of `speaker`.

        Raises:
            ReusedKey: the same speaker said something else under it, within a day.
        """
        named = _named(key, speaker)
        plain = msgspec.structs.replace(record, id="", voice=None, claimed=None, received_at=_NO_TIME)
        now = Said(sha256(msgspec.json.encode(plain)).hexdigest(), record.received_at)
        said = await self._first(named, now)
        if said.digest != now.digest:
            raise ReusedKey
        record = msgspec.structs.replace(record, id=_id(record.prediction_id, named), received_at=said.received_at)
        return Repeated(record, said == now, named in self._written)

    def written(self, key: str, speaker: str) -> None:
        """What was said under `key` is on this process's disk."""
        self._written[_named(key, speaker)] = None
        if len(self._written) > REMEMBERED:
            self._written.popitem(last=False)

    def forget(self, key: str, speaker: str) -> None:
        """What was said under `key` was not taken after all: said again, it is said for the first time."""
        named = _named(key, speaker)
        self._said.pop(named, None)
        self._redis.send("DEL", idempotency_key(named))

    async def _first(self, named: str, now: Said) -> Said:
        """What was said first; whoever comes while Redis is asked hears the same, also where the one that asked has left."""
        if named in self._said:
            return self._said[named]
        if named not in self._asked:
            self._asked[named] = asyncio.create_task(self._ask(named, now))
        return await asyncio.shield(self._asked[named])

    async def _ask(self, named: str, now: Said) -> Said:
        key, said = idempotency_key(named), now
        try:
            async with asyncio.timeout(ASKED_S):
                # redis-py makes a yes or no of what `SET ... NX GET` replies.
                _, raw = await self._redis.patiently(("SET", key, msgspec.json.encode(now), "NX", "EX", KEPT_S), ("GET", key))
            if isinstance(raw, bytes):
                said = _read(raw)
        except (TimeoutError, msgspec.MsgspecError):
            pass
        finally:
            del self._asked[named]
        self._said[named] = said
        if len(self._said) > REMEMBERED:
            self._said.popitem(last=False)
        return said


def _named(key: str, speaker: str) -> str:
    return sha256(f"{speaker}\0{key}".encode()).hexdigest()


def _id(prediction_id: str, named: str) -> str:
    """In the form of every record's: the prediction's time, so that rows arrive nearly in order, and of the rest a digest."""
    value = uuid.UUID(prediction_id).int >> (128 - _TIME) << (128 - _TIME)
    value |= int(sha256(f"{prediction_id}{named}".encode()).hexdigest(), 16) & ((1 << (128 - _TIME)) - 1)
    value = value & ~(0xF000 << 64) | 0x7000 << 64
    return str(uuid.UUID(int=value & ~(0xC000 << 48) | 0x8000 << 48))
