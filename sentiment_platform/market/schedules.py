"""When prices are fetched: after the close of every trading day, for the last two weeks at once."""

from datetime import UTC, timedelta

import dagster as dg

from sentiment_platform.market.jobs import market_job
from sentiment_platform.run_tags import range_tags

LOOK_BACK = timedelta(days=14)
"""Long enough for the longest horizon of an outcome, and for what a source corrects afterwards."""


@dg.schedule(
    job=market_job,
    cron_schedule="45 22 * * 1-5",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="The last 14 days in one run, on weekdays after the exchange has closed in winter and in summer.",
)
def market_schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    day = context.scheduled_execution_time.astimezone(UTC).date()
    return dg.RunRequest(run_key=f"prices-{day}", tags=range_tags(day - LOOK_BACK, day))
