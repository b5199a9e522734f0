"""The check between evidence and promotion. It blocks: without it green, nothing is deployed."""

import dagster as dg

from sentiment_platform.experiments.offline import standing
from sentiment_platform.registry.access import RegistryAccess
from sentiment_platform.store.resources import PlatformResource

MINIMUM_TEXTS = 50


@dg.asset_check(
    asset="ab_evaluation",
    blocking=True,
    description="Every version answered every holdout text, there are enough of them, and the proposal follows from the verdicts.",
)
def the_verdict_rests_on_evidence(platform: PlatformResource) -> dg.AssetCheckResult:
    found = standing(platform.engine(), RegistryAccess(platform.settings()))
    proposal = found.proposal()
    enough = len(found.labels) >= MINIMUM_TEXTS
    words = " ".join(comparison.words() for comparison in found.comparisons) or "One version alone: the bootstrap rule applies."
    return dg.AssetCheckResult(
        passed=enough and proposal is not None,
        description=words if enough else f"{len(found.labels)} holdout texts; {MINIMUM_TEXTS} are needed.",
        metadata={
            "n": len(found.labels),
            "verdict": words,
            "in_sample": any(comparison.in_sample for comparison in found.comparisons),
            "proposal": proposal.reason if proposal else "none",
        },
    )
