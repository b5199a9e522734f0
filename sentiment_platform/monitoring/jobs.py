"""The jobs of monitoring."""

import dagster as dg

from sentiment_platform.monitoring.assets import alerts, drift_report, performance_report, retrain_decision

TAGS = {"stage": "monitoring"}

monitor_job = dg.define_asset_job(
    "monitor_job",
    selection=dg.AssetSelection.assets(drift_report, performance_report, retrain_decision, alerts),
    # Every hour, and seconds of work: starting a process for each step takes longer than the steps.
    executor_def=dg.in_process_executor,
    description="Measure drift and live performance, decide whether to train again, and tell who must know.",
    tags=TAGS,
)

alert_job = dg.define_asset_job(
    "alert_job",
    selection=dg.AssetSelection.assets(alerts),
    executor_def=dg.in_process_executor,
    description="Look at what was collected and measured, and send what is due to the webhook.",
    tags=TAGS,
)
