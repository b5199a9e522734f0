"""The sensor that makes a person's selection in serving the next revision."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import dagster as dg

from sentiment_platform.news.sensors import UNFINISHED_STATUSES
from sentiment_platform.promotion.jobs import deploy_job
from sentiment_platform.run_tags import ACTOR, SELECTION, TRIGGER
from sentiment_platform.store.resources import PlatformResource
from sentiment_platform.store.selections import open_selection_requests

PAUSES = (timedelta(minutes=1), timedelta(minutes=10), timedelta(hours=1))
"""How long after a run that did not publish a selection the next one is asked for; after the last nobody asks again."""


@dg.sensor(
    job=deploy_job,
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Somebody selected a version, or rolled back, in serving: publish it; a run that fails is asked for again three times.",
)
def a_version_was_selected(context: dg.SensorEvaluationContext, platform: PlatformResource) -> dg.SensorResult | dg.SkipReason:
    """A run settles all open selections, so the newest one names it. The key of a run counts the runs before it: each is asked for once."""
    with platform.engine().connect() as connection:
        requests = open_selection_requests(connection)
    if not requests:
        return dg.SkipReason("no open selection request")
    newest = requests[-1]
    asked = dg.RunsFilter(job_name=deploy_job.name, tags={SELECTION: str(newest.id)})
    tried = context.instance.get_run_records(asked, limit=len(PAUSES) + 1)
    if reason := _why_not_now([(run.dagster_run.status, run.update_timestamp) for run in tried], platform.now()):
        return dg.SkipReason(f"Selection {newest.id}: {reason}")
    key = f"selection-{newest.id}" + (f"-again-{len(tried)}" if tried else "")
    tags = {TRIGGER: "selection", ACTOR: newest.actor, SELECTION: str(newest.id)}
    return dg.SensorResult(run_requests=[dg.RunRequest(run_key=key, tags=tags)])


def _why_not_now(tried: Sequence[tuple[dg.DagsterRunStatus, datetime]], now: datetime) -> str:
    """Why no further run is asked for after those that were, the newest first; "" where one is due."""
    if not tried:
        return ""
    status, updated_at = tried[0]
    if status in UNFINISHED_STATUSES:
        return "its run is under way."
    if len(tried) > len(PAUSES):
        return f"{len(tried)} runs did not publish it. See why, then: sentiment-platform run deploy_job."
    due = updated_at.replace(tzinfo=updated_at.tzinfo or UTC) + PAUSES[len(tried) - 1]
    return "" if now >= due else f"its run did not publish it; the next is asked for at {due:%Y-%m-%d %H:%M} UTC."
