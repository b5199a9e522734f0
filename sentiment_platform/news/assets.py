"""The two assets of collection. What they do is in `news.collect.days`; what they show is in `news.markdown`."""

from typing import Any

import dagster as dg
from pydantic import Field

from sentiment_platform.news.articles import cluster_days
from sentiment_platform.news.collect.days import collect_days
from sentiment_platform.news.markdown import (
    counts_table,
    freshness_table,
    quarantine_table,
    reports_table,
    stories_preview,
    summary_of,
)
from sentiment_platform.news.partitions import daily
from sentiment_platform.news.sources.configured import configured_sources
from sentiment_platform.news.sources.protocol import Window
from sentiment_platform.run_tags import unfinished_tags
from sentiment_platform.store.resources import PlatformResource


class RawNewsConfig(dg.Config):
    """What one run does with its days."""

    ask_sources: bool = Field(
        default=True, description="Ask the sources for these days; without, the days are made of what is stored."
    )


@dg.asset(
    partitions_def=daily,
    backfill_policy=dg.BackfillPolicy.single_run(),
    group_name="news",
    owners=["team:data-engineering"],
    kinds={"python", "postgres"},
    tags={"stage": "collection"},
    pool="collection",
    description=(
        "Articles as their sources published them. A partition is the UTC day of publication, not of the fetch: an article published on "
        "2026-03-02 at 23:50 UTC and fetched at 00:15 the next morning is in 2026-03-02. "
        "Today's run asks every source that is on. A run of a past day asks the sources that know the past. "
        "Refused items are in quarantine with the rule that they broke."
    ),
)
def raw_news(context: dg.AssetExecutionContext, config: RawNewsConfig, platform: PlatformResource) -> dg.MaterializeResult[Any]:
    settings, now, run_id = platform.settings(), platform.now(), context.run.run_id
    days = Window(*context.partition_time_window)
    sources = configured_sources(settings, platform.environment())
    collected = collect_days(platform.engine(), settings, sources, days, run_id=run_id, now=now, ask=config.ask_sources)
    for report in collected.reports:
        if report.outcome == "failed":
            context.log.warning("%s: %s", report.source, report.detail)
    if collected.unfinished:
        context.instance.add_run_tags(run_id, unfinished_tags(collected.unfinished, collected.waiting))
    return dg.MaterializeResult(
        metadata={
            "summary": dg.MetadataValue.md(summary_of(sources, collected.reports, asked=config.ask_sources)),
            "dagster/partition_row_count": sum(collected.by_source.values()),
            "fetched": sum(report.fetched for report in collected.reports),
            "stored": sum(report.stored for report in collected.reports),
            "duplicate": sum(report.duplicate for report in collected.reports),
            "quarantined": sum(report.quarantined for report in collected.reports),
            "failed": len({report.source for report in collected.reports if report.outcome == "failed"}),
            "sources": dg.MetadataValue.md(reports_table(collected.reports)),
            "freshness": dg.MetadataValue.md(freshness_table(sources, collected.states, now)),
            "quarantine": dg.MetadataValue.md(quarantine_table(collected.quarantine)),
            "articles_by_source": dg.MetadataValue.md(counts_table(collected.by_source, "source")),
            "other_days": dg.MetadataValue.md(counts_table(collected.other_days, "day")),
        },
        data_version=dg.DataVersion(collected.digest),
    )


@dg.asset(
    partitions_def=daily,
    backfill_policy=dg.BackfillPolicy.single_run(),
    deps=[raw_news],
    group_name="news",
    owners=["team:data-engineering"],
    kinds={"python", "postgres"},
    tags={"stage": "collection"},
    pool="collection",
    description=(
        "Articles with the story that each tells; syndicated copies share one story. A partition is the UTC day of publication. "
        "A story may span days: a copy published on 2026-03-03 joins the story that opened on 2026-03-02, and stays in its own day."
    ),
)
def articles(context: dg.AssetExecutionContext, platform: PlatformResource) -> dg.MaterializeResult[Any]:
    days = context.partition_time_window
    clustered = cluster_days(platform.engine(), days.start, days.end, run_id=context.run.run_id, now=platform.now())
    return dg.MaterializeResult(
        metadata={
            "summary": f"{clustered.articles:,} articles tell {clustered.stories:,} stories; {clustered.refused:,} are refused.",
            "dagster/partition_row_count": clustered.articles,
            "articles": clustered.articles,
            "stories": clustered.stories,
            "syndicated_copies": clustered.articles + clustered.refused - clustered.stories,
            "refused": clustered.refused,
            "late_days": ", ".join(day.isoformat() for day in clustered.late_days) or "none",
            "preview": dg.MetadataValue.md(stories_preview(clustered.widest)),
        },
        data_version=dg.DataVersion(clustered.digest),
    )
