"""The population stability index: how far the shares of the reference's quantile bins have moved.

One figure on plain samples, with NaN in a bin of its own. Many features and decisions belong to `drift`.
"""

from __future__ import annotations

import msgspec
import numpy as np

from sentiment_platform.errors import PermanentError
from sentiment_platform.statistics.arrays import Floats, Ints

N_BINS = 10
SHARE_FLOOR = 1e-4


class PsiResult(msgspec.Struct, frozen=True):
    """`p_value` is Pearson's chi-square test that both samples fall into the bins alike; PSI itself has no test.

    The index grows with small samples: about (bins - 1)(1/n + 1/m) is expected without any drift (Yurdakul and Naranjo, 2020,
    "Statistical properties of the population stability index"), so a threshold alone raises false alarms on small windows.
    """

    statistic: float
    p_value: float
    n_reference: int
    n_current: int


def population_stability_index(reference: Floats, current: Floats, *, n_bins: int = N_BINS) -> PsiResult:
    """Sum over bins of (q - p) ln(q / p) for shares p of the reference (n,) and q of the current sample (m,), NaN allowed.

    Bins: the reference's quantiles. A value that holds several quantiles (a flag, a constant, many zeros) becomes a bin of its
    own, so that what leaves it is seen. NaN has one more bin. Empty bins count as a share of `SHARE_FLOOR` = 0.0001, on both
    sides, so two empty ones add nothing; shares are not rescaled after that. Infinite values are ordinary, ordered values.

    Raises:
        PermanentError: an empty sample, another shape, fewer than 2 bins.
    """
    a, b = np.sort(np.asarray(reference, dtype=np.float64)), np.sort(np.asarray(current, dtype=np.float64))
    if a.ndim != 1 or b.ndim != 1 or a.size == 0 or b.size == 0:
        raise PermanentError(f"Samples have shapes {a.shape} and {b.shape}.", remedy="Pass non-empty flat arrays.")
    if n_bins < 2:
        raise PermanentError(f"{n_bins} bins cannot show a change.", remedy="Pass n_bins >= 2.")
    return psi_of_sorted(a[: _present(a)], b[: _present(b)], a.size - _present(a), b.size - _present(b), n_bins=n_bins)


def psi_of_sorted(
    reference: Floats, current: Floats, missing_reference: int, missing_current: int, *, n_bins: int = N_BINS
) -> PsiResult:
    """The same for present values already sorted, with the number of missing ones beside them."""
    cuts = _cuts(reference, n_bins)
    counts = np.stack([_counts(reference, cuts, missing_reference), _counts(current, cuts, missing_current)])
    n, m = (int(total) for total in counts.sum(axis=1))
    p, q = np.maximum(counts / counts.sum(axis=1, keepdims=True), SHARE_FLOOR)
    return PsiResult(float(((q - p) * np.log(q / p)).sum()), _homogeneity_p(counts), n, m)


def _cuts(reference: Floats, n_bins: int) -> Floats:
    """Lower bounds of all bins but the first. Quantiles are values of the sample: a monotone transform moves them along."""
    if reference.size == 0:
        return np.empty(0)
    ranks = np.ceil(np.arange(1, n_bins) / n_bins * reference.size).astype(np.int64) - 1
    values, times = np.unique(reference[np.maximum(ranks, 0)], return_counts=True)
    return np.unique(np.concatenate([values, np.nextafter(values[times > 1], np.inf)]))


def _counts(present: Floats, cuts: Floats, missing: int) -> Ints:
    below = np.searchsorted(present, cuts, side="left")
    return np.append(np.diff(below, prepend=0, append=present.size), missing).astype(np.int64)


def _homogeneity_p(counts: Ints) -> float:
    from scipy.special import chdtrc

    table = counts[:, counts.sum(axis=0) > 0].astype(np.float64)
    freedom = table.shape[1] - 1
    if freedom == 0:
        return 1.0
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0) / table.sum()
    return float(chdtrc(freedom, ((table - expected) ** 2 / expected).sum()))


def _present(values: Floats) -> int:
    """How many of the sorted values are numbers; numpy sorts NaN to the end."""
    return int(np.searchsorted(values, np.nan, side="left"))
