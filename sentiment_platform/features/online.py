"""The online side of the feature store: values in Redis under `features:{schema}:{entity}`.

Entities: `article:{id}` (the whole vector); `story:{hash}`, `ticker:{symbol}`, `source:{outlet}` (what a request asks about them).
Guarantee: PostgreSQL commits first, then Redis takes only what is newer, by (`as_of`, `revision`), decided inside Redis. So Redis is
never newer than PostgreSQL and never goes back; a writer that dies between the two leaves it older until `reconciliation` has run.
A value carries its schema version, and a reader that does not know it treats it as a miss. Everything expires after a day.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from math import isfinite
from typing import Any, NamedTuple

import msgspec

from sentiment_platform.entities import feature_key
from sentiment_platform.features.freshness import MAX_AHEAD, MISSING, TTL_S, FeatureStatus, FeatureValue, freshness

__all__ = ["MISSING", "TTL_S", "FeatureStatus", "FeatureValue", "OnlineRow", "decode", "encode", "read", "write"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

# Many writes as one Lua call: each compares what is stored, then sets value and expiry together.
# ARGV: the latest as_of that can be true, then as_of, revision, value and seconds to live for each key.
WRITE_IF_NEWER = """
local written = 0
for i, name in ipairs(KEYS) do
  local at = 4 * i - 2
  local as_of, revision = tonumber(ARGV[at]), tonumber(ARGV[at + 1])
  local stored = redis.pcall('GET', name)
  local newer = true
  -- An error reply is a table: a key of another type is garbage like any other, SET replaces it.
  if type(stored) == 'string' then
    local ok, value = pcall(cjson.decode, stored)
    local stored_as_of = ok and type(value) == 'table' and tonumber(value['as_of_us'])
    if stored_as_of and stored_as_of <= tonumber(ARGV[1]) then
      local stored_revision = tonumber(value['revision']) or 0
      newer = as_of > stored_as_of or (as_of == stored_as_of and revision >= stored_revision)
    end
  end
  if newer then
    redis.call('SET', name, ARGV[at + 2], 'EX', ARGV[at + 3])
    written = written + 1
  end
end
return written
"""

# Removes a value only if it is still the one that was judged.
DELETE_IF_SAME = """
local stored = redis.pcall('GET', KEYS[1])
if type(stored) ~= 'string' or stored == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
"""


class OnlineRow(NamedTuple):
    """One value to write. `revision` counts corrections of the same `as_of`; `written_at` (None: now) is when its life began."""

    entity: str
    values: Mapping[str, float | None]
    as_of: datetime
    revision: int = 0
    written_at: datetime | None = None


class _Stored(msgspec.Struct, frozen=True):
    schema: str
    as_of_us: int
    revision: int
    written_at_us: int
    values: Mapping[str, float | None]


_encoder = msgspec.json.Encoder()


def encode(
    schema_version: str, values: Mapping[str, float | None], as_of: datetime, written_at: datetime, revision: int = 0
) -> bytes:
    """The stored form, JSON; times in whole microseconds since 1970, so that Redis compares numbers."""
    return _encoder.encode(_Stored(schema_version, microseconds(as_of), revision, microseconds(written_at), values))


def decode(raw: bytes | str | None, schema_version: str, now: datetime) -> FeatureValue:
    """What a stored value is worth at `now`: garbage, another schema, a value from the future and nothing at all are all MISSING."""
    if raw is None:
        return MISSING
    try:
        stored: Any = msgspec.json.decode(raw)
        if stored["schema"] != schema_version:
            return MISSING
        written_at = _time(stored["written_at_us"])
        as_of = _time(stored["as_of_us"])
        if max(written_at, as_of) > now + MAX_AHEAD:
            return MISSING
        values = {name: None if value is None else _finite(value) for name, value in stored["values"].items()}
    except (msgspec.MsgspecError, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        return MISSING
    return FeatureValue(freshness(written_at, now), values, as_of)


def write(client: Any, schema_version: str, rows: Iterable[OnlineRow], now: datetime, batch: int = 200) -> int:
    """Write rows through a synchronous redis-py client, `batch` of them in one call, several calls in a round trip.

    Returns:
        How many were newer than what Redis had.
    """
    script = client.script_load(WRITE_IF_NEWER)
    latest = microseconds(now + MAX_AHEAD)
    written = 0
    remaining = iter(rows)
    while calls := [some for _ in range(8) if (some := list(islice(remaining, batch)))]:
        pipeline = client.pipeline(transaction=False)
        for some in calls:
            arguments: list[Any] = [latest]
            for row in some:
                since = row.written_at or now
                left_s = TTL_S - int((now - since).total_seconds())
                stored = encode(schema_version, row.values, row.as_of, since, row.revision)
                arguments += (microseconds(row.as_of), row.revision, stored, max(1, left_s))
            pipeline.evalsha(script, len(some), *(feature_key(schema_version, row.entity) for row in some), *arguments)
        written += sum(pipeline.execute())
    return written


def remove(client: Any, schema_version: str, entity: str, raw: bytes) -> int:
    """Delete the value of an entity if it is still `raw`, or is of another type; returns how many were deleted."""
    return client.eval(DELETE_IF_SAME, 1, feature_key(schema_version, entity), raw)


def read(client: Any, schema_version: str, entities: Sequence[str], now: datetime) -> list[FeatureValue]:
    """Read several entities in one round trip through a synchronous client."""
    return [decode(value, schema_version, now) for value in read_raw(client, schema_version, entities)]


def read_raw(client: Any, schema_version: str, entities: Sequence[str]) -> list[bytes | None]:
    """The stored bytes of several entities; None where there are none, or something that is no string."""
    return client.mget([feature_key(schema_version, entity) for entity in entities]) if entities else []


def microseconds(at: datetime) -> int:
    """Whole microseconds since 1970-01-01 UTC."""
    return (at - _EPOCH) // _MICROSECOND


def _finite(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise ValueError(value)
    return float(value)


def _time(us: int) -> datetime:
    return _EPOCH + timedelta(microseconds=us)
