"""The assets of the feature store: a vector for each article of the day, offline and online; and that the two sides agree."""

from contextlib import closing
from typing import Any

import dagster as dg

from sentiment_platform.entities import unknown_keys
from sentiment_platform.features.connection import connect
from sentiment_platform.features.markdown import reconciliation_table, schema_table
from sentiment_platform.features.pipeline import refresh_context, run
from sentiment_platform.features.reconciliation import reconcile
from sentiment_platform.features.schema import DEFAULT_SCHEMA, active_schemas
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
    description=(
        f"Schema {DEFAULT_SCHEMA.version}: {len(DEFAULT_SCHEMA.names)} values for each article, as they were known when it became "
        "available; and every other schema that SENTIMENT_FEATURE_SCHEMAS names. A partition is the UTC day of publication of the "
        "article: 2026-03-02 holds the vectors of that day's articles, also of one that arrived on 2026-03-05."
    ),
)
def article_features(context: dg.AssetExecutionContext, platform: PlatformResource) -> dg.MaterializeResult[Any]:
    """Compute once, write to PostgreSQL, then to Redis; then refresh what requests ask about tickers and outlets."""
    window, engine, now = context.partition_time_window, platform.engine(), platform.now()
    schemas = active_schemas(platform.settings().feature_schemas)
    with closing(connect(platform.settings().require("redis_url"))) as client:
        reports = [run(engine, client, s, window.start, window.end, now, run_id=context.run.run_id) for s in schemas]
        entities = sum(refresh_context(engine, client, schema, now) for schema in schemas)
    vectors = sum(report.articles - report.refused for report in reports)
    missing = max(report.missing_share for report in reports)
    return dg.MaterializeResult(
        metadata={
            "summary": f"{vectors:,} vectors; of one schema at most {missing:.1%} of the values are missing.",
            "dagster/row_count": vectors,
            "schema": ", ".join(schema.version for schema in schemas),
            "features": dg.MetadataValue.md(schema_table(schemas[-1])),
            "written_online": sum(report.online_written for report in reports),
            "quarantined": sum(report.refused for report in reports),
            "context_entities": entities,
            "missing_share": missing,
        },
        data_version=dg.DataVersion("-".join(report.digest for report in reports)),
    )


@dg.asset(
    deps=[article_features],
    group_name="features",
    owners=["team:data-engineering"],
    kinds={"postgres", "redis"},
    tags={"stage": "collection"},
    pool="features",
    description="Redis after it was held against PostgreSQL: what was missing, older, newer or different is written again.",
)
def online_features(platform: PlatformResource) -> dg.MaterializeResult[Any]:
    """Compare, repair, compare again."""
    schemas = active_schemas(platform.settings().feature_schemas)
    with closing(connect(platform.settings().require("redis_url"))) as client:
        done = {schema.version: reconcile(platform.engine(), client, schema, platform.now()) for schema in schemas}
        strangers = unknown_keys(client)
    compared = sum(one.before_repair.compared for one in done.values())
    repaired = sum(len(one.before_repair.differences) for one in done.values())
    differences = sum(len(one.after_repair.contradictions) for one in done.values())
    return dg.MaterializeResult(
        metadata={
            "summary": f"{compared:,} entities compared, {repaired:,} repaired, {differences:,} still different.",
            "compared": compared,
            "repaired": repaired,
            "differences": differences,
            "unknown_keys": ", ".join(strangers) or "none",
            "by_schema": dg.MetadataValue.md(reconciliation_table(done)),
        },
        data_version=dg.DataVersion("-".join(one.after_repair.digest for one in done.values())),
    )
