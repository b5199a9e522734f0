"""Predictions kept in Redis for an hour, under a key that contains everything they depend on.

Key: manifest digest, feature schema, and a hash of the rule for long texts, normalised text, ticker, source, publication time and feature values. A new version
has another digest, so it never meets an old answer. Anything that does not read back as three probabilities is a miss.
"""

import math
import random
from hashlib import sha256

import msgspec

from sentiment_platform.entities import prediction_key
from sentiment_platform.features.compute import FeatureVector
from sentiment_platform.models.reading import RULE
from serving.links.redis_link import RedisLink
from serving.predict.online_features import Input
from serving.work.runner import Probabilities

TTL_S = 3600
JITTER_SHARE = 0.1
WORTH_A_LOOK = 0.05
WEIGHT = 0.01


class _Stored(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    schema: str
    probabilities: Probabilities


_decoder = msgspec.json.Decoder(_Stored)


def cache_key(manifest_digest: str, schema: str, request: Input, values: FeatureVector) -> str:
    """The Redis key of the answer to a request with these feature values."""
    at = request.published_at.timestamp() if request.published_at else None
    content = msgspec.json.encode([RULE, request.text, request.ticker, request.source, at, values])
    return prediction_key(manifest_digest, schema, sha256(content).hexdigest())


class PredictionCache:
    """Reads and writes probabilities; without Redis every read is a miss."""

    def __init__(self, redis: RedisLink) -> None:
        self._redis = redis
        self._hits = 1.0

    @property
    def pays(self) -> bool:
        """Whether enough of what was asked of late was there, so that looking is worth it where the model has no time."""
        return self._hits >= WORTH_A_LOOK

    @property
    def is_up(self) -> bool:
        """Whether Redis answered when it was last asked."""
        return self._redis.status.status == "ok"

    async def get(self, key: str, schema: str) -> Probabilities | None:
        """The stored probabilities, or None."""
        raw = await self._redis.command("GET", key)
        kept = None if raw is None else read_stored(raw, schema)
        self.count(hit=kept is not None)
        return kept

    def count(self, *, hit: bool) -> None:
        """Count one that asked: a question that is being computed for somebody else is as good as one that is there."""
        self._hits += WEIGHT * (hit - self._hits)

    def put(self, key: str, schema: str, probabilities: Probabilities) -> None:
        """Keep for an hour less up to a tenth: entries of one burst do not all expire at once. The answer does not wait for it."""
        value = msgspec.json.encode(_Stored(schema, probabilities))
        ttl_s = TTL_S - int(random.random() * JITTER_SHARE * TTL_S)  # noqa: S311  spreads expiry, protects nothing
        self._redis.send("SET", key, value, "EX", ttl_s)


def read_stored(raw: bytes, schema: str) -> Probabilities | None:
    """Probabilities out of a stored value; None for garbage, another schema, or numbers that are no distribution."""
    try:
        stored = _decoder.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    fits = all(0 <= p <= 1 for p in stored.probabilities) and math.isclose(sum(stored.probabilities), 1, abs_tol=1e-6)
    return stored.probabilities if fits and stored.schema == schema else None
