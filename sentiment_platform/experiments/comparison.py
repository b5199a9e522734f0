"""Two versions on the same holdout: paired tests, guardrails and a verdict in words.

A version counts as better only when both agree: the bootstrap interval of the macro-F1 difference lies above zero, and McNemar's
exact test, adjusted for the number of tests that the gate reads, is below the level of the attempt. The unit is the story.
How the figures come about is `comparing`; which pairs count, `weighing`.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from sentiment_platform.errors import PermanentError
from sentiment_platform.experiments.guardrails import Guardrail, GuardrailName
from sentiment_platform.experiments.scoring import Score
from sentiment_platform.statistics.estimate import Estimate, interval
from sentiment_platform.statistics.significance import McNemarResult, PairedDifference

ALPHA = 0.05
SMALLEST_DIFFERENCE = 0.05
"""Accuracy difference that power and the number of labels are about."""
EQUIVALENCE_MARGIN = 0.03
"""Of macro-F1: a difference whose interval lies within it, on both sides, is none that matters."""
MINIMUM_TEXTS = 50
"""A verdict on fewer texts is none."""

Verdict = Literal[
    "better",
    "worse",
    "equivalent",
    "no difference shown",
    "not weighed",
    "blocked:log_loss",
    "blocked:latency",
    "blocked:memory",
    "blocked:class_shares",
    "blocked:contrast",
]


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """B against A on `n` holdout texts of `training_set`, which tell `stories` stories (0: nobody knows, each text counts for itself).

    Attributes:
        adjusted_p: McNemar's p after Holm over the `tests` that the gate reads; None for a pair that it does not read.
        level: what it is held against.
        power: chance to see `SMALLEST_DIFFERENCE` with these texts.
        seen_by: those of the two that learned from labels of this holdout, and nobody can say which: their figures are no evidence.
        origins_not_known: versions whose training texts nobody here can name; what they have seen of the holdout could not be left out.
        left_out: holdout texts that one of the two was trained or chosen on; they are not compared.
        log_loss: of B less that of A. scores: of A and of B.
        needs: further stories with labels with which a plan would show `SMALLEST_DIFFERENCE`, or equivalence where that would be seen.
    """

    a: str
    b: str
    training_set: str
    n: int
    mcnemar: McNemarResult
    macro_f1: PairedDifference
    adjusted_p: float | None
    power: float
    verdict: Verdict
    seen_by: tuple[str, ...]
    origins_not_known: tuple[str, ...] = ()
    stories: int = 0
    left_out: int = 0
    tests: int = 1
    level: float = ALPHA
    log_loss: Estimate | None = None
    guardrails: tuple[Guardrail, ...] = ()
    scores: tuple[Score, Score] | None = None
    needs: int | None = None
    needs_for: Literal["difference", "equivalence"] = "difference"

    @property
    def in_sample(self) -> bool:
        """True when either version has seen the holdout, so that the verdict is no evidence."""
        return bool(self.seen_by)

    @property
    def read(self) -> bool:
        """Whether the gate reads the pair."""
        return self.adjusted_p is not None

    @property
    def blocking(self) -> tuple[Guardrail, ...]:
        """The guardrails that B breaks in the place of A."""
        return tuple(guardrail for guardrail in self.guardrails if guardrail.blocks)

    def words(self) -> str:
        """The verdict as sentences with its figures."""
        return " ".join(part for part in (_verdict_words(self), _objections(self), _plan(self), _scores(self)) if part)

    def who_has_seen_it(self) -> str:
        """The half-sentence that says why the comparison is in-sample."""
        return f"the base model or the starter of {' and of '.join(self.seen_by)} was trained on labels of this holdout"


_BLOCKED: Mapping[GuardrailName, Verdict] = {
    "log_loss": "blocked:log_loss",
    "latency": "blocked:latency",
    "memory": "blocked:memory",
    "class_shares": "blocked:class_shares",
    "contrast": "blocked:contrast",
}


def blocked_by(name: GuardrailName) -> Verdict:
    """The verdict on what would be better, and breaks that guardrail."""
    return _BLOCKED[name]


def find(comparisons: Sequence[Comparison], champion: str, challenger: str) -> tuple[Verdict, Comparison]:
    """The verdict on `challenger` against `champion`, whichever way round the pair was computed, and the comparison that says so.

    Raises:
        PermanentError: the pair was not compared.
    """
    for comparison in comparisons:
        if (comparison.a, comparison.b) == (champion, challenger):
            return comparison.verdict, comparison
        if (comparison.b, comparison.a) == (champion, challenger):
            mirrored: dict[Verdict, Verdict] = {"worse": "better", "equivalent": "equivalent", "not weighed": "not weighed"}
            mirrored |= dict.fromkeys(("better", *_BLOCKED.values()), "worse")
            return mirrored.get(comparison.verdict, comparison.verdict), comparison
    raise PermanentError(f"{challenger} was not compared with {champion}.", remedy="Materialize the asset ab_evaluation.")


_RELATIONS = {
    "better": "is better than",
    "worse": "is worse than",
    "equivalent": "is equivalent to",
    "no difference shown": "is not shown to differ from",
    "not weighed": "beside",
}


def _verdict_words(pair: Comparison) -> str:
    relation = _RELATIONS.get(pair.verdict, "is better than")
    d, units = pair.macro_f1.difference, "stories" if 0 < pair.stories < pair.n else "times"
    told = f", {pair.stories} stories, each counting once" if units == "stories" else ""
    left_out = f" ({pair.left_out} that one of the two has learned from are left out)" if pair.left_out else ""
    holm = (
        f" (Holm {pair.adjusted_p:.2g} of {pair.tests}, level {pair.level:.2g}); power to see {SMALLEST_DIFFERENCE:.0%} accuracy: {pair.power:.2f}."
        if pair.adjusted_p is not None
        else "; shown only, the gate does not read this pair."
    )
    margin = f", within the margin of {EQUIVALENCE_MARGIN}" if pair.verdict == "equivalent" else ""
    return (
        f"{pair.b} {relation} {pair.a} on {pair.n} holdout texts{told}{left_out}: macro-F1 {pair.macro_f1.b:.3f} against "
        f"{pair.macro_f1.a:.3f}, difference {d.value:+.3f} (95 % interval {interval(d, '+.3f')}{margin}); alone right "
        f"{pair.mcnemar.only_b_right} against {pair.mcnemar.only_a_right} {units}, exact McNemar p = {pair.mcnemar.p_value:.2g}{holm}"
    )


def _objections(pair: Comparison) -> str:
    said: list[str] = []
    if pair.in_sample:
        said.append(f"In-sample, so no evidence: {pair.who_has_seen_it()}.")
    if pair.origins_not_known:
        said.append(
            f"Which texts {' and '.join(pair.origins_not_known)} learned from could not be determined, since the training set is not "
            "stored here: what was seen of this holdout is not left out."
        )
    if pair.n < MINIMUM_TEXTS:
        said.append(f"A verdict needs {MINIMUM_TEXTS} texts.")
    if pair.verdict.startswith("blocked:"):
        said.append(f"It is {pair.verdict}.")
    for guardrail in pair.guardrails:
        name = guardrail.name.replace("_", " ").capitalize()
        said.append(f"{name}{' (blocks)' if guardrail.blocks else ''}: {guardrail.words}.")
    return " ".join(said)


def _plan(pair: Comparison) -> str:
    if not pair.needs:
        return ""
    points = f"a difference of {100 * SMALLEST_DIFFERENCE:.0f} points of accuracy"
    aim = points if pair.needs_for == "difference" else "that the two are equivalent"
    return f"It needs {pair.needs:,} more labelled {'stories' if 0 < pair.stories < pair.n else 'texts'} to show {aim}."


def _scores(pair: Comparison) -> str:
    if pair.scores is None:
        return ""
    a, b = pair.scores
    w = b.weights
    latency = f" + {w.latency} latency" if b.latency_p95_ms is not None else "; latency left out"
    return f"Weighted score {b.value:.3f} against {a.value:.3f} ({w.accuracy} accuracy + {w.calibration} calibration{latency})."
