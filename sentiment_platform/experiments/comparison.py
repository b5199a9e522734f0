"""Two versions on the same holdout: paired tests and a verdict in words.

A version counts as better only when both agree: the bootstrap interval of the macro-F1 difference lies above zero, and McNemar's
exact test, adjusted for the number of comparisons, rejects that both are right equally often.
"""

from collections.abc import Collection, Mapping, Sequence
from itertools import combinations
from typing import Literal

import msgspec
import numpy as np

from sentiment_platform.errors import PermanentError
from sentiment_platform.statistics.arrays import Floats, Ints
from sentiment_platform.statistics.estimate import interval
from sentiment_platform.statistics.planning import mcnemar_power
from sentiment_platform.statistics.significance import (
    McNemarResult,
    PairedDifference,
    discordant_counts,
    holm,
    mcnemar_exact,
    paired_bootstrap,
)

ALPHA = 0.05
SEED = 20260101
SMALLEST_DIFFERENCE = 0.05
"""Accuracy difference that the reported power is about."""

Verdict = Literal["better", "worse", "no difference shown"]


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """B against A on `n` holdout texts of `training_set`; `adjusted_p` is McNemar's p after Holm over all pairs of the evaluation.

    `seen_by` names those of the two whose base model or starter was trained on labels of this holdout: their figures are no evidence.
    """

    a: str
    b: str
    training_set: str
    n: int
    mcnemar: McNemarResult
    macro_f1: PairedDifference
    adjusted_p: float
    power: float
    verdict: Verdict
    seen_by: tuple[str, ...]

    @property
    def in_sample(self) -> bool:
        """True when either version has seen the holdout, so that the verdict is no evidence."""
        return bool(self.seen_by)

    def words(self) -> str:
        """The verdict as a sentence with its figures."""
        relation = {"better": "is better than", "worse": "is worse than", "no difference shown": "is not shown to differ from"}[
            self.verdict
        ]
        d = self.macro_f1.difference
        return (
            f"{self.b} {relation} {self.a} on {self.n} holdout texts: macro-F1 {self.macro_f1.b:.3f} against {self.macro_f1.a:.3f}, "
            f"difference {d.value:+.3f} (95 % interval {interval(d, '+.3f')}); alone right {self.mcnemar.only_b_right} against "
            f"{self.mcnemar.only_a_right} times, exact McNemar p = {self.mcnemar.p_value:.2g} (Holm {self.adjusted_p:.2g}); "
            f"power to see {SMALLEST_DIFFERENCE:.0%} accuracy: {self.power:.2f}."
            + (f" In-sample, so no evidence: {self.who_has_seen_it()}." if self.in_sample else "")
        )

    def who_has_seen_it(self) -> str:
        """The half-sentence that says why the comparison is in-sample."""
        return f"the base model or the starter of {' and of '.join(self.seen_by)} was trained on labels of this holdout"


def compare_all(
    training_set: str, labels: Ints, probabilities: Mapping[str, Floats], seen_by: Collection[str] = ()
) -> list[Comparison]:
    """Every pair of versions on the same rows.

    Args:
        labels: (n,) true class indices. probabilities: version -> (n, 3), rows in the same order.
        seen_by: the versions whose base model or starter was trained on labels of these rows.

    Raises:
        PermanentError: the versions did not answer the same rows.
    """
    for version, rows in probabilities.items():
        if rows.shape != (len(labels), 3):
            raise PermanentError(
                f"{version} answered {rows.shape[0]} of {len(labels)} holdout texts.", remedy="Materialize its evaluation again."
            )
    pairs = list(combinations(probabilities, 2))
    tests = [mcnemar_exact(*discordant_counts(labels, probabilities[a], probabilities[b])) for a, b in pairs]
    adjusted = holm([test.p_value for test in tests]) if tests else []
    comparisons: list[Comparison] = []
    for (a, b), test, adjusted_p in zip(pairs, tests, adjusted, strict=True):
        difference = paired_bootstrap(labels, probabilities[a], probabilities[b], seed=SEED)
        comparisons.append(
            Comparison(
                a=a,
                b=b,
                training_set=training_set,
                n=len(labels),
                mcnemar=test,
                macro_f1=difference,
                adjusted_p=float(adjusted_p),
                power=_power(test, len(labels)),
                verdict=_verdict(difference, float(adjusted_p)),
                seen_by=tuple(version for version in (a, b) if version in seen_by),
            )
        )
    return comparisons


def _verdict(difference: PairedDifference, adjusted_p: float) -> Verdict:
    if adjusted_p < ALPHA and difference.difference.low > 0:
        return "better"
    if adjusted_p < ALPHA and difference.difference.high < 0:
        return "worse"
    return "no difference shown"


def _power(test: McNemarResult, n: int) -> float:
    discordant = max((test.only_a_right + test.only_b_right) / n, SMALLEST_DIFFERENCE * 1.01)
    return float(mcnemar_power(discordant_share=min(discordant, 1.0), difference=SMALLEST_DIFFERENCE, n=n, alpha=ALPHA))


def find(comparisons: Sequence[Comparison], champion: str, challenger: str) -> tuple[Verdict, Comparison]:
    """The verdict on `challenger` against `champion`, whichever way round the pair was computed, and the comparison that says so.

    Raises:
        PermanentError: the pair was not compared.
    """
    mirrored: dict[Verdict, Verdict] = {"better": "worse", "worse": "better", "no difference shown": "no difference shown"}
    for comparison in comparisons:
        if (comparison.a, comparison.b) == (champion, challenger):
            return comparison.verdict, comparison
        if (comparison.b, comparison.a) == (champion, challenger):
            return mirrored[comparison.verdict], comparison
    raise PermanentError(f"{challenger} was not compared with {champion}.", remedy="Materialize the asset ab_evaluation.")


def as_array(rows: Mapping[str, Sequence[float]], ids: Sequence[str]) -> Floats:
    """(n, 3) in the order of `ids`; ids without a row are left out, which `compare_all` then refuses."""
    return np.array([rows[key] for key in ids if key in rows], dtype=np.float64).reshape(-1, 3)
