"""The sensor that asks for training once enough new labels have arrived, and what every sensor asks before it does.

Two causes do not start two runs: the daemon starts what one sensor asks for before it evaluates the next, and an unfinished run of
`train_job`, whoever asked for it, answers every cause, since it takes in all labels and trains all families. (Should a daemon with
threads start two at once, the second finds unchanged inputs and makes nothing.) Sensors name the job: it is made further up the house.
"""

from datetime import UTC, datetime, timedelta

import dagster as dg

from sentiment_platform.labels.consolidation import hears_anonymous
from sentiment_platform.labels.examples import FEEDBACK_SET
from sentiment_platform.news.sensors import UNFINISHED_STATUSES
from sentiment_platform.run_tags import REASON, TRIGGER
from sentiment_platform.store.labels import labels_since
from sentiment_platform.store.resources import PlatformResource
from sentiment_platform.store.training_sets import latest_training_set
from sentiment_platform.times.own import own_moment

TRAIN_JOB = "train_job"
NEW_LABELS = 100
"""So many labels since the newest training set are worth training again."""
COOL_DOWN = timedelta(hours=6)
"""New labels ask for no run so soon after any other one of the job."""


def unfinished_training(instance: dg.DagsterInstance) -> str | None:
    """Id of a run of `train_job` that is queued or under way."""
    runs = instance.get_runs(dg.RunsFilter(job_name=TRAIN_JOB, statuses=UNFINISHED_STATUSES), limit=1)
    return runs[0].run_id if runs else None


def training_since(instance: dg.DagsterInstance, at: datetime) -> str | None:
    """Id of the newest run of `train_job` that was created after `at`, however it ended."""
    runs = instance.get_runs(dg.RunsFilter(job_name=TRAIN_JOB, created_after=at.astimezone(UTC)), limit=1)
    return runs[0].run_id if runs else None


@dg.sensor(
    job_name=TRAIN_JOB,
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description=f"{NEW_LABELS} labels arrived since the newest training set: one run of train_job, at most one in {COOL_DOWN}.",
)
def new_labels_arrived(context: dg.SensorEvaluationContext, platform: PlatformResource) -> dg.SensorResult | dg.SkipReason:
    """The cursor is the arrival of the newest label that was acted on, so a run that fails is not asked for again."""
    with platform.engine().connect() as connection:
        newest = latest_training_set(connection)
        if newest is None:
            return dg.SkipReason("There is no training set to compare with: run train_job once.")
        acted_on = own_moment(context.cursor) if context.cursor else newest.created_at
        since = max(newest.created_at, acted_on).astimezone(UTC)
        count, arrived_at = labels_since(connection, since, FEEDBACK_SET, anonymous=hears_anonymous(platform.settings()))
    if count < NEW_LABELS or arrived_at is None:
        return dg.SkipReason(f"{count} new labels since {since:%Y-%m-%d %H:%M} UTC; {NEW_LABELS} are needed.")
    # The cursor stays: labels that a run under way comes too late for are counted again after it.
    if run_id := unfinished_training(context.instance) or training_since(context.instance, platform.now() - COOL_DOWN):
        return dg.SkipReason(f"{count} new labels wait for run {run_id} and {COOL_DOWN} after it.")
    request = dg.RunRequest(
        run_key=f"labels-{arrived_at.isoformat()}",
        tags={TRIGGER: "new_labels", REASON: f"{count} new labels since {since:%Y-%m-%d %H:%M} UTC"},
    )
    return dg.SensorResult(run_requests=[request], cursor=arrived_at.isoformat())
