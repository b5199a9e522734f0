"""The job that lets a new registry answer at once."""

import dagster as dg

bootstrap_job = dg.define_asset_job(
    "bootstrap_job",
    selection=dg.AssetSelection.assets("starters"),
    executor_def=dg.in_process_executor,
    description="Publish and deploy the versions that the platform ships, where nothing is deployed yet: seconds, without any label.",
    tags={"stage": "training"},
)
