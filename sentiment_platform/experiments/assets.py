"""The asset `ab_evaluation`: every version that matters now against every other, on the same holdout."""

from typing import Any

import dagster as dg

from sentiment_platform.experiments.offline import Standing, standing, store_comparisons
from sentiment_platform.models.pages.plots import as_markdown, difference_png
from sentiment_platform.registry.access import RegistryAccess
from sentiment_platform.statistics.significance import paired_bootstrap_samples
from sentiment_platform.store.resources import PlatformResource


@dg.asset(
    deps=["vader_evaluation", "finbert_evaluation"],
    group_name="experiments",
    owners=["team:data-science"],
    kinds={"python", "postgres"},
    tags={"stage": "training"},
    description="What runs and what is new, pairwise on the same holdout: exact McNemar, paired bootstrap of macro-F1, verdict in words.",
)
def ab_evaluation(context: dg.AssetExecutionContext, platform: PlatformResource) -> dg.MaterializeResult[Any]:
    found = standing(platform.engine(), RegistryAccess(platform.settings()))
    digest = store_comparisons(platform.engine(), found, context.run.run_id)
    proposal = found.proposal()
    return dg.MaterializeResult(
        metadata={
            "n": len(found.labels),
            "versions": ", ".join(found.probabilities),
            "verdict": dg.MetadataValue.md(
                "\n\n".join(c.words() for c in found.comparisons) or "One version alone: nothing to compare it with."
            ),
            "in_sample": any(c.in_sample for c in found.comparisons),
            "proposal": proposal.reason if proposal else "no version yet",
            "disagreement": dg.MetadataValue.md("\n\n".join(found.disagreement(c).table() for c in found.comparisons) or "none"),
            "difference": dg.MetadataValue.md(
                "\n\n".join(_plot(found, index) for index in range(len(found.comparisons))) or "none"
            ),
        },
        data_version=dg.DataVersion(digest),
    )


def _plot(found: Standing, index: int) -> str:
    comparison = found.comparisons[index]
    a, b = found.probabilities[comparison.a], found.probabilities[comparison.b]
    samples = paired_bootstrap_samples(found.labels, a, b, seed=comparison.macro_f1.seed)
    return as_markdown(difference_png(samples, comparison.macro_f1, names=(comparison.a, comparison.b)), comparison.words())
