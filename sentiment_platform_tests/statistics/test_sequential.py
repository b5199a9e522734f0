"""The paired test that may be looked at any time: its error over many looks, its power, and the formula."""

import numpy as np
import pytest
from scipy import integrate, stats

from sentiment_platform.errors import PermanentError
from sentiment_platform.statistics.sequential import CONCENTRATION, always_valid_p, log_paired_e_value

LOOKS = np.arange(30, 3001, 30)
"""100 looks."""


def counts(runs: int, only_a: float, only_b: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Discordant rows of each run at each look, (runs, 100)."""
    drawn = np.random.default_rng(seed).random((runs, LOOKS[-1]), dtype=np.float32)
    a, b = (np.cumsum(side, axis=1, dtype=np.int32) for side in (drawn < only_a, (drawn >= only_a) & (drawn < only_a + only_b)))
    return a[:, LOOKS - 1], b[:, LOOKS - 1]


def test_two_equal_models_are_told_apart_in_one_of_twenty_runs_at_most_over_a_hundred_looks_and_a_naive_test_in_many() -> None:
    a, b = counts(2000, 0.1, 0.1, seed=1)
    assert (always_valid_p(a, b)[:, -1] < 0.05).mean() <= 0.05
    naive = 2 * stats.binom.cdf(np.minimum(a, b), a + b, 0.5)
    assert (naive < 0.05).any(axis=1).mean() > 0.15


@pytest.mark.parametrize("discordant", [0.15, 0.29])
def test_five_points_are_found_by_three_thousand_rows(discordant: float) -> None:
    a, b = counts(500, (discordant - 0.05) / 2, (discordant + 0.05) / 2, seed=2)
    assert (always_valid_p(a, b)[:, -1] < 0.05).mean() >= 0.95


def test_the_evidence_is_the_likelihood_under_the_prior_over_that_at_one_half() -> None:
    for a, b in ((0, 0), (3, 9), (40, 60)):
        prior = stats.beta(CONCENTRATION, CONCENTRATION)
        mixed, _ = integrate.quad(
            lambda share, a=a, b=b, prior=prior: prior.pdf(share) * (2 * share) ** b * (2 - 2 * share) ** a, 0, 1
        )
        assert log_paired_e_value(a, b) == pytest.approx(np.log(mixed), abs=1e-8)
    assert log_paired_e_value(7, 20) == log_paired_e_value(20, 7)


def test_p_never_rises_again_and_needs_counts() -> None:
    p = always_valid_p(np.array([0, 5, 50, 100]), np.array([0, 40, 60, 100]))
    assert p[0] == 1.0
    assert (np.diff(p) <= 0).all()
    with pytest.raises(PermanentError, match="no evidence"):
        always_valid_p(np.array([-1]), np.array([2]))
