"""The jobs of monitoring."""

import dagster as dg

from sentiment_platform.monitoring.assets import drift_report, performance_report, retrain_decision, swap_watch

TAGS = {"stage": "monitoring"}

monitor_job = dg.define_asset_job(
    "monitor_job",
    selection=dg.AssetSelection.assets(
        drift_report.key, performance_report.key, retrain_decision.key, "online_evaluation", "alerts"
    ),
    # Every hour, and seconds of work: starting a process for each step takes longer than the steps.
    executor_def=dg.in_process_executor,
    description="Measure drift and live performance, decide whether to train again, evaluate the experiment that runs, and tell who must know.",
    tags=TAGS,
)
watch_job = dg.define_asset_job(
    "watch_job",
    selection=dg.AssetSelection.assets(swap_watch.key),
    executor_def=dg.in_process_executor,
    description="Judge a version that has just taken another's place, and go back where that one answered better.",
    tags=TAGS,
)
