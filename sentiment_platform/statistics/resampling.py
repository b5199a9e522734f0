"""The bootstrap, twice: over counts (exact and independent of n) and over rows (for means of per-row columns).

What is resampled and which figure is formed from it belongs to the caller. Rows count as independent draws: where many rows tell
one story, count stories, or pass one row a story; otherwise the intervals are too narrow.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sentiment_platform.errors import PermanentError
from sentiment_platform.statistics.arrays import Floats
from sentiment_platform.statistics.estimate import Estimate

N_RESAMPLES = 2000
_CELLS_AT_ONCE = 4_000_000


def percentile_estimate(value: float, samples: Floats, *, n: int, confidence: float = 0.95) -> Estimate:
    """`value` with the central `confidence` share of `samples` (Efron and Tibshirani, 1993, chapter 13).

    Raises:
        PermanentError: `confidence` is not strictly between 0 and 1.
    """
    if not 0.0 < confidence < 1.0:
        raise PermanentError(f"A confidence of {confidence} is not a share.", remedy="Pass a number such as 0.95.")
    tail = (1.0 - confidence) / 2.0
    low, high = np.quantile(samples, [tail, 1.0 - tail])
    return Estimate(value=float(value), low=float(low), high=float(high), n=n)


def bootstrap_counts(counts: npt.NDArray[np.int64], *, seed: int, n_resamples: int = N_RESAMPLES) -> Floats:
    """Resampled tables, shape (n_resamples, *counts.shape).

    Drawing n rows with replacement and tabulating them is one multinomial draw from the observed table: the same distribution as
    resampling rows, at a cost that does not depend on n.
    """
    n = int(counts.sum())
    draws = np.random.default_rng(seed).multinomial(n, counts.ravel() / n, size=n_resamples)
    return draws.reshape((n_resamples, *counts.shape)).astype(np.float64)


def bootstrap_means(columns: Floats, *, seed: int, n_resamples: int = N_RESAMPLES) -> Floats:
    """Means of the columns (n, k) over resampled rows, shape (n_resamples, k); the columns of one row stay together."""
    n = columns.shape[0]
    rng = np.random.default_rng(seed)
    means = np.empty((n_resamples, columns.shape[1]))
    step = max(1, _CELLS_AT_ONCE // n)
    for start in range(0, n_resamples, step):
        size = min(step, n_resamples - start)
        rows = rng.integers(n, size=(size, n)) + (np.arange(size) * n)[:, None]
        times_drawn = np.bincount(rows.ravel(), minlength=size * n).reshape(size, n)
        means[start : start + size] = times_drawn @ columns / n
    return means
