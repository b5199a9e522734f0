"""The feature vector of a request: the shared function of `features.compute` over the text and the context that Redis has."""

import asyncio
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from sentiment_platform.clock import Clock, utc_now
from sentiment_platform.entities import feature_key, source_entity, story_entity, ticker_entity
from sentiment_platform.features.compute import COMPUTE, FeatureContext, FeatureVector
from sentiment_platform.features.freshness import MISSING, FeatureStatus, FeatureValue
from sentiment_platform.features.online import decode
from sentiment_platform.features.schema import CONTEXT_ENTITY, SCHEMAS, FeatureSchema
from sentiment_platform.text.english import is_english
from serving.links.redis_link import RedisLink

_ahead: ContextVar[tuple[list[str], asyncio.Future[Any]] | None] = ContextVar("features_ahead", default=None)
"""What is being looked up for the request in progress."""


@dataclass(frozen=True)
class Input:
    """A request after cleaning: normalised text, the ticker in its one spelling, time in UTC. `traffic`: what it is for, if no user's."""

    text: str
    ticker: str | None = None
    source: str | None = None
    published_at: datetime | None = None
    traffic: str | None = None

    @cached_property
    def supported(self) -> bool:
        """Whether the text is English that a model can read."""
        return is_english(self.text)

    @property
    def is_text_alone(self) -> bool:
        """Whether it names nothing to look up."""
        return not (self.ticker or self.source or self.published_at)


@dataclass(frozen=True, slots=True)
class OnlineFeatures:
    """A vector in the order of its schema, and how fresh the context of the named ticker and source was."""

    values: FeatureVector
    status: FeatureStatus


class FeatureReader:
    """Looks a request's context up in one round trip; without Redis every context value is missing, nothing more.

    A request that names nothing but a text is judged by the text alone: nothing is looked up, so that the same text gives the same
    answer whatever was in the news meanwhile.
    """

    def __init__(self, redis: RedisLink, *, clock: Clock = utc_now) -> None:
        self._redis = redis
        self._clock = clock

    async def read(self, request: Input, schema: str) -> OnlineFeatures:
        """The vector of `request` under feature schema `schema`."""
        looked_up = await self._look_up(_entities(request), schema)
        published_at = request.published_at.astimezone(UTC) if request.published_at else None
        context = FeatureContext(published_at=published_at, day_only=False, **_context(SCHEMAS[schema], looked_up))
        asked: list[FeatureStatus] = [looked_up[name].status for name in ("ticker", "source") if name in looked_up]
        return OnlineFeatures(COMPUTE[schema](request.text, context), freshness(asked))

    def ask_ahead(self, request: Input, schema: str) -> None:
        """Begin what `read` will look up for the request in progress: it travels with what is asked of Redis at this moment."""
        if entities := _entities(request):
            keys = _keys(entities, schema)
            _ahead.set((keys, asyncio.ensure_future(self._redis.command("MGET", *keys))))

    async def _look_up(self, entities: Mapping[str, str], schema: str) -> dict[str, FeatureValue]:
        if not entities:
            return {}
        keys, ahead = _keys(entities, schema), _ahead.get()
        raw = await (ahead[1] if ahead is not None and ahead[0] == keys else self._redis.command("MGET", *keys))
        if raw is None:
            return dict.fromkeys(entities, MISSING)
        now = self._clock()
        return {name: decode(value, schema, now) for name, value in zip(entities, raw, strict=True)}


def freshness(asked: Sequence[FeatureStatus]) -> FeatureStatus:
    """Of the ticker and source that the request named: PRESENT when all of it is fresh, MISSING when any of it is absent or neither was
    named, else STALE."""
    if not asked or "MISSING" in asked:
        return "MISSING"
    return "STALE" if "STALE" in asked else "PRESENT"


def _entities(request: Input) -> dict[str, str]:
    if request.is_text_alone:
        return {}
    entities = {"story": story_entity(request.text)}
    if request.ticker:
        entities["ticker"] = ticker_entity(request.ticker)
    if request.source:
        entities["source"] = source_entity(request.source)
    return entities


def _keys(entities: Mapping[str, str], schema: str) -> list[str]:
    return [feature_key(schema, entity) for entity in entities.values()]


def _context(schema: FeatureSchema, looked_up: Mapping[str, FeatureValue]) -> dict[str, float | None]:
    """Whatever stands in Redis: only a fresh number that the schema allows may reach a model."""
    context: dict[str, float | None] = {}
    for feature in schema.features:
        stored = looked_up.get(CONTEXT_ENTITY.get(feature.name, ""))
        if stored is not None and stored.status == "PRESENT" and stored.values:
            value = stored.values.get(feature.name)
            context[feature.name] = value if value is not None and feature.allows(value) else None
    return context
