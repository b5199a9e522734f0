"""The interval of a share of independent rows, by the score test (Wilson, 1927): it holds for few rows and near 0 and 1."""

import math

from sentiment_platform.errors import PermanentError
from sentiment_platform.statistics.estimate import Estimate

_Z_95 = 1.959963984540054


def wilson_estimate(hits: float, n: int) -> Estimate:
    """The share `hits` of `n` rows with its 95 % interval; halves of hits are possible, such as ties.

    Raises:
        PermanentError: no row, or hits that are not between 0 and n.
    """
    if n < 1 or not 0 <= hits <= n:
        raise PermanentError(f"{hits} of {n} rows is no share.", remedy="Pass at least one row, and hits from 0 to n.")
    share, spread = hits / n, _Z_95**2 / n
    centre = (share + spread / 2) / (1 + spread)
    half = _Z_95 * math.sqrt(share * (1 - share) / n + spread / (4 * n)) / (1 + spread)
    return Estimate(share, max(0.0, centre - half), min(1.0, centre + half), n)
