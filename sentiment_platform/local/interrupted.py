"""Runs whose process ended with the last stack: they are closed before anybody waits for them.

Dagster cannot see that such a run died: for hours it would hold its places in the pools, so that every later training waits without
a word, and pass for the answer to every cause to train again. A local PostgreSQL that was started just now proves that it is over.
"""

from collections.abc import Callable

from sqlalchemy import text

from sentiment_platform.headless import dagster_instance
from sentiment_platform.store.dagster_storage import DAGSTER_SCHEMA
from sentiment_platform.store.engine import create_platform_engine

# Queued runs are left: nobody has begun them, and the next daemon takes them.
_SUSPECTS = f"""
    SELECT run_id FROM {DAGSTER_SCHEMA}.runs WHERE status IN ('NOT_STARTED', 'STARTING', 'STARTED', 'CANCELING')
    UNION SELECT run_id FROM {DAGSTER_SCHEMA}.concurrency_slots WHERE run_id IS NOT NULL AND NOT deleted
    UNION SELECT run_id FROM {DAGSTER_SCHEMA}.pending_steps
"""  # noqa: S608  the schema is a constant


def end_interrupted_runs(database_url: str, log: Callable[[str], None] = lambda _: None) -> list[str]:
    """Close every run that is under way and give its places in the pools back; the ids of the runs closed.

    Only to be called while no run can be alive. A daemon tries each of them once more (`run_retries` in dagster.yaml).
    """
    # Dagster takes seconds to import, and there is hardly ever anything to do.
    suspects = _suspects(database_url)
    if not suspects:
        return []
    closed: list[str] = []
    with dagster_instance() as instance:
        for run_id in suspects:
            run = instance.get_run_by_id(run_id)
            if run is not None and not run.is_finished:
                instance.report_run_failed(run, "The process of this run ended with the local stack, before the run did.")
                closed.append(run_id)
                log(f"Run {run_id} of {run.job_name} was interrupted when the local stack ended; it is marked as failed.")
            instance.event_log_storage.free_concurrency_slots_for_run(run_id)
    return closed


def _suspects(database_url: str) -> list[str]:
    engine = create_platform_engine(database_url)
    try:
        with engine.connect() as connection:
            names = [f"{DAGSTER_SCHEMA}.{name}" for name in ("runs", "concurrency_slots", "pending_steps")]
            if any(connection.execute(text("SELECT to_regclass(:name)"), {"name": name}).scalar() is None for name in names):
                return []
            return [row.run_id for row in connection.execute(text(_SUSPECTS))]
    finally:
        engine.dispose()
