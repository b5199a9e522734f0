"""Checks of the models: whether a version was learned. Training that cannot learn still ends with a version, so somebody must be told."""

import dagster as dg

from sentiment_platform.models.learning_outcome import LearningOutcome, evaluate_learning
from sentiment_platform.store.resources import PlatformResource


@dg.asset_check(asset="vader_model", description="The newest version was learned; nothing of an older one had to stand in.")
def vader_learning_succeeded(platform: PlatformResource) -> dg.AssetCheckResult:
    return learning_result(evaluate_learning(platform.engine(), "vader"))


def learning_result(found: LearningOutcome) -> dg.AssetCheckResult:
    """A warning: what stands in has been served before, and whether it is deployed is the gate's business."""
    return dg.AssetCheckResult(
        passed=found.warning is None,
        severity=dg.AssetCheckSeverity.WARN,
        description=found.warning,
        metadata={"version": found.version or "none yet"},
    )
