"""One declared formula of accuracy, calibration and latency; with it the gate chooses where several families are better.

The weights and every input stand in the evidence beside the result: other weights change what is evaluated from then on, and nothing before.
"""

import msgspec
import numpy as np

from sentiment_platform.experiments.contestants import Contestant
from sentiment_platform.experiments.guardrails import LATENCY_BUDGET_MS
from sentiment_platform.statistics.arrays import Floats, Ints
from sentiment_platform.statistics.calibration import expected_calibration_error
from sentiment_platform.statistics.metrics import predicted_classes


class Weights(msgspec.Struct, frozen=True):
    """Of the three parts, each of which lies between 0 and 1. They add up to 1."""

    accuracy: float = 0.7
    calibration: float = 0.2
    latency: float = 0.1

    def __post_init__(self) -> None:
        if (
            min(self.accuracy, self.calibration, self.latency) < 0
            or abs(self.accuracy + self.calibration + self.latency - 1) > 1e-9
        ):
            raise ValueError("the weights of a score are not negative and add up to 1")


WEIGHTS = Weights()


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """accuracy * a + calibration * (1 - ECE) + latency * budget / (budget + p95), with `weights`, the inputs and the `value`.

    Where the latency of either side is not known (None), the other two parts share its weight.
    """

    version: str
    value: float
    accuracy: float
    ece: float
    latency_p95_ms: float | None
    latency_budget_ms: float
    weights: Weights


def score(side: Contestant, labels: Ints, said: Floats, *, latency: bool = True, weights: Weights = WEIGHTS) -> Score:
    """The score of `side`, which `said` (n, 3) on texts with `labels` (n,); without `latency` that part is left out."""
    accuracy = float((predicted_classes(said) == labels).mean())
    ece = expected_calibration_error(labels, said)
    p95 = side.technical.latency_p95_ms if side.technical and latency else None
    parts = [(weights.accuracy, accuracy), (weights.calibration, 1 - ece)]
    if p95 is not None:
        parts.append((weights.latency, LATENCY_BUDGET_MS / (LATENCY_BUDGET_MS + p95)))
    whole = sum(weight for weight, _ in parts)
    value = sum(weight * part for weight, part in parts) / whole if whole else float(np.mean([part for _, part in parts]))
    return Score(
        version=side.version,
        value=value,
        accuracy=accuracy,
        ece=ece,
        latency_p95_ms=p95,
        latency_budget_ms=LATENCY_BUDGET_MS,
        weights=weights,
    )
