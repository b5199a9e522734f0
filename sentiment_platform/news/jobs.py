"""The job of collection, from feeds to features; and the words of its runs: configuration and tags."""

from collections.abc import Collection, Mapping
from datetime import date

import dagster as dg

WITHOUT_ASKING = {"ops": {"raw_news": {"config": {"ask_sources": False}}}}
"""Run configuration: make the days of what is stored already; no source is asked, no quota is spent."""
UNFINISHED, WAITING = "unfinished", "waiting"
"""Tags of a run: sources of which its past days are not all there, with the reason; and those of them that have more to give, later."""

collect_job = dg.define_asset_job(
    "collect_job",
    selection=dg.AssetSelection.assets("raw_news", "articles", "article_features"),
    # A run every 15 minutes: starting a process for each step takes longer than the steps.
    executor_def=dg.in_process_executor,
    description="Fetch every configured feed, cluster the stories of a day, or of a range of days in one run, and compute their features.",
    tags={"stage": "collection"},
    # What `sentiment-platform run --from --to` makes in one run: little enough to be done again, enough to outweigh starting a run.
    metadata={"days_per_run": 31},
)


def range_tags(first: date, last: date) -> dict[str, str]:
    """Tags of a run that makes all the days from `first` to `last`, both included."""
    return {"dagster/asset_partition_range_start": first.isoformat(), "dagster/asset_partition_range_end": last.isoformat()}


def unfinished_tags(unfinished: Mapping[str, str], waiting: Collection[str]) -> dict[str, str]:
    """Both tags, as far as there is something to say."""
    tags = {UNFINISHED: "; ".join(f"{source}: {reason}" for source, reason in sorted(unfinished.items()))}
    return tags | ({WAITING: ", ".join(sorted(waiting))} if waiting else {})
