"""Checks of the feature store: offline and online say the same, and what was served can be computed again."""

from contextlib import closing

import dagster as dg

from sentiment_platform.features.assets import article_features, online_features
from sentiment_platform.features.connection import connect
from sentiment_platform.features.recomputation import Replay, evaluate_replay
from sentiment_platform.features.reconciliation import Comparison, compare
from sentiment_platform.features.schema import active_schemas
from sentiment_platform.store.resources import PlatformResource


@dg.asset_check(asset=article_features, description="Every vector that is online reads the same from PostgreSQL and from Redis.")
def offline_and_online_agree(platform: PlatformResource) -> dg.AssetCheckResult:
    """What has expired or was evicted online is counted, and is no disagreement."""
    schemas = active_schemas(platform.settings().feature_schemas)
    with closing(connect(platform.settings().require("redis_url"))) as client:
        return agreement_result([compare(platform.engine(), client, schema, platform.now()) for schema in schemas])


@dg.asset_check(
    asset=online_features,
    description="The newest served feature vectors, computed again from texts and articles, are equal to the last digit.",
)
def served_vectors_can_be_computed_again(platform: PlatformResource) -> dg.AssetCheckResult:
    """A sample of the last day; one difference makes it red."""
    return replay_result(evaluate_replay(platform.engine(), platform.now()))


def agreement_result(comparisons: list[Comparison]) -> dg.AssetCheckResult:
    """A warning that names examples: reconciliation repairs them within the hour."""
    compared = sum(comparison.compared for comparison in comparisons)
    contradictions = [difference for comparison in comparisons for difference in comparison.contradictions]
    return dg.AssetCheckResult(
        passed=not contradictions,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"{len(contradictions):,} of {compared:,} entities read differently from PostgreSQL and from Redis; none may.",
        metadata={
            "value": len(contradictions),
            "bound": 0,
            "compared": compared,
            "missing_online": sum(comparison.count("missing") for comparison in comparisons),
            "examples": ", ".join(f"{d.entity} ({d.fault})" for d in contradictions[:10]) or "none",
        },
    )


def replay_result(replay: Replay) -> dg.AssetCheckResult:
    """An error: models were given something else than what they were trained on."""
    return dg.AssetCheckResult(
        passed=not replay.different,
        description=f"{len(replay.different):,} of {replay.compared:,} served vectors come out different; none may.",
        metadata={
            "value": len(replay.different),
            "bound": 0,
            "compared": replay.compared,
            "with_context": replay.with_context,
            "examples": "; ".join(
                f"{d.prediction_id} differs from {d.differs_from}: {', '.join(d.features)}" for d in replay.different[:10]
            )
            or "none",
        },
    )
