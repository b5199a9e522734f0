"""The two-sample Kolmogorov-Smirnov test: are two samples of one number drawn from the same distribution?

One test on plain samples. Missing values, many features and decisions belong to `drift`.
"""

from __future__ import annotations

import warnings
from typing import Any

import msgspec
import numpy as np

from sentiment_platform.errors import PermanentError
from sentiment_platform.statistics.arrays import Floats

_EXACT_UP_TO = 10_000


class KsResult(msgspec.Struct, frozen=True):
    """`statistic` is the largest distance of the two empirical distribution functions, in [0, 1]."""

    statistic: float
    p_value: float
    n_reference: int
    n_current: int


def ks_two_sample(reference: Floats, current: Floats) -> KsResult:
    """Two-sided test of samples (n,) and (m,) without NaN; equal to `scipy.stats.ks_2samp`, exact p up to 10,000 values.

    With ties (counts, flags) p is too large, so the test errs towards silence.

    Raises:
        PermanentError: an empty sample, another shape, NaN.
    """
    return ks_of_sorted(_sorted(reference, "reference"), _sorted(current, "current"))


def ks_of_sorted(reference: Floats, current: Floats) -> KsResult:
    """The same for samples already sorted, non-empty and free of NaN, which a report over many tests has at hand."""
    n, m = reference.size, current.size
    statistic = _largest_distance(reference, current)
    return KsResult(statistic, _p_value(reference, current, statistic), n, m)


def _largest_distance(reference: Floats, current: Floats) -> float:
    pooled = np.concatenate([reference, current])
    gaps = np.searchsorted(reference, pooled, side="right") / reference.size
    gaps -= np.searchsorted(current, pooled, side="right") / current.size
    return float(np.clip(max(gaps.max(), -gaps.min()), 0.0, 1.0))


def _p_value(reference: Floats, current: Floats, statistic: float) -> float:
    from scipy import stats

    n, m = reference.size, current.size
    if max(n, m) <= _EXACT_UP_TO:
        with warnings.catch_warnings():
            # Where the exact sum is numerically out of reach (p near 1) scipy says so and answers with the asymptotic value.
            warnings.filterwarnings("ignore", "ks_2samp: Exact calculation unsuccessful", RuntimeWarning)
            result: Any = stats.ks_2samp(reference, current, method="auto")
        return float(result.pvalue)
    # What ks_2samp does for large samples, without sorting and searching a second time.
    return float(np.clip(stats.kstwo.sf(statistic, np.round(n * m / (n + m))), 0.0, 1.0))


def _sorted(sample: Floats, name: str) -> Floats:
    array = np.sort(np.asarray(sample, dtype=np.float64))
    if array.ndim != 1 or array.size == 0:
        raise PermanentError(f"The {name} sample has shape {array.shape}.", remedy="Pass a non-empty flat array.")
    if np.isnan(array[-1]):
        raise PermanentError(f"The {name} sample holds NaN.", remedy="Leave missing values out.")
    return array
