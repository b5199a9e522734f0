"""Does accuracy rise or fall from day to day? The slope of a weighted line through daily shares, with its interval."""

import math
from collections.abc import Sequence

import msgspec
import numpy as np

from sentiment_platform.errors import PermanentError

MIN_DAYS = 5


class Trend(msgspec.Struct, frozen=True):
    """`slope` is the change of the share a day, with its 95 % interval; `days` had labels."""

    slope: float
    low: float
    high: float
    days: int

    @property
    def direction(self) -> str:
        """`falls` or `rises` where the interval leaves out zero, else `steady`."""
        return "falls" if self.high < 0 else "rises" if self.low > 0 else "steady"


def accuracy_trend(days: Sequence[float], right: Sequence[int], labelled: Sequence[int]) -> Trend | None:
    """The trend of `right[i]` of `labelled[i]` on day `days[i]`; None with fewer than `MIN_DAYS` days that have labels.

    Days weigh by their labels. Their spread is that of shares around the line, and never less than that of independent labels: days
    that differ among themselves by more than their labels explain make the interval wider (a dispersion of at least 1, and so Student's t:
    McCullagh and Nelder, "Generalized linear models", 1989, section 4.5).

    Raises:
        PermanentError: more right than labelled, or lengths that differ.
    """
    from scipy.special import stdtrit

    at, hits, counts = (np.asarray(values, dtype=np.float64) for values in (days, right, labelled))
    if not at.size == hits.size == counts.size or (hits > counts).any() or (hits < 0).any():
        raise PermanentError("These are no counts of right answers a day.", remedy="Pass lists of one length, right <= labelled.")
    at, hits, counts = (values[counts > 0] for values in (at, hits, counts))
    if np.unique(at).size < MIN_DAYS:
        return None
    mean = hits.sum() / counts.sum()
    centred = at - np.average(at, weights=counts)
    spread = float((counts * centred**2).sum())
    slope = float((counts * centred * (hits / counts - mean)).sum()) / spread
    variance = max(mean * (1 - mean), 1e-12)
    residual = counts * (hits / counts - mean - slope * centred) ** 2
    dispersion = max(1.0, float(residual.sum()) / variance / (at.size - 2))
    half = float(stdtrit(at.size - 2, 0.975)) * math.sqrt(variance * dispersion / spread)
    return Trend(slope, slope - half, slope + half, int(at.size))
