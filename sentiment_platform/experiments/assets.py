"""The asset `ab_evaluation`: every version that matters now against every other, on the same holdout."""

from typing import Any

import dagster as dg

from sentiment_platform.experiments.comparison import Comparison
from sentiment_platform.experiments.holdout_comparison import HoldoutComparison, compare_on_holdout, store_comparison
from sentiment_platform.models.families import FAMILIES, evaluation_asset_name
from sentiment_platform.models.pages.drawing import as_markdown
from sentiment_platform.models.pages.plots import difference_png
from sentiment_platform.store.resources import PlatformResource


@dg.asset(
    deps=[evaluation_asset_name(family) for family in FAMILIES],
    group_name="experiments",
    owners=["team:data-science"],
    kinds={"python", "postgres"},
    tags={"stage": "training"},
    description="What runs and what is new, pairwise on the same holdout: exact McNemar and paired bootstrap over stories, guardrails, verdict in words.",
)
def ab_evaluation(context: dg.AssetExecutionContext, platform: PlatformResource) -> dg.MaterializeResult[Any]:
    compared = compare_on_holdout(platform.engine(), platform.now())
    digest = store_comparison(platform.engine(), compared, run_id=context.run.run_id, made_at=platform.now())
    evidence, pairs = compared.evidence(), compared.comparisons
    return dg.MaterializeResult(
        metadata={
            "summary": f"{len(compared.sides)} versions on {evidence.n:,} holdout texts. {evidence.proposal.reason}",
            "n": evidence.n,
            "versions": ", ".join(compared.sides),
            "attempt": evidence.attempt,
            "level": evidence.level,
            "verdict": dg.MetadataValue.md("\n\n".join(pair.words() for pair in pairs) or evidence.words()),
            "in_sample": evidence.in_sample,
            "proposal": evidence.proposal.reason,
            "disagreement": dg.MetadataValue.md("\n\n".join(compared.disagreement(pair).table() for pair in pairs) or "none"),
            "difference": dg.MetadataValue.md("\n\n".join(_plot(compared, pair) for pair in pairs) or "none"),
            "evidence": digest,
        },
        data_version=dg.DataVersion(digest),
    )


def _plot(compared: HoldoutComparison, pair: Comparison) -> str:
    return as_markdown(difference_png(compared.sampled_differences(pair), pair.macro_f1, names=(pair.a, pair.b)), pair.words())
