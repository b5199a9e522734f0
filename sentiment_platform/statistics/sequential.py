"""Whether one classifier beats another while labels still arrive: a paired test that may be looked at any time.

Tests of a fixed sample size are `significance`. Who is asked, and what follows, belongs to `experiments`.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from sentiment_platform.errors import PermanentError
from sentiment_platform.statistics.arrays import Floats

CONCENTRATION = 20.0
"""Of the prior Beta(c, c) over the share of discordant rows that go to B: most of its weight is between 0.35 and 0.65, where models differ."""


def log_paired_e_value(
    only_a_right: npt.ArrayLike, only_b_right: npt.ArrayLike, *, concentration: float = CONCENTRATION
) -> Floats:
    """Log of the evidence against "both are right equally often", of counts of any shape.

    The likelihood of the discordant rows under a Beta mixture over that at 1/2 (Robbins, 1970, "Statistical methods related to the law
    of the iterated logarithm"). Under equality it is a martingale that starts at 1, so that by Ville's inequality it passes 1 / alpha at
    any time with a chance of alpha at most, however often it is looked at. It does not say which of the two is better.

    Raises:
        PermanentError: counts below 0, or a concentration that is not above 0.
    """
    from scipy.special import betaln

    a, b = np.asarray(only_a_right, dtype=np.float64), np.asarray(only_b_right, dtype=np.float64)
    if not (bool((a >= 0).all()) and bool((b >= 0).all()) and concentration > 0):
        raise PermanentError("Counts below 0, or no concentration, are no evidence.", remedy="Pass counts of rows.")
    mixture = betaln(concentration + a, concentration + b) - betaln(concentration, concentration)
    return np.asarray(mixture + (a + b) * math.log(2.0), dtype=np.float64)


def always_valid_p(only_a_right: npt.ArrayLike, only_b_right: npt.ArrayLike, *, concentration: float = CONCENTRATION) -> Floats:
    """p after each look, shape as the counts (..., looks), which only fall: the smallest 1 / e so far, at most 1."""
    evidence = log_paired_e_value(only_a_right, only_b_right, concentration=concentration)
    return np.exp(-np.maximum(np.maximum.accumulate(evidence, axis=-1), 0.0))


def further_rows(
    only_a_right: int,
    only_b_right: int,
    rows: int,
    *,
    difference: float,
    level: float,
    chance: float = 0.85,
    seed: int = 20260101,
    runs: int = 400,
    most: int = 20_000,
) -> int | None:
    """How many more rows the test needs, after `rows` of them, to pass with that chance if the two differ by `difference` of accuracy.

    By simulation from the counts so far. The share of discordant rows is the one that was seen, drawn towards one in five while there
    are few. None where `most` would not do.
    """
    discordant = min(1.0, max((only_a_right + only_b_right + 4) / (rows + 20), difference))
    sizes = np.unique(np.geomspace(10, most, 60).astype(np.int64))
    steps = np.diff(sizes, prepend=0)
    rng = np.random.default_rng(seed)
    fallen = rng.binomial(steps, discordant, (runs, steps.size))
    to_b = rng.binomial(fallen, (discordant + difference) / (2 * discordant)).cumsum(axis=1)
    evidence = log_paired_e_value(only_a_right + fallen.cumsum(axis=1) - to_b, only_b_right + to_b)
    passed = np.maximum.accumulate(evidence >= -math.log(level), axis=1).mean(axis=0)
    return int(sizes[passed >= chance][0]) if bool((passed >= chance).any()) else None
