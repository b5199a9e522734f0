"""The check between evidence and promotion, which blocks: without it green, nothing is deployed. And one on the arms of a split."""

import dagster as dg

from sentiment_platform.experiments.evidence import MINIMUM_TEXTS, NO_EVIDENCE, newest_evidence
from sentiment_platform.experiments.standing import standing
from sentiment_platform.statistics.srm import ALARM
from sentiment_platform.store.resources import PlatformResource


@dg.asset_check(
    asset="ab_evaluation",
    blocking=True,
    description="The stored evidence is what its digest names, it rests on enough holdout texts, and its proposal follows from it.",
)
def the_verdict_rests_on_evidence(platform: PlatformResource) -> dg.AssetCheckResult:
    with platform.engine().connect() as connection:
        recorded = newest_evidence(connection)
    if recorded is None:
        return dg.AssetCheckResult(passed=False, description=NO_EVIDENCE, metadata={"value": 0, "bound": MINIMUM_TEXTS})
    evidence = recorded.evidence
    objection = evidence.objection()
    return dg.AssetCheckResult(
        passed=objection is None,
        description=objection or evidence.words(),
        metadata={
            "value": evidence.n,
            "bound": MINIMUM_TEXTS,
            "verdict": evidence.words(),
            "in_sample": evidence.in_sample,
            "proposal": evidence.proposal.reason,
            "evidence": recorded.digest,
        },
    )


@dg.asset_check(
    asset="online_evaluation", description="Each arm of a split gets its planned share of the units, and no unit two arms."
)
def units_are_shared_as_planned(platform: PlatformResource) -> dg.AssetCheckResult:
    stands = standing(platform.engine())
    wrong = stands is not None and stands.verdict == "blocked:shares_of_arms"
    return dg.AssetCheckResult(
        passed=not wrong,
        severity=dg.AssetCheckSeverity.WARN,
        description=stands.words if stands else "No experiment runs.",
        metadata={"value": stands.verdict if stands else "nothing to judge", "bound": f"always-valid p of at least {ALARM}"},
    )
