"""The job of collection."""

import dagster as dg

from sentiment_platform.news.assets import articles, raw_news

collect_job = dg.define_asset_job(
    "collect_job",
    selection=dg.AssetSelection.assets(raw_news, articles),
    # A run every 15 minutes: starting a process for each step takes longer than the steps.
    executor_def=dg.in_process_executor,
    description="Fetch every configured feed and cluster the stories of a day, or of a range of days in one run.",
    tags={"stage": "collection"},
)
