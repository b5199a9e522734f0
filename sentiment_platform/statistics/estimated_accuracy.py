"""How right answers are that nobody has labelled: by their own confidence, as far as that has been found to be calibrated.

Source: confidence-based performance estimation, as in Bialek et al., "Estimating model performance under covariate shift without
labels", 2024. With labels accuracy is counted instead: `metrics`.
"""

import math
from collections.abc import Callable

import msgspec
import numpy as np

from sentiment_platform.statistics.arrays import Classes, Floats, Matrix, as_classes, as_probabilities
from sentiment_platform.statistics.calibration import calibration_gaps
from sentiment_platform.statistics.metrics import predicted_classes

_Z_95 = 1.959963984540054
NULL_DRAWS = 1000
LEVEL = 0.05
MIN_LABELS = 200
"""Below so many labels calibration cannot be told from chance: a gap of six points is found in half of the cases only."""


class EstimatedAccuracy(msgspec.Struct, frozen=True, kw_only=True):
    """`value` with its 95 % interval, of `n` answers; `why_not` is empty where it can be relied on."""

    value: float
    low: float
    high: float
    n: int
    why_not: str

    @property
    def is_reliable(self) -> bool:
        """Whether calibration was within what chance explains."""
        return not self.why_not


def estimated_accuracy(answers: Matrix, labels: Classes, labelled: Matrix, *, seed: int = 0) -> EstimatedAccuracy:
    """The share of right ones among `answers` (n, 3), without their labels: the mean of their confidence.

    It is reliable unless on the `labelled` probabilities (m, 3) with their `labels` (m,) the calibration error is larger, or confidence is
    further from accuracy, than it is in 95 % of samples of a perfectly calibrated model of the same confidences.

    Raises:
        PermanentError: shapes or values that are not labels and probabilities.
    """
    truth = as_classes(labels, name="labels")
    judged, asked = as_probabilities(labelled, n=truth.size), as_probabilities(answers, n=len(answers))
    confidence = asked.max(axis=1)
    value, n = float(confidence.mean()), len(asked)
    half = _Z_95 * math.sqrt(float((confidence * (1 - confidence)).mean()) / n)
    why_not = _why_not(truth, judged, seed)
    return EstimatedAccuracy(value=value, low=max(0.0, value - half), high=min(1.0, value + half), n=n, why_not=why_not)


def _why_not(truth: Classes, probabilities: Floats, seed: int) -> str:
    if len(truth) < MIN_LABELS:
        return f"not reliable: {len(truth)} labels, {MIN_LABELS} are needed to judge calibration"
    generator = np.random.default_rng(seed)
    cumulative = probabilities.cumsum(axis=1)
    drawn = [(generator.random((len(probabilities), 1)) > cumulative[:, :2]).sum(axis=1) for _ in range(NULL_DRAWS)]
    reads: tuple[tuple[str, Callable[[Classes], float]], ...] = (
        (
            "the calibration error",
            lambda labels: float(np.abs(calibration_gaps(np.asarray(labels), probabilities).mean(axis=0)).sum()),
        ),
        ("the gap between confidence and accuracy", lambda labels: _gap(np.asarray(labels), probabilities)),
    )
    for name, read in reads:
        seen, bound = read(truth), float(np.quantile([read(labels) for labels in drawn], 1 - LEVEL))
        if seen > bound:
            return f"not reliable: {name} is {seen:.3f} on {len(truth)} labels, chance stays below {bound:.3f}"
    return ""


def _gap(truth: Floats, probabilities: Floats) -> float:
    right = (predicted_classes(probabilities) == truth).mean()
    return abs(float(probabilities.max(axis=1).mean() - right))
