"""The job of collection: from feeds to features."""

import dagster as dg

collect_job = dg.define_asset_job(
    "collect_job",
    selection=dg.AssetSelection.assets("raw_news", "articles", "article_features"),
    # A run every 15 minutes: starting a process for each step takes longer than the steps.
    executor_def=dg.in_process_executor,
    description="Fetch every configured feed, cluster the stories of a day, or of a range of days in one run, and compute their features.",
    tags={"stage": "collection"},
)
