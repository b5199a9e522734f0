"""When collection runs: every 15 minutes, for today, and for yesterday too while its last articles still come in."""

from datetime import UTC, date, datetime, timedelta

import dagster as dg

from sentiment_platform.news.jobs import collect_job


def days_to_collect(tick: datetime) -> tuple[date, ...]:
    """Today (UTC), and in its first hour yesterday before it."""
    today = tick.astimezone(UTC).date()
    return (today - timedelta(days=1), today) if tick.astimezone(UTC).hour == 0 else (today,)


@dg.schedule(
    job=collect_job,
    cron_schedule="*/15 * * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Today's partition every 15 minutes; yesterday's too in the first hour after midnight UTC.",
)
def collection_schedule(context: dg.ScheduleEvaluationContext) -> list[dg.RunRequest]:
    tick = context.scheduled_execution_time
    # The key names the tick as well: with the day alone every run but the first would be skipped without a word.
    return [
        dg.RunRequest(run_key=f"{tick:%Y-%m-%dT%H:%MZ}/{day}", partition_key=day.isoformat()) for day in days_to_collect(tick)
    ]
