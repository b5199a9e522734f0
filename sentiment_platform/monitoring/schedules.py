"""When what is served is looked at: every hour; and when incidents are: soon after every collection."""

import dagster as dg

from sentiment_platform.monitoring.jobs import monitor_job

monitoring_schedule = dg.ScheduleDefinition(
    name="monitoring_schedule",
    job=monitor_job,
    cron_schedule="37 * * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Drift, performance and decision, 37 minutes past every hour.",
)
