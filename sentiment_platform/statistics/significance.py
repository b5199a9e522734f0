"""Whether one classifier beats another on the same rows: McNemar, paired bootstrap, power, several tests at once.

Fixed-horizon tests only: looking again and again while data arrive needs an always-valid test, which is another subject.
What follows from a result (promote or not) belongs to `experiments`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import Literal

import msgspec
import numpy as np

from sentiment_platform.errors import PermanentError
from sentiment_platform.statistics.arrays import N_CLASSES, Classes, Floats, Matrix, as_classes, as_probabilities
from sentiment_platform.statistics.estimate import Estimate
from sentiment_platform.statistics.metrics import predicted_classes, ratios
from sentiment_platform.statistics.resampling import N_RESAMPLES, bootstrap_counts, percentile_estimate

PairedMetric = Literal["macro_f1", "accuracy"]


class McNemarResult(msgspec.Struct, frozen=True):
    """`statistic` is the smaller discordant count."""

    only_a_right: int
    only_b_right: int
    method: Literal["exact"]
    statistic: float
    p_value: float


class PairedDifference(msgspec.Struct, frozen=True, kw_only=True):
    """Metric of B minus metric of A on the same rows, with a two-sided bootstrap p value."""

    metric: PairedMetric
    a: float
    b: float
    difference: Estimate
    p_value: float
    n_resamples: int
    seed: int


def discordant_counts(y_true: Classes, probabilities_a: Matrix, probabilities_b: Matrix) -> tuple[int, int]:
    """Rows that only A, and rows that only B, got right."""
    truth = as_classes(y_true, name="y_true")
    right_a, right_b = (predicted_classes(as_probabilities(p, n=truth.size)) == truth for p in (probabilities_a, probabilities_b))
    return int((right_a & ~right_b).sum()), int((right_b & ~right_a).sum())


def mcnemar_exact(only_a_right: int, only_b_right: int) -> McNemarResult:
    """Two-sided exact test that both are right equally often (McNemar, 1947): a binomial test of the discordant rows at 1/2.

    Without discordant rows p is 1.
    """
    from scipy.special import bdtr

    discordant = _discordant(only_a_right, only_b_right)
    fewer = min(only_a_right, only_b_right)
    p_value = 1.0 if 2 * fewer >= discordant else min(1.0, 2.0 * float(bdtr(fewer, discordant, 0.5)))
    return McNemarResult(only_a_right, only_b_right, "exact", float(fewer), p_value)


def paired_bootstrap(
    y_true: Classes,
    probabilities_a: Matrix,
    probabilities_b: Matrix,
    *,
    seed: int,
    metric: PairedMetric = "macro_f1",
    n_resamples: int = N_RESAMPLES,
    confidence: float = 0.95,
) -> PairedDifference:
    """Interval and p value of metric(B) - metric(A), both seen on the same resampled rows.

    p is twice the smaller tail beyond 0, with one added above and below the line so that it is never 0 (Davison and Hinkley,
    1997, section 4.2).

    Raises:
        PermanentError: shapes or values that are not labels and probabilities of the same rows.
    """
    table = _joint_table(y_true, probabilities_a, probabilities_b)
    a, b = _both(table.astype(np.float64), metric)
    samples = paired_bootstrap_samples(
        y_true, probabilities_a, probabilities_b, seed=seed, metric=metric, n_resamples=n_resamples
    )
    tail = min(int((samples <= 0.0).sum()), int((samples >= 0.0).sum()))
    return PairedDifference(
        metric=metric,
        a=float(a),
        b=float(b),
        difference=percentile_estimate(float(b - a), samples, n=int(table.sum()), confidence=confidence),
        p_value=min(1.0, 2.0 * (tail + 1) / (n_resamples + 1)),
        n_resamples=n_resamples,
        seed=seed,
    )


def paired_bootstrap_samples(
    y_true: Classes,
    probabilities_a: Matrix,
    probabilities_b: Matrix,
    *,
    seed: int,
    metric: PairedMetric = "macro_f1",
    n_resamples: int = N_RESAMPLES,
) -> Floats:
    """The resampled differences themselves, shape (n_resamples,), for a histogram; the same as `paired_bootstrap` uses."""
    table = _joint_table(y_true, probabilities_a, probabilities_b)
    a, b = _both(bootstrap_counts(table, seed=seed, n_resamples=n_resamples), metric)
    return b - a


def mcnemar_power(*, discordant_share: float, difference: float, n: int, alpha: float = 0.05) -> float:
    """Probability that the two-sided McNemar test sees an accuracy difference with `n` rows.

    Normal approximation of Connor (1987), "Sample size for testing differences in proportions for the paired-sample design",
    Biometrics 43, 207-211. `discordant_share` is the share of rows that exactly one of the two gets right; it is at least
    |difference|.

    Raises:
        PermanentError: shares that cannot be, or n < 1.
    """
    _check_design(discordant_share, difference, alpha)
    if n < 1:
        raise PermanentError(f"n = {n} rows have no power.", remedy="Pass n >= 1.")
    if discordant_share == 0.0:
        return 0.0
    normal = NormalDist()
    distance = abs(difference) * math.sqrt(n) - normal.inv_cdf(1 - alpha / 2) * math.sqrt(discordant_share)
    spread = math.sqrt(discordant_share - difference**2)
    if spread == 0.0:
        return 1.0 if distance > 0 else 0.0
    return normal.cdf(distance / spread)


def holm(p_values: Sequence[float] | Floats) -> Floats:
    """Adjusted p values, shape (k,), that bound the chance of any false alarm (Holm, 1979)."""
    p, order = _ordered(p_values)
    factors = p.size - np.arange(p.size)
    return _unordered(np.maximum.accumulate(factors * p[order]), order)


def _joint_table(y_true: Classes, probabilities_a: Matrix, probabilities_b: Matrix) -> np.ndarray[tuple[int, ...]]:
    truth = as_classes(y_true, name="y_true")
    a = predicted_classes(as_probabilities(probabilities_a, n=truth.size, name="probabilities_a"))
    b = predicted_classes(as_probabilities(probabilities_b, n=truth.size, name="probabilities_b"))
    cells = np.bincount((truth * N_CLASSES + a) * N_CLASSES + b, minlength=N_CLASSES**3)
    return cells.reshape(N_CLASSES, N_CLASSES, N_CLASSES)


def _both(tables: Floats, metric: PairedMetric) -> tuple[Floats, Floats]:
    """The metric of A and of B from tables (..., truth, a, b)."""
    return getattr(ratios(tables.sum(axis=-1)), metric), getattr(ratios(tables.sum(axis=-2)), metric)


def _discordant(only_a_right: int, only_b_right: int) -> int:
    if only_a_right < 0 or only_b_right < 0:
        raise PermanentError(f"Counts {only_a_right}, {only_b_right} are negative.", remedy="Pass counts of rows.")
    return only_a_right + only_b_right


def _check_design(discordant_share: float, difference: float, alpha: float) -> None:
    if not (0.0 <= abs(difference) <= discordant_share <= 1.0 and 0.0 < alpha < 1.0):
        raise PermanentError(
            f"difference {difference}, discordant share {discordant_share}, alpha {alpha} cannot be together.",
            remedy="The discordant share lies between |difference| and 1, alpha between 0 and 1.",
        )


def _ordered(p_values: Sequence[float] | Floats) -> tuple[Floats, np.ndarray[tuple[int, ...]]]:
    p = np.asarray(p_values, dtype=np.float64)
    # The comparison is written so that NaN fails it.
    if p.ndim != 1 or not bool(((p >= 0.0) & (p <= 1.0)).all()):
        raise PermanentError("p values must be a flat list of numbers from 0 to 1.", remedy="Leave out missing ones.")
    return p, np.argsort(p, kind="stable")


def _unordered(sorted_values: Floats, order: np.ndarray[tuple[int, ...]]) -> Floats:
    adjusted = np.empty_like(sorted_values)
    adjusted[order] = np.minimum(sorted_values, 1.0)
    return adjusted
