"""The population stability index: how far the shares of the reference's quantile bins have moved.

One figure on sorted samples, with what is missing in a bin of its own. Many features and decisions belong to `by_feature`.
"""

from __future__ import annotations

import msgspec
import numpy as np

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


def psi_of_sorted(reference: Floats, current: Floats, missing_reference: int, missing_current: int) -> PsiResult:
    """Sum over bins of (q - p) ln(q / p) for shares p of the reference and q of the current sample.

    Bins: the reference's quantiles. A value that holds several quantiles (a flag, a constant, many zeros) becomes a bin of its
    own, so that what leaves it is seen. Missing values have one more bin. Empty bins count as a share of `SHARE_FLOOR` = 0.0001,
    on both sides, so two empty ones add nothing; shares are not rescaled after that. Infinite values are ordinary, ordered values.

    Args:
        reference: the present values (n,), sorted and without NaN; `current` (m,) likewise.
        missing_reference: how many values are missing beside them; each sample has at least one value, present or missing.
    """
    cuts = _cuts(reference)
    counts = np.stack([_counts(reference, cuts, missing_reference), _counts(current, cuts, missing_current)])
    n, m = (int(total) for total in counts.sum(axis=1))
    p, q = np.maximum(counts / counts.sum(axis=1, keepdims=True), SHARE_FLOOR)
    return PsiResult(float(((q - p) * np.log(q / p)).sum()), _homogeneity_p(counts), n, m)


def _cuts(reference: Floats) -> Floats:
    """Lower bounds of all bins but the first. Quantiles are values of the sample: a monotone transform moves them along."""
    if reference.size == 0:
        return np.empty(0)
    ranks = np.ceil(np.arange(1, N_BINS) / N_BINS * reference.size).astype(np.int64) - 1
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
