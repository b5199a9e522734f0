"""What must not get worse while an experiment runs: each guardrail blocks by name, or says why it cannot judge. Bounds: `guardrails`."""

from collections.abc import Sequence
from typing import Literal

import msgspec
import numpy as np

from sentiment_platform.experiments.guardrails import (
    FEWEST_OF_A_CLASS,
    LATENCY_BUDGET_MS,
    LEAST_ANSWERED,
    MOST_TIMES_AS_SLOW,
    SLOWER_MS,
)
from sentiment_platform.models.family import LABELS
from sentiment_platform.statistics.arrays import Floats, Ints
from sentiment_platform.statistics.metrics import predicted_classes
from sentiment_platform.statistics.srm import ALARM, mismatch_p

OnlineGuardrailName = Literal["latency", "class_shares", "failures", "degraded", "log_loss", "shares_of_arms"]

FEWEST_TIMED = 100
"""Answers whose latency says something of the 95th percentile."""
MOST_FAILED, FEWEST_FAILED = 0.01, 5
"""A version fails too often above both: a share of its answers, and a number."""
MOST_DEGRADED = 0.02
"""So much more of the answers of an arm may be degraded than in the control."""
FEWEST_JUDGED = 30
"""Labelled units below which log loss is not judged."""


class OnlineGuardrail(msgspec.Struct, frozen=True):
    """One guardrail and what it says, in words."""

    name: OnlineGuardrailName
    blocks: bool
    words: str


def latency(old_p95_ms: float | None, new_p95_ms: float | None, *, timed: int, one_family: bool) -> OnlineGuardrail | None:
    """The 95th percentile of the challenger's own time against the champion's, or against the budget where they are of two families.

    Args:
        timed: answers of the challenger whose time was measured where it serves, or would serve.
    """
    if timed < FEWEST_TIMED or new_p95_ms is None or (one_family and old_p95_ms is None):
        return OnlineGuardrail(
            "latency", False, f"{timed} answers were timed in serving, {FEWEST_TIMED} are needed to judge latency"
        )
    if one_family and old_p95_ms is not None:
        bound = max(MOST_TIMES_AS_SLOW * old_p95_ms, old_p95_ms + SLOWER_MS)
        words = f"a text takes {new_p95_ms:.1f} ms (p95) instead of {old_p95_ms:.1f} ms; {bound:.1f} ms are allowed"
    else:
        bound, words = LATENCY_BUDGET_MS, f"a text takes {new_p95_ms:.1f} ms (p95), the budget is {LATENCY_BUDGET_MS:.0f} ms"
    return OnlineGuardrail("latency", True, words) if new_p95_ms > bound else None


def class_shares(champion: Floats, challenger: Floats) -> list[OnlineGuardrail]:
    """Classes that vanished: the champion names them often, the challenger hardly. Probabilities (n, 3) and (m, 3), n and m any."""
    if not (len(champion) and len(challenger)):
        return []
    old, new = (np.bincount(predicted_classes(said), minlength=len(LABELS)) for said in (champion, challenger))
    expected = old * len(challenger) / len(champion)
    vanished = (expected >= FEWEST_OF_A_CLASS) & (new < LEAST_ANSWERED * expected)
    return [
        OnlineGuardrail("class_shares", True, f"it calls {new[i]} texts {LABELS[i]} where {expected[i]:.0f} were expected")
        for i in np.flatnonzero(vanished).tolist()
    ]


def failures(asked: int, failed: int) -> OnlineGuardrail | None:
    """Whether the challenger fails too often."""
    if failed < FEWEST_FAILED or failed <= MOST_FAILED * asked:
        return None
    return OnlineGuardrail("failures", True, f"it failed {failed} of {asked} requests; {MOST_FAILED:.0%} may fail")


def degraded(of_control: float, of_challenger: float) -> OnlineGuardrail | None:
    """Whether more of the challenger's answers are degraded than of the control's; shares."""
    if of_challenger <= of_control + MOST_DEGRADED:
        return None
    words = f"{of_challenger:.1%} of its answers are degraded, {of_control:.1%} of the control's; {MOST_DEGRADED:.0%} more are allowed"
    return OnlineGuardrail("degraded", True, words)


def log_loss(labels: Ints, champion: Floats, challenger: Floats) -> OnlineGuardrail | None:
    """Whether the challenger's probabilities fit worse: the 95 % interval of the mean paired difference lies above zero."""
    n = len(labels)
    if n < FEWEST_JUDGED:
        return None
    old, new = (-np.log(np.clip(said[np.arange(n), labels], 1e-6, 1.0)) for said in (champion, challenger))
    difference = new - old
    mean, half = float(difference.mean()), 1.96 * float(difference.std(ddof=1)) / n**0.5
    if mean - half <= 0:
        return None
    return OnlineGuardrail("log_loss", True, f"its log loss is worse by {mean:.3f} ({mean - half:.3f} to {mean + half:.3f})")


def shares_of_arms(units: Sequence[int], weights: Sequence[float], in_two_arms: int) -> OnlineGuardrail | None:
    """Whether arms got other shares of the units than planned, or units changed arms: then no figure of the phase can be believed."""
    if in_two_arms:
        words = f"{in_two_arms} units were answered by two arms; assignment is sticky, so something assigns otherwise"
        return OnlineGuardrail("shares_of_arms", True, words)
    p = float(mismatch_p(list(units), list(weights)))
    if p >= ALARM:
        return None
    got, planned = (", ".join(f"{share:.1%}" for share in shares) for shares in (np.array(units) / sum(units), weights))
    words = f"the arms got {got} of {sum(units):,} units where {planned} were planned (always-valid p = {p:.2g})"
    return OnlineGuardrail("shares_of_arms", True, words)
