"""When everything is trained anew although nothing asked for it: once a week, off peak."""

import dagster as dg

from sentiment_platform.promotion.jobs import train_job
from sentiment_platform.run_tags import TRIGGER

weekly = dg.ScheduleDefinition(
    name="weekly",
    job=train_job,
    cron_schedule="23 4 * * 1",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    tags={TRIGGER: "weekly"},
    description="Every Monday at 04:23 UTC; unchanged inputs train nothing and say so.",
)
