"""The way back from a decision to training, and the watch after a swap."""

from datetime import datetime

import dagster as dg

from sentiment_platform.labels.sensors import TRAIN_JOB, training_since, unfinished_training
from sentiment_platform.monitoring.jobs import watch_job
from sentiment_platform.monitoring.swap_judging import next_look
from sentiment_platform.monitoring.swap_watch import answers_so_far
from sentiment_platform.run_tags import DECISION, REASON, TRIGGER
from sentiment_platform.store.decisions import StoredDecision, decisions_to_retrain_after
from sentiment_platform.store.resources import PlatformResource
from sentiment_platform.times.own import own_moment


@dg.sensor(
    job_name=TRAIN_JOB,
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="A decision to train again was made: one run of train_job, tagged with every cause.",
)
def retraining_was_decided(context: dg.SensorEvaluationContext, platform: PlatformResource) -> dg.SensorResult | dg.SkipReason:
    """The cursor is the newest decision that was acted on: each is acted on once, and a failed run is not asked for again.

    Several at once make one run, and a run that is under way or was created after the decision answers it. A cause that outlives
    its run decides again after the cool-down of the policy.
    """
    with platform.engine().connect() as connection:
        decisions = decisions_to_retrain_after(connection, parse_cursor(context.cursor))
    if not decisions:
        return dg.SkipReason("No decision to train again is open.")
    newest = decisions[-1]
    cursor = f"{newest.decided_at.isoformat()} {newest.id}"
    if run_id := unfinished_training(context.instance) or training_since(context.instance, newest.decided_at):
        return dg.SensorResult(skip_reason=dg.SkipReason(f"Run {run_id} answers decision {newest.id}."), cursor=cursor)
    return dg.SensorResult(run_requests=[dg.RunRequest(run_key=newest.id, tags=tags_of(decisions))], cursor=cursor)


def parse_cursor(cursor: str | None) -> tuple[datetime, str] | None:
    """(decided at, id) of the decision that the cursor names."""
    if not cursor:
        return None
    at, _, decision = cursor.partition(" ")
    return own_moment(at), decision


def tags_of(decisions: list[StoredDecision]) -> dict[str, str]:
    """What the run is for: the kinds of all causes, the words of all decisions, the newest decision's id."""
    kinds = sorted({cause["kind"] for decision in decisions for cause in decision.reasons["causes"]})
    return {
        TRIGGER: ",".join(kinds),
        REASON: " ".join(decision.reasons["statement"] for decision in decisions),
        DECISION: decisions[-1].id,
    }


@dg.sensor(
    job=watch_job,
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="A version took another's place within the hour, and enough was asked since for the next look at it.",
)
def a_swap_is_watched(platform: PlatformResource) -> dg.SensorResult | dg.SkipReason:
    """The key of a run names swap and look, so that each look is asked for once, whatever is asked meanwhile."""
    counted = answers_so_far(platform.engine(), platform.now())
    due = [(swap, next_look(answers)) for swap, answers in counted if next_look(answers)]
    if not due:
        return dg.SkipReason("No swap is watched." if not counted else "Too little was asked since the swap.")
    key = "-".join(f"{swap.version}-{swap.document.revision}-{look}" for swap, look in due)
    return dg.SensorResult(run_requests=[dg.RunRequest(run_key=f"watch-{key}", tags={TRIGGER: "swap"})])
