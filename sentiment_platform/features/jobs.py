"""The job of the feature store itself: agreement of its two sides, and the replay of what was served."""

import dagster as dg

from sentiment_platform.features.assets import online_features

feature_store_job = dg.define_asset_job(
    "feature_store_job",
    selection=dg.AssetSelection.assets(online_features),
    # Every hour, and seconds of work: starting a process for each step takes longer than the steps.
    executor_def=dg.in_process_executor,
    description="Hold Redis against PostgreSQL, write again what differs, and compute a sample of the served vectors again.",
    tags={"stage": "collection"},
)
