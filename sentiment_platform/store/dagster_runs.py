"""SQL that reads Dagster's own tables: which runs there were, what they were for, and which steps failed.

The tables are Dagster's (schema `dagster`, see `dagster_storage`) and are only read, by columns that have stood since Dagster 0.13.
They are absent before the first run, where Dagster keeps them elsewhere, and for a role that may not read them: then nothing is known.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, text

from sentiment_platform.run_tags import DECISION, PARTITION, RANGE_END, RANGE_START, REASON, TRIGGER

SHOWN_TAGS = (PARTITION, RANGE_START, RANGE_END, TRIGGER, REASON, DECISION, "dagster/schedule_name", "dagster/sensor_name")
"""What a run was for. Others name hosts and processes, or are Dagster's bookkeeping."""
_TABLES = ("runs", "run_tags", "event_logs")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRun:
    """A run as Dagster has it; `status` is Dagster's word. `tags` are those of SHOWN_TAGS that it has."""

    run_id: str
    job: str
    status: str
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    tags: dict[str, str] = field(default_factory=dict[str, str])
    failed_steps: list[str] = field(default_factory=list[str])


_READABLE = text("""
    SELECT count(*) = :tables FROM pg_catalog.pg_class AS relation
    JOIN pg_catalog.pg_namespace AS space ON space.oid = relation.relnamespace
    WHERE space.nspname = 'dagster' AND relation.relname = ANY(:names)
        AND has_schema_privilege(space.oid, 'USAGE') AND has_table_privilege(relation.oid, 'SELECT')""")


def runs_are_readable(connection: Connection) -> bool:
    """Whether Dagster's tables are here and this role may read them."""
    return bool(connection.execute(_READABLE, {"names": list(_TABLES), "tables": len(_TABLES)}).scalar_one())


_NEWEST = text("""
    SELECT run_id, pipeline_name AS job, status, timezone('UTC', create_timestamp) AS created_at, start_time, end_time
    FROM dagster.runs ORDER BY id DESC LIMIT :limit OFFSET :offset""")
_TAGS = text("SELECT run_id, key, value FROM dagster.run_tags WHERE run_id = ANY(:runs) AND key = ANY(:keys) ORDER BY id")
_FAILED_STEPS = text("""
    SELECT run_id, step_key FROM dagster.event_logs
    WHERE run_id = ANY(:runs) AND dagster_event_type = 'STEP_FAILURE' AND step_key IS NOT NULL ORDER BY id""")
# The run that carries the decision's id, else the first of the job that was made after it: that answers it as well.
_FOLLOWED = text("""
    SELECT decision.id AS decision, run.* FROM unnest(CAST(:ids AS text[]), CAST(:times AS timestamptz[])) AS decision (id, at)
    CROSS JOIN LATERAL (
        SELECT run.run_id, pipeline_name AS job, status, timezone('UTC', create_timestamp) AS created_at, start_time, end_time,
            tag.id IS NOT NULL AS asked_for
        FROM dagster.runs AS run
        LEFT JOIN dagster.run_tags AS tag ON tag.run_id = run.run_id AND tag.key = :key AND tag.value = decision.id
        WHERE run.pipeline_name = :job AND run.create_timestamp >= timezone('UTC', decision.at)
        ORDER BY tag.id IS NULL, run.id LIMIT 1) AS run""")


def newest_runs(connection: Connection, limit: int, offset: int) -> list[StoredRun]:
    """`limit` runs behind the `offset` newest, newest first, with their tags and the steps that failed."""
    rows = connection.execute(_NEWEST, {"limit": limit, "offset": offset}).all()
    runs = {row.run_id: _run(row) for row in rows}
    for run_id, key, value in connection.execute(_TAGS, {"runs": list(runs), "keys": list(SHOWN_TAGS)}):
        runs[run_id].tags[key] = value
    failed = [run.run_id for run in runs.values() if run.status == "FAILURE"]
    for run_id, step in connection.execute(_FAILED_STEPS, {"runs": failed}):
        if step not in runs[run_id].failed_steps:
            runs[run_id].failed_steps.append(step)
    return list(runs.values())


def runs_that_followed(
    connection: Connection, decisions: Sequence[tuple[str, datetime]], job: str
) -> dict[str, tuple[StoredRun, bool]]:
    """Decision -> the run of `job` that followed it, and whether that run says so itself; decisions without one are absent.

    Args:
        decisions: (id, when it was decided).
    """
    given = {"ids": [name for name, _ in decisions], "times": [at for _, at in decisions], "job": job, "key": DECISION}
    return {row.decision: (_run(row), row.asked_for) for row in connection.execute(_FOLLOWED, given)}


def _run(row: Any) -> StoredRun:
    return StoredRun(
        run_id=row.run_id,
        job=row.job,
        status=row.status,
        created_at=row.created_at,
        started_at=_moment(row.start_time),
        ended_at=_moment(row.end_time),
    )


def _moment(timestamp_s: float | None) -> datetime | None:
    """Dagster keeps seconds since 1970 in these two columns."""
    return None if timestamp_s is None else datetime.fromtimestamp(timestamp_s, UTC)
