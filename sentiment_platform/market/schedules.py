"""When prices are fetched: once a day, for the last two weeks at once."""

from datetime import UTC, timedelta

import dagster as dg

from sentiment_platform.market.jobs import market_job
from sentiment_platform.run_tags import range_tags

LOOK_BACK = timedelta(days=14)
"""Long enough for days that were missed, and for what a source corrects afterwards; outcomes that wait are looked at whatever their day."""


@dg.schedule(
    job=market_job,
    cron_schedule="45 22 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description=(
        "The last 14 days in one run, every day: at 22:45 UTC America has closed in winter and in summer and Australia not yet opened. "
        "Riyadh trades on Sundays, crypto always. Each symbol is asked for up to the newest session that is over at its exchange."
    ),
)
def market_schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    day = context.scheduled_execution_time.astimezone(UTC).date()
    return dg.RunRequest(run_key=f"prices-{day}", tags=range_tags(day - LOOK_BACK, day))
