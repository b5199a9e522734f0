"""The check of sentiment: stored scores are what the models answer."""

import dagster as dg

from sentiment_platform.registry.access import RegistryAccess
from sentiment_platform.registry.signing import PrivateKeys
from sentiment_platform.sentiment.agreement import BOUND, Compared, VersionAgreement, evaluate_agreement
from sentiment_platform.sentiment.assets import article_sentiment
from sentiment_platform.sentiment.markdown import agreement_table
from sentiment_platform.sentiment.scorers import load_scorer
from sentiment_platform.store.resources import PlatformResource


@dg.asset_check(
    asset=article_sentiment,
    description="The scores that each version stored last, asked anew: of its model one text at a time, and of serving where it runs it.",
)
def scores_are_what_the_models_answer(platform: PlatformResource) -> dg.AssetCheckResult:
    """A sample of each version; one difference makes it red."""
    access, settings = RegistryAccess(platform.settings()), platform.settings()
    return agreement_result(
        evaluate_agreement(
            platform.engine(),
            load=lambda scoring: load_scorer(access, scoring),
            serving_url=settings.serving_url,
            keys=PrivateKeys.parse(settings.signing_keys),
            now=platform.now(),
        )
    )


def agreement_result(agreements: list[VersionAgreement]) -> dg.AssetCheckResult:
    """An error: what is shown of the news is not what the models say."""
    ways = {
        f"{one.version} ({way})": each for one in agreements for way, each in (("model", one.model), ("serving", one.serving))
    }
    asked = {name: compared for name, compared in ways.items() if isinstance(compared, Compared)}
    wrong = [f"{name}: article {compared.article_id}" for name, compared in asked.items() if not compared.agrees]
    largest = max((compared.largest for compared in asked.values()), default=0.0)
    return dg.AssetCheckResult(
        passed=not wrong,
        description="; ".join(wrong) or f"The largest difference is {largest:.1g}, at most {BOUND:g} may be.",
        metadata={
            "value": largest,
            "bound": BOUND,
            "rows_asked_of_models": sum(one.model.rows for one in agreements),
            "rows_asked_of_serving": sum(one.serving.rows for one in agreements if isinstance(one.serving, Compared)),
            "versions": dg.MetadataValue.md(agreement_table(agreements) if agreements else "nothing is scored yet"),
        },
    )
