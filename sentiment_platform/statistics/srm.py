"""Whether arms got the shares of units that they should have (sample ratio mismatch): a test that may be looked at any time.

Who is counted, and what follows, belongs to `experiments`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from sentiment_platform.errors import PermanentError
from sentiment_platform.statistics.arrays import Floats

CONCENTRATION = 400.0
"""Of the Dirichlet prior around the planned shares: its weight is within a few points of them, where mismatches are."""
ALARM = 0.001
"""Below this p the shares are wrong. Small, because a mismatch makes every other figure of the phase worthless, and is looked at hourly."""


def log_mismatch_e_value(counts: npt.ArrayLike, weights: Sequence[float], *, concentration: float = CONCENTRATION) -> Floats:
    """Log of the evidence against "each arm gets its weight", of counts (..., arms).

    The likelihood of the counts under a Dirichlet mixture around the weights over that at the weights (Lindon and Malek, 2022,
    "Anytime-valid inference for multinomial count data"). With the right weights it is a martingale that starts at 1: by Ville's
    inequality it passes 1 / alpha at any time with a chance of alpha at most, however often it is looked at.

    Raises:
        PermanentError: counts below 0, other weights than one above 0 for each arm that add up to 1, or no concentration.
    """
    from scipy.special import gammaln

    n, share = np.asarray(counts, dtype=np.float64), np.asarray(weights, dtype=np.float64)
    sound = share.ndim == 1 and n.shape[-1:] == share.shape and bool((share > 0).all()) and abs(float(share.sum()) - 1) < 1e-9
    if not (sound and bool((n >= 0).all()) and concentration > 0):
        raise PermanentError(
            "These are no counts of arms with their weights.", remedy="Pass one count and one weight for each arm."
        )
    prior = concentration * share
    mixture = (
        (gammaln(prior + n) - gammaln(prior)).sum(axis=-1) + gammaln(concentration) - gammaln(concentration + n.sum(axis=-1))
    )
    return np.asarray(mixture - (n * np.log(share)).sum(axis=-1), dtype=np.float64)


def mismatch_p(counts: npt.ArrayLike, weights: Sequence[float], *, concentration: float = CONCENTRATION) -> Floats:
    """p at each of the counts (..., arms), at most 1: 1 / e. What was once below a level stays an alarm, whatever comes later."""
    return np.exp(-np.maximum(log_mismatch_e_value(counts, weights, concentration=concentration), 0.0))
