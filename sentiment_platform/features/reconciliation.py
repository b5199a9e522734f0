"""Does Redis say what PostgreSQL says, and make it so: what was lost, what a dead writer left behind, what nobody of us wrote.

Looked at are the rows written within the life of an online value; everything else in Redis may only be what PostgreSQL once knew.
A repaired value lives no longer than the one that was lost would have: repairing never makes old news look fresh.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import islice
from typing import Any, Literal

from sqlalchemy import Engine

from sentiment_platform.entities import STORY, feature_key, story_entity
from sentiment_platform.features.freshness import MAX_AHEAD, TTL_S
from sentiment_platform.features.online import OnlineRow, decode, read_raw, remove, write
from sentiment_platform.features.pipeline import ONLINE_DAYS, online_row
from sentiment_platform.features.schema import FeatureSchema
from sentiment_platform.store.vectors import delete_context, features_as_of, features_since

Fault = Literal["missing", "older", "newer", "different"]
CYCLE = timedelta(hours=1)
"""How often the graph reconciles: the longest that Redis may say what PostgreSQL said before."""
KEEP_CONTEXT = timedelta(days=30)
"""How long superseded values of tickers and outlets are kept; with them what was served can be replayed."""
_BATCH = 1_000


@dataclass(frozen=True, slots=True)
class Difference:
    """One entity of which Redis does not say what PostgreSQL says; `expected` is None where PostgreSQL knows nothing of it."""

    entity: str
    fault: Fault
    raw: bytes | None
    expected: OnlineRow | None


@dataclass(frozen=True)
class Comparison:
    """Both sides at one moment. A missing value is no contradiction: Redis may evict and expire whatever it likes.

    `digest` names what PostgreSQL says should be online.
    """

    compared: int
    digest: str
    differences: tuple[Difference, ...] = field(repr=False)

    def count(self, fault: Fault) -> int:
        """How many differ in this way."""
        return sum(difference.fault == fault for difference in self.differences)

    @property
    def contradictions(self) -> tuple[Difference, ...]:
        """The entities of which the two say different things."""
        return tuple(difference for difference in self.differences if difference.fault != "missing")


@dataclass(frozen=True)
class Reconciliation:
    """Both stores held against each other before the repair, and what still differed after it."""

    before_repair: Comparison
    after_repair: Comparison
    context_rows_deleted: int


def reconcile(engine: Engine, redis: Any, schema: FeatureSchema, now: datetime) -> Reconciliation:
    """Compare, write again from PostgreSQL whatever differs, compare again; forget superseded context after `KEEP_CONTEXT`."""
    before = compare(engine, redis, schema, now)
    for difference in before.contradictions:
        if difference.fault != "older" and difference.raw is not None:
            remove(redis, schema.version, difference.entity, difference.raw)
    write(redis, schema.version, (d.expected for d in before.differences if d.expected is not None), now)
    remaining = compare(engine, redis, schema, now) if before.differences else before
    with engine.begin() as connection:
        deleted = delete_context(connection, schema.version, now - KEEP_CONTEXT)
    return Reconciliation(before, remaining, deleted)


def compare(engine: Engine, redis: Any, schema: FeatureSchema, now: datetime) -> Comparison:
    """Every value that should be online, and every other that is, against PostgreSQL."""
    first = {row.entity: row for row in _expected(engine, schema, now)}
    differences: list[Difference] = []
    for some in _batches(first):
        for entity, raw in zip(some, read_raw(redis, schema.version, some), strict=True):
            if fault := _fault(first[entity], raw, schema, now):
                differences.append(Difference(entity, fault, raw, first[entity]))
    if differences:
        # Redis was read after PostgreSQL: what only looks newer has meanwhile been committed.
        again = {row.entity: row for row in _expected(engine, schema, now)}
        differences = [
            Difference(old.entity, fault, old.raw, again[old.entity])
            for old in differences
            if old.entity in again and (fault := _fault(again[old.entity], old.raw, schema, now))
        ]
    strangers = _strangers(engine, redis, schema, now, first.keys())
    names = sorted(f"{row.entity} {row.as_of.timestamp()} {row.revision}" for row in first.values())
    return Comparison(len(first), sha256("\n".join(names).encode()).hexdigest(), (*differences, *strangers))


def _expected(engine: Engine, schema: FeatureSchema, now: datetime) -> Iterator[OnlineRow]:
    """What PostgreSQL says should be online; of a story what its newest article says."""
    with engine.connect() as connection:
        rows = features_since(connection, schema.version, now - ONLINE_DAYS, now - timedelta(seconds=TTL_S))
    stories: dict[str, OnlineRow] = {}
    for row, title in rows:
        yield online_row(schema, row.entity, row)._replace(written_at=row.computed_at)
        if title is not None:
            story = online_row(schema, story_entity(title), row)._replace(written_at=row.computed_at)
            known = stories.get(story.entity)
            if known is None or (known.as_of, known.revision) <= (story.as_of, story.revision):
                stories[story.entity] = story
    yield from stories.values()


def _fault(expected: OnlineRow, raw: bytes | None, schema: FeatureSchema, now: datetime) -> Fault | None:
    stored = decode(raw, schema.version, now)
    if stored.as_of is None or stored.values is None:
        return "missing"
    if stored.as_of < expected.as_of:
        return "older"
    if stored.as_of > expected.as_of:
        # An article of the same story that was written too long ago to be looked at here may be the newer one.
        return None if expected.entity.startswith(STORY) else "newer"
    return None if stored.values == expected.values else "different"


def _strangers(engine: Engine, redis: Any, schema: FeatureSchema, now: datetime, expected: Iterable[str]) -> list[Difference]:
    """Values in Redis that are newer than anything PostgreSQL has of their entity, or of entities that it does not know."""
    prefix = feature_key(schema.version, "")
    known = set(expected)
    names = (name.decode(errors="replace").removeprefix(prefix) for name in redis.scan_iter(f"{prefix}*", count=1000))
    others = [name for name in names if name not in known and not name.startswith(STORY)]
    strangers: list[Difference] = []
    for some in _batches(others):
        values = zip(some, read_raw(redis, schema.version, some), strict=True)
        stored = {name: (raw, decode(raw, schema.version, now)) for name, raw in values if raw is not None}
        with engine.connect() as connection:
            rows = features_as_of(connection, schema.version, list(stored), now + MAX_AHEAD)
        for name, (raw, value) in stored.items():
            if value.as_of is not None and (name not in rows or value.as_of > rows[name].as_of):
                strangers.append(Difference(name, "newer", raw, None))
    return strangers


def _batches(names: Iterable[str]) -> Iterator[list[str]]:
    remaining = iter(names)
    while some := list(islice(remaining, _BATCH)):
        yield some
