"""A comparison of versions as a colleague reads it: the conclusion, one table of pairs, then the reasons. Text only; nothing is computed."""

from collections.abc import Iterable, Sequence

from sentiment_platform.experiments.comparison import Comparison
from sentiment_platform.experiments.evidence import GateEvidence
from sentiment_platform.markdown_tables import markdown_table
from sentiment_platform.statistics.estimate import with_interval

_HEADER = ("version", "against", "verdict", "macro-F1", "difference (95 %)", "alone right", "p after Holm", "score")


def comparison_report(evidence: GateEvidence) -> str:
    """What follows, which pairs the gate read at which level, and those that are only shown; each pair as a row, then in words."""
    read = [pair for pair in evidence.comparisons if pair.read]
    shown = [pair for pair in evidence.comparisons if not pair.read]
    level = f"The gate reads {len(read)} pairs at level {evidence.level:.2g}: attempt {evidence.attempt} of these 365 days."
    parts = [f"**{evidence.proposal.reason}**", level, _pairs(read), *(pair.words() for pair in read)]
    if shown:
        parts += ["## Shown only", "No decision follows from these pairs.", _pairs(shown), *(pair.words() for pair in shown)]
    return "\n\n".join(part for part in parts if part) if evidence.comparisons else evidence.words()


def guardrail_table(pairs: Iterable[Comparison]) -> str:
    """One line a guardrail that has something to say of a pair, those that block first."""
    said = [(pair, guardrail) for pair in pairs for guardrail in pair.guardrails]
    rows = [
        (pair.b, pair.a, guardrail.name.replace("_", " "), "**blocks**" if guardrail.blocks else "told", guardrail.words)
        for pair, guardrail in sorted(said, key=lambda one: not one[1].blocks)
    ]
    return markdown_table(("version", "in the place of", "guardrail", "", "why"), rows, "No guardrail has anything to say.")


def macro_f1_of_newest(evidence: GateEvidence) -> dict[str, float]:
    """Family -> macro-F1 of its newest version in the first pair that compares it."""
    measured = {
        version: value
        for pair in reversed(evidence.comparisons)
        for version, value in ((pair.a, pair.macro_f1.a), (pair.b, pair.macro_f1.b))
    }
    return {family: measured[version] for family, version in evidence.contenders.newest.items() if version in measured}


def _pairs(pairs: Sequence[Comparison]) -> str:
    return markdown_table(_HEADER, [_row(pair) for pair in pairs])


def _row(pair: Comparison) -> tuple[str, ...]:
    alone = f"{pair.mcnemar.only_b_right} / {pair.mcnemar.only_a_right}"
    p = "-" if pair.adjusted_p is None else f"{pair.adjusted_p:.2g}"
    scores = f"{pair.scores[1].value:.3f} / {pair.scores[0].value:.3f}" if pair.scores else "-"
    verdict = f"**{pair.verdict}**" if pair.read else "-"
    difference = with_interval(pair.macro_f1.difference, "+.3f")
    return (pair.b, pair.a, verdict, f"{pair.macro_f1.b:.3f} / {pair.macro_f1.a:.3f}", difference, alone, p, scores)
