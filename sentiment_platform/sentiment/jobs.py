"""The job of history: articles of past days through the deployed versions, or through any version that a run names."""

from typing import Any

import dagster as dg

from sentiment_platform.queues.executors import here_or_on_workers
from sentiment_platform.queues.work_queues import SHORT

score_job = dg.define_asset_job(
    "score_job",
    selection=dg.AssetSelection.assets("article_sentiment"),
    executor_def=here_or_on_workers(dg.in_process_executor, SHORT),
    description="Score the articles of a day, or of a range of days, by the deployed version of each family or by one that you name.",
    tags={"stage": "collection", **SHORT.tags},
    # As many days in one run as collection makes; over workers one, so that a step is short and little is done again.
    metadata={"days_per_run": 31, "days_per_run_on_workers": 1},
)


def by_version(version: str) -> dict[str, Any]:
    """Run configuration: score by this version instead of the deployed ones."""
    return {"ops": {"article_sentiment": {"config": {"version": version}}}}
