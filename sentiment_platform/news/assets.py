"""The two assets of collection. What they do is in `news.days`; what they show is in `news.tables`."""

from typing import Any

import dagster as dg

from sentiment_platform.news.articles import cluster_days
from sentiment_platform.news.days import collect_days
from sentiment_platform.news.partitions import daily
from sentiment_platform.news.sources.configured import configured_sources
from sentiment_platform.news.sources.protocol import Window
from sentiment_platform.news.tables import counts_table, reports_table, stories_preview
from sentiment_platform.store.resources import PlatformResource


@dg.asset(
    partitions_def=daily,
    backfill_policy=dg.BackfillPolicy.single_run(),
    group_name="news",
    owners=["team:data-engineering"],
    kinds={"python", "postgres"},
    tags={"stage": "collection"},
    pool="collection",
    description=(
        "Articles as their sources published them, by UTC day of publication. Today's and yesterday's runs fetch every configured "
        "source; runs of past days ask the sources that know the past and report what archives brought. Refused items are in quarantine with the rule they broke."
    ),
)
def raw_news(context: dg.AssetExecutionContext, platform: PlatformResource) -> dg.MaterializeResult[Any]:
    days = context.partition_time_window
    window = Window(days.start, days.end)
    sources = configured_sources(platform.settings(), platform.environment())
    found = collect_days(platform.engine(), platform.settings(), sources, window, run_id=context.run.run_id, now=platform.now())
    for report in found.reports:
        if report.outcome == "failed":
            context.log.warning("%s: %s", report.source, report.detail)
    return dg.MaterializeResult(
        metadata={
            "dagster/partition_row_count": sum(found.by_source.values()),
            "fetched": sum(report.fetched for report in found.reports),
            "stored": sum(report.stored for report in found.reports),
            "duplicate": sum(report.duplicate for report in found.reports),
            "quarantined": sum(report.quarantined for report in found.reports),
            "sources": dg.MetadataValue.md(reports_table(found.reports)),
            "articles_by_source": dg.MetadataValue.md(counts_table(found.by_source, "source")),
            "other_days": dg.MetadataValue.md(counts_table(found.other_days, "day")),
        },
        data_version=dg.DataVersion(found.digest),
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
    description="Articles of the day with the story that each tells; syndicated copies share one story.",
)
def articles(context: dg.AssetExecutionContext, platform: PlatformResource) -> dg.MaterializeResult[Any]:
    days = context.partition_time_window
    found = cluster_days(platform.engine(), days.start, days.end, run_id=context.run.run_id, now=platform.now())
    return dg.MaterializeResult(
        metadata={
            "dagster/partition_row_count": found.articles,
            "articles": found.articles,
            "stories": found.stories,
            "syndicated_copies": found.articles + found.refused - found.stories,
            "refused": found.refused,
            "late_days": ", ".join(day.isoformat() for day in found.late_days) or "none",
            "preview": dg.MetadataValue.md(stories_preview(found.widest)),
        },
        data_version=dg.DataVersion(found.digest),
    )
