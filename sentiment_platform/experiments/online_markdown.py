"""A running experiment as a colleague reads it: verdict and next step, a table of the two versions, guardrails. Text only."""

from sentiment_platform.experiments.online_evaluation import OnlineEvaluation
from sentiment_platform.experiments.online_gate import next_step
from sentiment_platform.markdown_tables import markdown_table
from sentiment_platform.models.family import LABELS


def online_report(evaluation: OnlineEvaluation, against: str | None = None) -> str:
    """The page of `online_evaluation`. `against`: what the holdout says against the challenger."""
    return "\n\n".join(
        [
            f"**{evaluation.experiment}, phase {evaluation.phase}: {evaluation.verdict}.** {next_step(evaluation, against)}",
            _versions(evaluation),
            evaluation.words(),
            *_changes(evaluation),
            markdown_table(
                ("guardrail", "", "why"),
                [
                    (one.name.replace("_", " "), "**blocks**" if one.blocks else "told", one.words)
                    for one in sorted(evaluation.guardrails, key=lambda one: not one.blocks)
                ],
                "No guardrail has anything to say.",
            ),
        ]
    )


def _versions(evaluation: OnlineEvaluation) -> str:
    paired = evaluation.paired
    if paired is None:
        rows = [
            (arm.name, arm.version, f"{arm.weight:.1%}", f"{arm.units:,}", f"{arm.answers:,}", f"{arm.degraded:,}")
            for arm in evaluation.arms
        ]
        return markdown_table(("arm", "version", "planned", "units", "answers", "degraded"), rows)
    n = f"{paired.stories:,}"
    return markdown_table(
        ("version", "role", "labelled stories", "right", "alone right"),
        [
            (evaluation.champion, "served", n, f"{paired.right_a:,}", f"{paired.only_a_right:,}"),
            (evaluation.challenger, "in shadow", n, f"{paired.right_b:,}", f"{paired.only_b_right:,}"),
        ],
    )


def _changes(evaluation: OnlineEvaluation) -> list[str]:
    """What of the answers would be others."""
    if not any(map(sum, evaluation.answers)):
        return []
    rows = [(f"served {label}", *(f"{n:,}" for n in counts)) for label, counts in zip(LABELS, evaluation.answers, strict=True)]
    return [markdown_table(("answers", *(f"in shadow {label}" for label in LABELS)), rows)]
