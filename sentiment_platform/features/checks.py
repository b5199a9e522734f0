"""Checks of the feature store: offline and online say the same."""

from contextlib import closing

import dagster as dg

from sentiment_platform.features.connection import connect
from sentiment_platform.features.consistency import Consistency, evaluate_consistency
from sentiment_platform.features.schema import DEFAULT_SCHEMA
from sentiment_platform.store.resources import PlatformResource


@dg.asset_check(asset="article_features", description="A sample of vectors reads the same from PostgreSQL and from Redis.")
def offline_and_online_agree(platform: PlatformResource) -> dg.AssetCheckResult:
    """Rows that have expired online are not compared."""
    with closing(connect(platform.settings().require("redis_url"))) as client:
        return _to_result(evaluate_consistency(platform.engine(), client, DEFAULT_SCHEMA, platform.now()))


def _to_result(found: Consistency) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        passed=not found.different,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "compared": found.compared,
            "different": len(found.different),
            "examples": ", ".join(found.different[:10]) or "none",
        },
    )
