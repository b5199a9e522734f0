"""The asset `article_features`: a vector for each article of the day, offline and online."""

from contextlib import closing
from typing import Any

import dagster as dg

from sentiment_platform.features.connection import connect
from sentiment_platform.features.pipeline import refresh_context, run
from sentiment_platform.features.schema import DEFAULT_SCHEMA
from sentiment_platform.news.partitions import daily
from sentiment_platform.store.resources import PlatformResource


@dg.asset(
    deps=["articles"],
    partitions_def=daily,
    backfill_policy=dg.BackfillPolicy.single_run(),
    group_name="features",
    owners=["team:data-engineering"],
    kinds={"postgres", "redis"},
    tags={"stage": "collection"},
    pool="features",
    description=f"Schema {DEFAULT_SCHEMA.version}: {len(DEFAULT_SCHEMA.names)} values for each article, as they were known when it became available.",
)
def article_features(context: dg.AssetExecutionContext, platform: PlatformResource) -> dg.MaterializeResult[Any]:
    """Compute once, write to PostgreSQL, then to Redis; then refresh what requests ask about tickers and outlets."""
    window = context.partition_time_window
    with closing(connect(platform.settings().require("redis_url"))) as client:
        report = run(platform.engine(), client, DEFAULT_SCHEMA, window.start, window.end, platform.now())
        entities = refresh_context(platform.engine(), client, DEFAULT_SCHEMA, platform.now())
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": report.articles,
            "schema": DEFAULT_SCHEMA.version,
            "features": dg.MetadataValue.md("\n".join(f"- `{f.name}` ({f.group}): {f.doc}" for f in DEFAULT_SCHEMA.features)),
            "written_online": report.online_written,
            "context_entities": entities,
            "missing_share": report.missing_share,
        },
        data_version=dg.DataVersion(report.digest),
    )
