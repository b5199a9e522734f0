"""When incidents are looked at: soon after every collection."""

import dagster as dg

from sentiment_platform.alerts.jobs import alert_job

alert_schedule = dg.ScheduleDefinition(
    name="alert_schedule",
    job=alert_job,
    cron_schedule="5-59/15 * * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Five minutes after every collection: nothing new can be known of it earlier, and what was not delivered is tried again.",
)
