"""The online side of the feature store: values in Redis under `features:{schema}:{entity}`, and how fresh they are.

Entities: `article:{id}` (the whole vector), `ticker:{symbol}` and `source:{outlet}` (the context value a request needs).
Guarantee: PostgreSQL is written first, then Redis, only by a newer `as_of` (decided inside Redis); a value carries its schema
version, and a reader that does not know it treats it as a miss. Everything expires after a day.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from math import isfinite
from typing import Any, Literal

TTL_S = 86_400
FeatureStatus = Literal["PRESENT", "STALE", "MISSING"]

# One write as one Lua call: compare the stored as_of, then set value and expiry together.
WRITE_IF_NEWER = """
local stored = redis.pcall('GET', KEYS[1])
-- An error reply is a table: a key of another type is garbage like any other, SET replaces it.
if type(stored) == 'string' then
  local ok, value = pcall(cjson.decode, stored)
  if ok and type(value) == 'table' and tonumber(value['as_of_us']) and tonumber(value['as_of_us']) > tonumber(ARGV[1]) then
    return 0
  end
end
redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
return 1
"""


@dataclass(frozen=True, slots=True)
class OnlineValue:
    """Values of one entity as read: `values` is None unless the status is PRESENT or STALE."""

    status: FeatureStatus
    values: Mapping[str, float | None] | None = None
    as_of: datetime | None = None


MISSING = OnlineValue("MISSING")


def key(schema_version: str, entity: str) -> str:
    """The Redis key of an entity's values."""
    return f"features:{schema_version}:{entity}"


def encode(schema_version: str, values: Mapping[str, float | None], as_of: datetime, written_at: datetime) -> str:
    """The stored form; times in whole microseconds since 1970, so that Redis compares numbers."""
    return json.dumps(
        {
            "schema": schema_version,
            "as_of_us": microseconds(as_of),
            "written_at_us": microseconds(written_at),
            "values": dict(values),
        },
        separators=(",", ":"),
    )


def decode(raw: bytes | str | None, schema_version: str, now: datetime) -> OnlineValue:
    """What a stored value is worth at `now`: garbage, another schema and nothing at all are all MISSING."""
    if raw is None:
        return MISSING
    try:
        stored: Any = json.loads(raw)
        if stored["schema"] != schema_version:
            return MISSING
        written_at = _time(stored["written_at_us"])
        as_of = _time(stored["as_of_us"])
        values = {name: None if value is None else _finite(value) for name, value in stored["values"].items()}
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        return MISSING
    fresh = now - written_at <= timedelta(seconds=TTL_S)
    return OnlineValue("PRESENT" if fresh else "STALE", values, as_of)


def write(
    client: Any,
    schema_version: str,
    rows: Iterable[tuple[str, Mapping[str, float | None], datetime]],
    now: datetime,
    batch: int = 500,
) -> int:
    """Write (entity, values, as_of) rows through a synchronous redis-py client, `batch` commands a round trip.

    Returns:
        How many were newer than what Redis had.
    """
    script = client.script_load(WRITE_IF_NEWER)
    written = 0
    remaining = iter(rows)
    while some := list(islice(remaining, batch)):
        pipeline = client.pipeline(transaction=False)
        for entity, values, as_of in some:
            pipeline.evalsha(
                script, 1, key(schema_version, entity), microseconds(as_of), encode(schema_version, values, as_of, now), TTL_S
            )
        written += sum(pipeline.execute())
    return written


def read(client: Any, schema_version: str, entities: Sequence[str], now: datetime) -> list[OnlineValue]:
    """Read several entities in one round trip through a synchronous client."""
    raw = client.mget([key(schema_version, entity) for entity in entities]) if entities else []
    return [decode(value, schema_version, now) for value in raw]


def microseconds(at: datetime) -> int:
    """Whole microseconds since 1970-01-01 UTC."""
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def _finite(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise ValueError(value)
    return float(value)


def _time(us: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=us)
