"""Checks of a family's newest version, for its entry in the table of families to choose from: was it learned, is it what was released.

Training that cannot learn still ends with a version, so somebody must be told; a release that does not verify stops what follows.
"""

import dagster as dg

from sentiment_platform.models.families import model_asset_name
from sentiment_platform.models.versions.learning_outcome import LearningOutcome, evaluate_learning
from sentiment_platform.models.versions.released import ReleasedVersion, verify_newest_release
from sentiment_platform.registry.access import RegistryAccess
from sentiment_platform.store.resources import PlatformResource


def learning_check(family: str) -> dg.AssetChecksDefinition:
    """The check `<family>_learning_succeeded`: a family that has something to fall back on says so when it had to."""

    @dg.asset_check(
        asset=model_asset_name(family),
        name=f"{family}_learning_succeeded",
        description="The newest version was learned; nothing of an older one had to stand in.",
    )
    def check(platform: PlatformResource) -> dg.AssetCheckResult:
        return learning_result(evaluate_learning(platform.engine(), family))

    return check


def learning_result(outcome: LearningOutcome) -> dg.AssetCheckResult:
    """A warning, with the number of parts that something older stands in for: what stands in has been served before, and whether it is deployed is the gate's business."""
    return dg.AssetCheckResult(
        passed=outcome.warning is None,
        severity=dg.AssetCheckSeverity.WARN,
        description=outcome.warning or f"Everything of {outcome.version or 'the first version, which is to come,'} was learned.",
        metadata={"value": int(outcome.warning is not None), "bound": 0, "version": outcome.version or "none yet"},
    )


def release_check(family: str) -> dg.AssetChecksDefinition:
    """The check `the_released_version_verifies` of `<family>_model`."""

    @dg.asset_check(
        asset=model_asset_name(family),
        name="the_released_version_verifies",
        blocking=True,
        description="The release of the newest version verifies: its signed manifest, and the size and digest of every file.",
    )
    def check(platform: PlatformResource) -> dg.AssetCheckResult:
        return release_result(verify_newest_release(platform.engine(), RegistryAccess(platform.settings()), family))

    return check


def release_result(released: ReleasedVersion) -> dg.AssetCheckResult:
    """Passed where there is a version and nothing is wrong with it."""
    return dg.AssetCheckResult(
        passed=released.verifies,
        description=released.message,
        metadata={
            "value": int(not released.verifies),
            "bound": 0,
            "version": released.version or "none yet",
            "refused_for": released.reason or "nothing",
        },
    )
