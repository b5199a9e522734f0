"""Two sets of probabilities for the same rows, side by side: log loss, macro-F1 and ECE with intervals of their differences.

Tests and p values are `significance`; what follows from a comparison belongs to its caller.
"""

from __future__ import annotations

import math

import msgspec
import numpy as np

from sentiment_platform.statistics.arrays import Classes, Floats, Matrix, as_classes, as_probabilities
from sentiment_platform.statistics.calibration import calibration_gaps, log_losses
from sentiment_platform.statistics.estimate import Estimate
from sentiment_platform.statistics.resampling import N_RESAMPLES, bootstrap_means, percentile_estimate
from sentiment_platform.statistics.significance import Stories, paired_bootstrap, story_of_row

_Z = 1.959964


class ProbabilityFigures(msgspec.Struct, frozen=True):
    """Log loss in nats, macro-F1, and the expected calibration error, of one side."""

    log_loss: float
    macro_f1: float
    ece: float


class ProbabilityComparison(msgspec.Struct, frozen=True, kw_only=True):
    """Differences are B minus A, with 95 % percentile bootstrap intervals over the `n` rows."""

    n: int
    a: ProbabilityFigures
    b: ProbabilityFigures
    log_loss_difference: Estimate
    macro_f1_difference: Estimate
    ece_difference: Estimate


def compare_probabilities(
    y_true: Classes, probabilities_a: Matrix, probabilities_b: Matrix, *, seed: int, n_resamples: int = N_RESAMPLES
) -> ProbabilityComparison:
    """Compare (n, 3) with (n, 3) on labels (n,); both are seen on the same resampled rows.

    Raises:
        PermanentError: shapes or values that are not labels and probabilities of the same rows.
    """
    truth = as_classes(y_true, name="y_true")
    n = int(truth.size)
    sides = [as_probabilities(side, n=n) for side in (probabilities_a, probabilities_b)]
    columns = np.stack([np.column_stack([log_losses(truth, side), calibration_gaps(truth, side)]) for side in sides])
    _, _, width = columns.shape
    sampled = bootstrap_means(np.hstack([columns[0], columns[1]]), seed=seed, n_resamples=n_resamples)
    (loss_a, ece_a), (loss_b, ece_b) = (_loss_and_ece(side.mean(axis=0)) for side in columns)
    (losses_a, eces_a), (losses_b, eces_b) = _loss_and_ece(sampled[:, :width]), _loss_and_ece(sampled[:, width:])
    f1 = paired_bootstrap(truth, sides[0], sides[1], seed=seed, n_resamples=n_resamples)
    return ProbabilityComparison(
        n=n,
        a=ProbabilityFigures(float(loss_a), f1.a, float(ece_a)),
        b=ProbabilityFigures(float(loss_b), f1.b, float(ece_b)),
        log_loss_difference=percentile_estimate(float(loss_b - loss_a), losses_b - losses_a, n=n),
        macro_f1_difference=f1.difference,
        ece_difference=percentile_estimate(float(ece_b - ece_a), eces_b - eces_a, n=n),
    )


def _loss_and_ece(means: Floats) -> tuple[Floats, Floats]:
    return means[..., 0], np.abs(means[..., 1:]).sum(axis=-1)


def log_loss_difference(
    y_true: Classes, probabilities_a: Matrix, probabilities_b: Matrix, *, stories: Stories | None = None
) -> Estimate:
    """Log loss of B less that of A in nats, with the 95 % normal interval of a mean over rows, or over `stories` where named."""
    truth = as_classes(y_true, name="y_true")
    a, b = (log_losses(truth, as_probabilities(side, n=truth.size)) for side in (probabilities_a, probabilities_b))
    lost = b - a
    if stories is not None:
        story = story_of_row(stories, truth.size)
        lost = np.bincount(story, weights=lost) / np.bincount(story)
    mean = float(lost.mean())
    wide = _Z * float(lost.std(ddof=1)) / math.sqrt(lost.size) if lost.size > 1 else math.inf
    return Estimate(mean, mean - wide, mean + wide, n=lost.size)
