"""Checks of the models: whether a version was learned, is what was released, and answered its whole holdout.

Training that cannot learn still ends with a version, so somebody must be told; the other two stop what would be built on a hole.
"""

import dagster as dg

from sentiment_platform.models.evaluation.holdout import HoldoutAnswers, evaluate_answers
from sentiment_platform.models.versions.learning_outcome import LearningOutcome, evaluate_learning
from sentiment_platform.models.versions.released import ReleasedVersion, verify_newest_release
from sentiment_platform.registry.access import RegistryAccess
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


@dg.asset_check(
    asset="finbert_model",
    blocking=True,
    description="The release of the newest version verifies: its signed manifest, and the size and digest of every file.",
)
def the_released_version_verifies(platform: PlatformResource) -> dg.AssetCheckResult:
    return release_result(verify_newest_release(platform.engine(), RegistryAccess(platform.settings()), "finbert"))


def release_result(found: ReleasedVersion) -> dg.AssetCheckResult:
    """Passed where there is a version and nothing is wrong with it."""
    metadata = {"version": found.version or "none yet", "refused_for": found.reason or "nothing"}
    return dg.AssetCheckResult(passed=found.verifies, description=found.message, metadata=metadata)


def answers_check(family: str) -> dg.AssetChecksDefinition:
    """The check of `<family>_evaluation`: a comparison over some of the texts would be none."""

    @dg.asset_check(
        asset=f"{family}_evaluation",
        name="every_holdout_text_was_answered",
        blocking=True,
        description="The newest version answered every text of the newest holdout, each by three probabilities.",
    )
    def check(platform: PlatformResource) -> dg.AssetCheckResult:
        return answers_result(evaluate_answers(platform.engine(), family))

    return check


def answers_result(found: HoldoutAnswers) -> dg.AssetCheckResult:
    """Passed where nothing is missing or malformed; some of the ids are named."""
    return dg.AssetCheckResult(
        passed=found.complete,
        metadata={
            "version": found.version or "none yet",
            "holdout_texts": found.asked,
            "missing": len(found.missing),
            "malformed": len(found.malformed),
            "examples": ", ".join((*found.missing, *found.malformed)[:10]) or "none",
        },
    )


vader_answers, finbert_answers = answers_check("vader"), answers_check("finbert")
