"""The checks of every family in the table: those that its entry brings, and that its newest version answered the whole holdout."""

import dagster as dg

from sentiment_platform.models.evaluation.holdout import HoldoutAnswers, evaluate_answers
from sentiment_platform.models.families import FAMILIES, evaluation_asset_name, resolve
from sentiment_platform.store.resources import PlatformResource


def answers_check(family: str) -> dg.AssetChecksDefinition:
    """The check of `<family>_evaluation`: a comparison over some of the texts would be none."""

    @dg.asset_check(
        asset=evaluation_asset_name(family),
        name="every_holdout_text_was_answered",
        blocking=True,
        description="The newest version answered every text of the newest holdout, each by three probabilities.",
    )
    def check(platform: PlatformResource) -> dg.AssetCheckResult:
        return answers_result(evaluate_answers(platform.engine(), family))

    return check


def answers_result(answers: HoldoutAnswers) -> dg.AssetCheckResult:
    """Passed where nothing is missing or malformed, and where there is no version that could have answered; some ids are named."""
    open_texts = len(answers.missing) + len(answers.malformed)
    return dg.AssetCheckResult(
        passed=answers.complete or answers.version is None,
        description=f"{open_texts:,} of {answers.asked:,} holdout texts have no answer of {answers.version}; none may."
        if answers.version
        else "There is no version yet that could answer.",
        metadata={
            "value": open_texts,
            "bound": 0,
            "version": answers.version or "none yet",
            "holdout_texts": answers.asked,
            "missing": len(answers.missing),
            "malformed": len(answers.malformed),
            "examples": ", ".join((*answers.missing, *answers.malformed)[:10]) or "none",
        },
    )


# Lists: what Dagster collects from a module are its attributes and the members of its lists.
MODEL_CHECKS: list[dg.AssetChecksDefinition] = [
    resolve(check)(family) for family, entry in FAMILIES.items() for check in entry.checks
]
ANSWERS_CHECKS = [answers_check(family) for family in FAMILIES]
