"""The two-sample Kolmogorov-Smirnov test: are two samples of one number drawn from the same distribution?

One test on sorted samples. Missing values, many features and decisions belong to `by_feature`.
"""

from __future__ import annotations

import warnings
from typing import Any

import msgspec
import numpy as np

from sentiment_platform.statistics.arrays import Floats

_EXACT_UP_TO = 10_000


class KsResult(msgspec.Struct, frozen=True):
    """`statistic` is the largest distance of the two empirical distribution functions, in [0, 1]."""

    statistic: float
    p_value: float
    n_reference: int
    n_current: int


def ks_of_sorted(reference: Floats, current: Floats) -> KsResult:
    """Two-sided test of samples (n,) and (m,) that are sorted, not empty and free of NaN; equal to `scipy.stats.ks_2samp`.

    The p value is exact up to 10,000 values. With ties (counts, flags) it is too large, so the test errs towards silence.
    """
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
