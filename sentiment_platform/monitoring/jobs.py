"""The job of monitoring."""

import dagster as dg

from sentiment_platform.monitoring.assets import drift_report, performance_report, retrain_decision

monitor_job = dg.define_asset_job(
    "monitor_job",
    selection=dg.AssetSelection.assets(drift_report, performance_report, retrain_decision),
    # Every hour, and seconds of work: starting a process for each step takes longer than the steps.
    executor_def=dg.in_process_executor,
    description="Measure drift and live performance, and decide whether to train again.",
    tags={"stage": "monitoring"},
)
