"""Whether probabilities can be believed: reliability bins, expected calibration error, Brier score, log loss.

How often the classifier is right is `metrics`; making probabilities believable is the calibration head in `models`.
"""

from __future__ import annotations

import msgspec
import numpy as np

from sentiment_platform.errors import PermanentError
from sentiment_platform.statistics.arrays import (
    N_CLASSES,
    Classes,
    Floats,
    Ints,
    Matrix,
    as_classes,
    as_probabilities,
)
from sentiment_platform.statistics.estimate import Estimate
from sentiment_platform.statistics.metrics import predicted_classes
from sentiment_platform.statistics.resampling import N_RESAMPLES, bootstrap_means, percentile_estimate
from sentiment_platform.statistics.wilson import wilson_estimate

N_BINS = 15
_SMALLEST_PROBABILITY = 1e-15


class ReliabilityBin(msgspec.Struct, frozen=True, kw_only=True):
    """Rows whose top-label confidence lies in (low, high]; the figures are None where no row does.

    `accuracy_low` and `accuracy_high` are the 95 % Wilson score interval of the accuracy (Wilson, 1927).
    """

    low: float
    high: float
    count: int
    confidence: float | None
    accuracy: float | None
    accuracy_low: float | None
    accuracy_high: float | None


class CalibrationReport(msgspec.Struct, frozen=True):
    """`ece` has no interval on purpose: on resampled rows it is biased upwards, so a percentile interval would miss it."""

    n: int
    ece: float
    brier: Estimate
    log_loss: Estimate
    bins: tuple[ReliabilityBin, ...]


def expected_calibration_error(y_true: Classes, probabilities: Matrix, *, n_bins: int = N_BINS) -> float:
    """Mean gap between confidence and accuracy over equal-width bins of the top-label confidence, in [0, 1].

    Bins are (i/n_bins, (i+1)/n_bins] and weigh by their rows (Guo et al., 2017, "On calibration of modern neural networks",
    equation 3). With few rows it is biased upwards: a perfectly calibrated model does not reach 0.
    """
    truth, matrix = _checked(y_true, probabilities)
    return float(np.abs(calibration_gaps(truth, matrix, n_bins=n_bins).mean(axis=0)).sum())


def log_loss(y_true: Classes, probabilities: Matrix) -> float:
    """Mean negative log probability of the truth, in nats; probabilities count as at least 1e-15."""
    return float(log_losses(*_checked(y_true, probabilities)).mean())


def reliability_bins(y_true: Classes, probabilities: Matrix, *, n_bins: int = N_BINS) -> tuple[ReliabilityBin, ...]:
    """The reliability diagram as numbers: all `n_bins` bins in order, empty ones included."""
    truth, matrix = _checked(y_true, probabilities)
    confidence, right, index = _top_label(truth, matrix, n_bins)
    counts = np.bincount(index, minlength=n_bins)
    confidences = np.bincount(index, weights=confidence, minlength=n_bins)
    hits = np.bincount(index, weights=right, minlength=n_bins)
    return tuple(_bin(i, n_bins, int(counts[i]), float(confidences[i]), float(hits[i])) for i in range(n_bins))


def calibration_report(
    y_true: Classes, probabilities: Matrix, *, seed: int, n_bins: int = N_BINS, n_resamples: int = N_RESAMPLES
) -> CalibrationReport:
    """All of the above from labels (n,) and probabilities (n, 3), with 95 % percentile intervals where they make sense.

    Raises:
        PermanentError: shapes or values that are not labels and probabilities.
    """
    truth, matrix = _checked(y_true, probabilities)
    rows = np.column_stack([squared_errors(truth, matrix), log_losses(truth, matrix)])
    samples = bootstrap_means(rows, seed=seed, n_resamples=n_resamples)
    brier, loss = (percentile_estimate(float(rows[:, i].mean()), samples[:, i], n=int(truth.size)) for i in range(2))
    ece = expected_calibration_error(truth, matrix, n_bins=n_bins)
    return CalibrationReport(int(truth.size), ece, brier, loss, reliability_bins(truth, matrix, n_bins=n_bins))


def ece_when_calibrated(probabilities: Matrix, *, seed: int, n_draws: int = 1000, n_bins: int = N_BINS) -> Floats:
    """The ECE that a perfectly calibrated model shows with these answers (n, 3), in `n_draws` draws, shape (n_draws,).

    Each draw decides by the confidence itself whether the likeliest label of a row is right. So few rows do not pass for bad calibration.
    """
    matrix = as_probabilities(probabilities, n=len(probabilities))
    confidence, _, index = _top_label(np.zeros(len(matrix), dtype=np.int64), matrix, n_bins)
    rng = np.random.default_rng(seed)
    of_bin = np.zeros((confidence.size, n_bins))
    of_bin[np.arange(confidence.size), index] = 1.0
    draws = [
        np.abs((confidence - (rng.random((min(50, n_draws - start), confidence.size)) < confidence)) @ of_bin).sum(axis=1)
        for start in range(0, n_draws, 50)
    ]
    return np.concatenate(draws) / confidence.size


def log_losses(truth: Ints, probabilities: Floats) -> Floats:
    """Negative log probability of the truth by row, shape (n,), nats."""
    return -np.log(np.maximum(probabilities[np.arange(truth.size), truth], _SMALLEST_PROBABILITY))


def squared_errors(truth: Ints, probabilities: Floats) -> Floats:
    """Squared distance to the one-hot truth by row, shape (n,)."""
    return ((probabilities - np.eye(N_CLASSES)[truth]) ** 2).sum(axis=1)


def calibration_gaps(truth: Ints, probabilities: Floats, *, n_bins: int = N_BINS) -> Floats:
    """Confidence minus hit, put in the column of the row's bin, shape (n, n_bins).

    The ECE is the sum of the absolute column means; so resampling it needs only resampled column means.
    """
    confidence, right, index = _top_label(truth, probabilities, n_bins)
    gaps = np.zeros((truth.size, n_bins))
    gaps[np.arange(truth.size), index] = confidence - right
    return gaps


def _checked(y_true: Classes, probabilities: Matrix) -> tuple[Ints, Floats]:
    truth = as_classes(y_true, name="y_true")
    return truth, as_probabilities(probabilities, n=truth.size)


def _top_label(truth: Ints, probabilities: Floats, n_bins: int) -> tuple[Floats, Floats, Ints]:
    if n_bins < 1:
        raise PermanentError(f"{n_bins} bins cannot hold anything.", remedy="Pass n_bins >= 1.")
    confidence = probabilities.max(axis=1)
    right = (predicted_classes(probabilities) == truth).astype(np.float64)
    edges = np.arange(1, n_bins) / n_bins
    return confidence, right, np.searchsorted(edges, confidence, side="left").astype(np.int64)


def _bin(index: int, n_bins: int, count: int, confidences: float, hits: float) -> ReliabilityBin:
    low, high = index / n_bins, (index + 1) / n_bins
    if count == 0:
        return ReliabilityBin(low=low, high=high, count=0, confidence=None, accuracy=None, accuracy_low=None, accuracy_high=None)
    share = wilson_estimate(hits, count)
    return ReliabilityBin(
        low=low,
        high=high,
        count=count,
        confidence=confidences / count,
        accuracy=share.value,
        accuracy_low=share.low,
        accuracy_high=share.high,
    )
