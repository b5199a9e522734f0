"""The assets that compare: `ab_evaluation` on the holdout, `online_evaluation` on traffic."""

from collections.abc import Sequence
from typing import Any

import dagster as dg

from sentiment_platform.experiments.comparison import EQUIVALENCE_MARGIN, Comparison
from sentiment_platform.experiments.holdout_comparison import compare_on_holdout, store_comparison
from sentiment_platform.experiments.markdown import comparison_report, guardrail_table, macro_f1_of_newest
from sentiment_platform.experiments.online_gate import next_step
from sentiment_platform.experiments.online_markdown import online_report
from sentiment_platform.experiments.online_reading import evaluate_running
from sentiment_platform.experiments.replay import replay
from sentiment_platform.experiments.standing import holdout_objection
from sentiment_platform.models.families import FAMILIES, evaluation_asset_name
from sentiment_platform.models.pages.drawing import as_markdown
from sentiment_platform.models.pages.plots import differences_png
from sentiment_platform.registry.access import RegistryAccess
from sentiment_platform.statistics.estimate import MACRO_F1, TITLES
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
            "verdict": dg.MetadataValue.md(comparison_report(evidence)),
            "difference": dg.MetadataValue.md(_picture(pairs)),
            "guardrails": dg.MetadataValue.md(guardrail_table(pairs)),
            "disagreement": dg.MetadataValue.md("\n\n".join(compared.disagreement(pair).table() for pair in pairs) or "none"),
            **{f"{family}_macro_f1": value for family, value in macro_f1_of_newest(evidence).items()},
            "in_sample": evidence.in_sample,
            "proposal": evidence.proposal.reason,
            "evidence": digest,
        },
        data_version=dg.DataVersion(digest),
    )


@dg.asset(
    deps=["predictions", "deployment", "labels"],
    group_name="experiments",
    owners=["team:data-science"],
    kinds={"python", "postgres"},
    tags={"stage": "monitoring"},
    description="The experiment that runs: requests answered in shadow, and a verdict that may be looked at any time. Nothing without one.",
)
def online_evaluation(context: dg.AssetExecutionContext, platform: PlatformResource) -> dg.MaterializeResult[Any]:
    replayed = replay(platform.engine(), lambda: RegistryAccess(platform.settings()), platform.now())
    evaluated = evaluate_running(platform.engine(), run_id=context.run.run_id)
    if evaluated is None:
        return dg.MaterializeResult(metadata={"summary": "No experiment runs."}, data_version=dg.DataVersion("no experiment"))
    evaluation, paired = evaluated.evaluation, evaluated.evaluation.paired
    with platform.engine().connect() as connection:
        against = holdout_objection(connection, evaluation)
    return dg.MaterializeResult(
        metadata={
            "summary": f"{evaluation.experiment}, phase {evaluation.phase}: {evaluation.verdict}. {next_step(evaluation, against)}",
            "verdict": dg.MetadataValue.md(online_report(evaluation, against)),
            "challenger": evaluation.challenger,
            "champion": evaluation.champion,
            "answers": evaluation.asked - evaluation.failed,
            "replayed_now": replayed.answered if replayed else 0,
            **({"stories": paired.stories, "e_value": paired.e_value, "p": paired.p} if paired else {}),
            "needs": evaluation.needs or 0,
            "new_version": evaluated.new,
        },
        data_version=dg.DataVersion(evaluated.id),
    )


def _picture(pairs: Sequence[Comparison]) -> str:
    named = [(f"{pair.b}\nagainst {pair.a}", pair.macro_f1.difference) for pair in pairs]
    words = "\n".join(pair.words() for pair in pairs)
    return as_markdown(differences_png(named, metric=TITLES[MACRO_F1], margin=EQUIVALENCE_MARGIN), words) if pairs else "none"
