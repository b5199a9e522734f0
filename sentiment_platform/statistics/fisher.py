"""Whether one share is larger than another: Fisher's exact test, one-sided.

Source: Fisher, "The Design of Experiments", 1935, chapter 2; the tail of the hypergeometric distribution.
"""

import numpy as np

from sentiment_platform.statistics.arrays import Floats


def larger_share_p(hits: int, n: int, other_hits: int, other_n: int) -> float:
    """P(at least `hits` of the first `n` fall to them by chance), given the hits of both samples together.

    Args:
        hits, n: of the sample whose share might be the larger one. other_hits, other_n: of the other.
    """
    drawn, whole = hits + other_hits, n + other_n
    k = np.arange(max(hits, drawn - other_n), min(n, drawn) + 1, dtype=np.float64)
    chances = np.exp(_log_choose(n, k) + _log_choose(other_n, drawn - k) - _log_choose(whole, np.array([float(drawn)])))
    return min(1.0, float(chances.sum()))


def _log_choose(n: int, k: Floats) -> Floats:
    from scipy.special import gammaln

    return np.asarray(gammaln(n + 1.0) - gammaln(k + 1.0) - gammaln(n - k + 1.0), dtype=np.float64)
