"""The job of collection, from feeds to features and scores; and the configuration of a run of it that asks no source."""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from sentiment_platform.run_tags import ONLY_NEW, SCORES

WITHOUT_ASKING = {"ops": {"raw_news": {"config": {"ask_sources": False}}}}
"""Run configuration: make the days of what is stored already; no source is asked, no quota is spent."""


def asks_sources(run_config: Mapping[str, Any]) -> bool:
    """Whether a run with this configuration asks sources; it does unless it is told not to."""
    return bool(run_config.get("ops", {}).get("raw_news", {}).get("config", {}).get("ask_sources", True))


collect_job = dg.define_asset_job(
    "collect_job",
    selection=dg.AssetSelection.assets("raw_news", "articles", "article_features", "article_sentiment"),
    # A run every 15 minutes: starting a process for each step takes longer than the steps.
    executor_def=dg.in_process_executor,
    description=(
        "Fetch every configured feed, cluster the stories of a day, or of a range of days in one run, compute their features, and score them."
    ),
    tags={"stage": "collection", SCORES: ONLY_NEW},
    # What `sentiment-platform run --from --to` makes in one run: little enough to be done again, enough to outweigh starting a run.
    metadata={"days_per_run": 31},
)
