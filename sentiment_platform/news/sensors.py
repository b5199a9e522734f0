"""The sensor of late news: days that the regular runs no longer make are made again, exactly those, and asking no source."""

from datetime import date, timedelta
from hashlib import sha256

import dagster as dg

from sentiment_platform.news.collect.days import days_to_collect, midnight
from sentiment_platform.news.jobs import WITHOUT_ASKING, collect_job
from sentiment_platform.news.late import REMEMBERED, LateDays, plan, read_cursor, write_cursor
from sentiment_platform.news.partitions import daily
from sentiment_platform.run_tags import PARTITION, TRIGGER, range_tags
from sentiment_platform.store.late_news import waiting_days
from sentiment_platform.store.resources import PlatformResource

LATE_NEWS = "late_news"
UNFINISHED_STATUSES = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
"""A run in one of these is queued or under way."""


@dg.sensor(
    job=collect_job,
    minimum_interval_seconds=300,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Articles came in for days before today: those days are made again, without asking any source.",
)
def late_news_arrived(context: dg.SensorEvaluationContext, platform: PlatformResource) -> dg.SensorResult | dg.SkipReason:
    """The cursor says which days were asked for, for which articles and how often: a run that cannot succeed is not asked for forever.

    While a backfill or a run that this sensor asked for is under way nothing is asked for: what it leaves behind is seen at the next
    look. The regular runs make other days.
    """
    now = platform.now()
    regular = {day.isoformat() for day in days_to_collect(now)}
    for run in context.instance.get_runs(dg.RunsFilter(job_name=collect_job.name, statuses=UNFINISHED_STATUSES)):
        if run.tags.get(PARTITION) not in regular:
            return dg.SkipReason(f"Run {run.run_id} of {collect_job.name} is under way.")
    with platform.engine().connect() as connection:
        waiting = waiting_days(connection, since=now - REMEMBERED, before=midnight(days_to_collect(now)[-1]))
    first = daily.start.date()
    late = plan([one for one in waiting if one.day >= first], read_cursor(context.cursor), now)
    requests = [_request(late, first, last) for first, last in late.ranges]
    before = sum(one.day < first for one in waiting)
    skip = None if requests else dg.SkipReason(_nothing(late) + (_too_early(before, first) if before else ""))
    return dg.SensorResult(run_requests=requests, cursor=write_cursor(late.asked), skip_reason=skip)


def _request(late: LateDays, first: date, last: date) -> dg.RunRequest:
    asked = [late.asked[first + timedelta(days=n)] for n in range((last - first).days + 1)]
    attempt = sha256("".join(f"{one.digest} {one.times}\n" for one in asked).encode()).hexdigest()[:16]
    return dg.RunRequest(
        run_key=f"late/{first}/{last}/{attempt}",
        partition_key=first.isoformat() if first == last else None,
        run_config=WITHOUT_ASKING,
        tags={TRIGGER: LATE_NEWS} | (range_tags(first, last) if first != last else {}),
    )


def _too_early(days: int, first: date) -> str:
    return (
        f" {days} days before {first} wait: start `sentiment-platform up` again, or set SENTIMENT_FIRST_DAY to an earlier day;"
        f" or run {collect_job.name} with --from and --to."
    )


def _nothing(late: LateDays) -> str:
    if late.given_up:
        days = ", ".join(day.isoformat() for day in late.given_up)
        return f"Tried often enough without success: {days}. Look at the runs with the tag {TRIGGER}={LATE_NEWS}."
    return f"{len(late.asked)} days were asked for already." if late.asked else "No article waits."
