"""SQL of what is remembered of each news source between two collections: validators, quota, cursor, last success and failure.

Plain functions over a Connection; the caller owns the transaction. What the values mean to a fetch is for `news`.
"""

from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, null, select, text
from sqlalchemy.dialects.postgresql import insert

from sentiment_platform.store import tables


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceState:
    """What the last fetches of a source left behind; times are aware UTC.

    `quota_used` counts the requests of `quota_day` (UTC), `quota_per_day` is what its entry allowed then (None: no limit); `cursor` is where a collection was cut off, in the source's own words;
    `validators_broken`: the source answered 304 although its content had changed, so it is asked without validators.
    """

    source: str
    etag: str | None = None
    last_modified: str | None = None
    last_success_at: datetime | None = None
    last_failure_at: datetime | None = None
    last_failure: str | None = None
    consecutive_failures: int = 0
    items_seen: int = 0
    retry_after: datetime | None = None
    body_hash: str | None = None
    quota_day: date | None = None
    quota_used: int = 0
    quota_per_day: int | None = None
    cursor: dict[str, Any] | None = None
    validators_broken: bool = False


_COLUMNS = [getattr(tables.SourceState, name) for name in SourceState.__dataclass_fields__]


def read_source_state(connection: Connection, source: str) -> SourceState:
    """What is remembered of a source; an empty state for one never seen."""
    row = connection.execute(select(*_COLUMNS).where(tables.SourceState.source == source)).mappings().one_or_none()
    return SourceState(**row) if row else SourceState(source=source)


def read_source_states(connection: Connection) -> dict[str, SourceState]:
    """Name -> state of every source ever collected."""
    rows = connection.execute(select(*_COLUMNS).order_by(tables.SourceState.source)).mappings()
    return {row["source"]: SourceState(**row) for row in rows}


def write_source_state(connection: Connection, state: SourceState) -> None:
    """Replace what is remembered of a source."""
    values = asdict(state)
    # None would be stored as the JSON value `null`, which is not SQL's NULL.
    values["cursor"] = null() if state.cursor is None else state.cursor
    statement = insert(tables.SourceState).values(values)
    connection.execute(statement.on_conflict_do_update(index_elements=["source"], set_=values))


_CHARGE = text("""
    INSERT INTO platform.source_state (source, quota_day, quota_used, consecutive_failures, items_seen, validators_broken)
    VALUES (:source, :day, 1, 0, 0, false)
    ON CONFLICT (source) DO UPDATE
    SET quota_day = :day, quota_used = CASE WHEN source_state.quota_day = :day THEN source_state.quota_used + 1 ELSE 1 END
    WHERE source_state.quota_day IS DISTINCT FROM :day OR source_state.quota_used < :quota
    RETURNING quota_used""")


def charge_request(connection: Connection, source: str, day: date, quota: int) -> int | None:
    """Count one request of a UTC day, and return how many there were with it; None, and nothing counted, where the quota is used up."""
    return connection.execute(_CHARGE, {"source": source, "day": day, "quota": quota}).scalar_one_or_none()
