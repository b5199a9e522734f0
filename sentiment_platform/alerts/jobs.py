"""The job of alerts: incidents are looked at and told without anything being measured."""

import dagster as dg

from sentiment_platform.alerts.assets import alerts

alert_job = dg.define_asset_job(
    "alert_job",
    selection=dg.AssetSelection.assets(alerts),
    executor_def=dg.in_process_executor,
    description="Look at what was collected and measured, and send what is due to the webhook.",
    tags={"stage": "monitoring"},
)
