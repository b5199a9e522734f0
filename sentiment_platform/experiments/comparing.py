"""The figures of a pair, and the verdict that follows from them. What a comparison says of itself is `comparison`."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np

from sentiment_platform.experiments.comparison import (
    EQUIVALENCE_MARGIN,
    MINIMUM_TEXTS,
    SMALLEST_DIFFERENCE,
    Comparison,
    Verdict,
    blocked_by,
)
from sentiment_platform.experiments.contestants import Contestant, Holdout
from sentiment_platform.experiments.guardrails import guardrails
from sentiment_platform.experiments.scoring import score
from sentiment_platform.statistics.arrays import Floats
from sentiment_platform.statistics.comparison import log_loss_difference
from sentiment_platform.statistics.estimate import Estimate
from sentiment_platform.statistics.planning import mcnemar_power
from sentiment_platform.statistics.significance import (
    McNemarResult,
    PairedDifference,
    discordant_counts,
    mcnemar_exact,
    paired_bootstrap,
)

SEED = 20260101


def compare(holdout: Holdout, a: Contestant, b: Contestant) -> Comparison:
    """The figures of B against A on the texts that neither has learned from; the verdict is still to be given."""
    rows = ~(a.learned | b.learned)
    labels, stories = holdout.labels[rows], holdout.stories[rows]
    said = a.probabilities[rows], b.probabilities[rows]
    common: dict[str, Any] = {
        "a": a.version,
        "b": b.version,
        "training_set": holdout.training_set,
        "n": len(labels),
        "adjusted_p": None,
        "verdict": "not weighed",
        "seen_by": tuple(side.version for side in (a, b) if side.knows_the_set),
        "origins_not_known": tuple(dict.fromkeys((*a.origins_not_known, *b.origins_not_known))),
        "left_out": int((~rows).sum()),
    }
    if not len(labels):
        return Comparison(**common, mcnemar=mcnemar_exact(0, 0), macro_f1=_NOTHING, power=0.0)
    timed = a.technical is not None and b.technical is not None
    log_loss = log_loss_difference(labels, *said, stories=stories)
    return Comparison(
        **common,
        mcnemar=mcnemar_exact(*discordant_counts(labels, *said, stories)),
        macro_f1=paired_bootstrap(labels, *said, seed=SEED, stories=stories),
        power=0.0,
        stories=int(np.unique(stories).size),
        log_loss=log_loss,
        guardrails=guardrails(a, b, labels, said, log_loss),
        scores=(score(a, labels, said[0], latency=timed), score(b, labels, said[1], latency=timed)),
    )


def judged(comparison: Comparison, *, adjusted_p: float, tests: int, level: float) -> Comparison:
    """`comparison` as one of the `tests` that the gate reads at `level`, with its verdict."""
    units = comparison.stories or comparison.n
    return msgspec.structs.replace(
        comparison,
        adjusted_p=adjusted_p,
        tests=tests,
        level=level,
        power=_power(comparison.mcnemar, units, level / tests) if units else 0.0,
        verdict=_verdict(comparison, adjusted_p < level),
    )


def _verdict(comparison: Comparison, differs: bool) -> Verdict:
    difference = comparison.macro_f1.difference
    if comparison.n < MINIMUM_TEXTS:
        return "no difference shown"
    if differs and difference.low > 0:
        return blocked_by(comparison.blocking[0].name) if comparison.blocking else "better"
    if differs and difference.high < 0:
        return "worse"
    if difference.low > -EQUIVALENCE_MARGIN and difference.high < EQUIVALENCE_MARGIN:
        return "equivalent"
    return "no difference shown"


_NOTHING = PairedDifference(
    metric="macro_f1", a=0.0, b=0.0, difference=Estimate(0.0, -1.0, 1.0, 0), p_value=1.0, n_resamples=0, seed=SEED
)


def _power(test: McNemarResult, n: int, alpha: float) -> float:
    discordant = max((test.only_a_right + test.only_b_right) / n, SMALLEST_DIFFERENCE * 1.01)
    return float(mcnemar_power(discordant_share=min(discordant, 1.0), difference=SMALLEST_DIFFERENCE, n=n, alpha=alpha))


def as_array(rows: Mapping[str, Sequence[float]], ids: Sequence[str]) -> Floats:
    """(n, 3) in the order of `ids`; ids without a row are left out, which `contestant` then refuses."""
    return np.array([rows[key] for key in ids if key in rows], dtype=np.float64).reshape(-1, 3)
