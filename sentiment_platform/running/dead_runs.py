"""Runs whose process is gone: they are closed before anybody waits for them.

Dagster cannot see that such a run died: for hours it would hold its places in the pools, so that every later training waits without
a word, and pass for the answer to every cause to train again. That it died is proven by a local PostgreSQL that was started just now, by
the tags that a headless run carries, or by the limit that dagster.yaml sets for every run.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import text

from sentiment_platform.run_tags import HOST, LAUNCHED, PROCESS, PROCESS_START
from sentiment_platform.running.headless import dagster_instance
from sentiment_platform.running.run_owner import owner_is_gone
from sentiment_platform.store.dagster_storage import DAGSTER_SCHEMA
from sentiment_platform.store.engine import create_platform_engine

MAX_RUNTIME_S = 43_200
"""`max_runtime_seconds` of dagster.yaml, which a daemon would enforce; where none runs it is enforced here."""
FREE_AFTER_END_S = 60
"""`free_slots_after_run_end_seconds` of dagster.yaml."""

# Queued runs are left: nobody has begun them, and the next daemon takes them.
_SUSPECTS = f"""
    WITH places AS (
        SELECT run_id FROM {DAGSTER_SCHEMA}.concurrency_slots WHERE run_id IS NOT NULL AND NOT deleted
        UNION SELECT run_id FROM {DAGSTER_SCHEMA}.pending_steps
    ), open_runs AS (
        SELECT run_id FROM {DAGSTER_SCHEMA}.runs WHERE status IN ('NOT_STARTED', 'STARTING', 'STARTED', 'CANCELING')
        UNION SELECT run_id FROM places
    )
    SELECT open_runs.run_id, runs.status,
        extract(epoch FROM now()) - coalesce(start_time, extract(epoch FROM create_timestamp AT TIME ZONE 'UTC')) AS age_s,
        extract(epoch FROM now()) - end_time AS ended_s,
        (SELECT jsonb_object_agg(key, value) FROM {DAGSTER_SCHEMA}.run_tags
            WHERE run_tags.run_id = open_runs.run_id AND key = ANY(:keys)) AS tags
    FROM open_runs LEFT JOIN {DAGSTER_SCHEMA}.runs USING (run_id)
"""  # noqa: S608  the schema is a constant


@dataclass(frozen=True)
class _Suspect:
    run_id: str
    status: str | None
    age_s: float | None
    ended_s: float | None
    tags: dict[str, str]

    def verdict(self) -> str | None:
        """Why it cannot be alive; None where it can."""
        if self.age_s is None:
            return "Its record was deleted."
        if self.ended_s is not None:
            return "It has ended." if self.ended_s > FREE_AFTER_END_S else None
        if owner_is_gone(self.tags):
            return f"The process of this run ({self.tags[PROCESS]}) ended before the run did."
        return f"This run took longer than {MAX_RUNTIME_S / 3600:g} hours." if self.age_s > MAX_RUNTIME_S else None


def end_interrupted_runs(database_url: str, log: Callable[[str], None] = lambda _: None) -> list[str]:
    """Close every run that is under way and give its places in the pools back; the ids of the runs closed.

    Only to be called while no run can be alive. A daemon tries once more what it had started (`run_retries` in dagster.yaml).
    """
    return _close(
        {
            suspect.run_id: "The process of this run ended with the local stack, before the run did."
            for suspect in _suspects(database_url)
        },
        log,
    )


def end_dead_runs(database_url: str, log: Callable[[str], None] = lambda _: None) -> list[str]:
    """The same for the runs that are proven to be dead while others live: their process ran here and is gone, or their time is over."""
    return _close({suspect.run_id: reason for suspect in _suspects(database_url) if (reason := suspect.verdict())}, log)


def end_runs_of_the_daemon(database_url: str, log: Callable[[str], None] = lambda _: None) -> list[str]:
    """The same for the runs that a daemon had started, which its process group took with it. Only to be called while no daemon runs."""
    reason = "The process of this run ended with the daemon that had started it."
    # Only what a daemon starts is STARTING at first; the tag comes a moment later.
    launched = [suspect for suspect in _suspects(database_url) if LAUNCHED in suspect.tags or suspect.status == "STARTING"]
    return _close({suspect.run_id: reason for suspect in launched}, log)


def _close(runs: dict[str, str], log: Callable[[str], None]) -> list[str]:
    # Dagster takes seconds to import, and there is hardly ever anything to do.
    if not runs:
        return []
    closed: list[str] = []
    with dagster_instance() as instance:
        for run_id, reason in runs.items():
            run = instance.get_run_by_id(run_id)
            if run is not None and not run.is_finished:
                instance.report_run_failed(run, reason)
                closed.append(run_id)
                log(f"Run {run_id} of {run.job_name} was interrupted; it is marked as failed. {reason}")
            instance.event_log_storage.free_concurrency_slots_for_run(run_id)
    return closed


def _suspects(database_url: str) -> list[_Suspect]:
    engine = create_platform_engine(database_url)
    try:
        with engine.connect() as connection:
            names = [f"{DAGSTER_SCHEMA}.{name}" for name in ("runs", "run_tags", "concurrency_slots", "pending_steps")]
            if any(connection.execute(text("SELECT to_regclass(:name)"), {"name": name}).scalar() is None for name in names):
                return []
            rows = connection.execute(text(_SUSPECTS), {"keys": [HOST, PROCESS, PROCESS_START, LAUNCHED]})
            return [_Suspect(row.run_id, row.status, row.age_s, row.ended_s, row.tags or {}) for row in rows]
    finally:
        engine.dispose()
