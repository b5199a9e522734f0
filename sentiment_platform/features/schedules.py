"""When the feature store looks after itself: every hour, which is the cycle that its guarantee names."""

import dagster as dg

from sentiment_platform.features.jobs import feature_store_job

feature_store_schedule = dg.ScheduleDefinition(
    name="feature_store_schedule",
    job=feature_store_job,
    cron_schedule="52 * * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Reconciliation and replay of the feature store, 52 minutes past every hour.",
)
