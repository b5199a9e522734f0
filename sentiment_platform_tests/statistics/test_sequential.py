"""The paired test that may be looked at any time: its error over many looks, its power, and the formula."""

from fractions import Fraction
from math import factorial, log

import numpy as np
import pytest
from scipy import integrate, stats

from sentiment_platform.errors import PermanentError
from sentiment_platform.statistics.sequential import CONCENTRATION, always_valid_p, further_rows, log_paired_e_value

LOOKS = np.arange(30, 3001, 30)
"""100 looks."""


def counts(runs: int, only_a: float, only_b: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Discordant rows of each run at each look, (runs, 100)."""
    a, b = (np.cumsum(side, axis=1, dtype=np.int32) for side in drawn(runs, int(LOOKS[-1]), only_a, only_b, seed))
    return a[:, LOOKS - 1], b[:, LOOKS - 1]


def drawn(runs: int, rows: int, only_a: float, only_b: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows that only A, and rows that only B, got right, (runs, rows)."""
    numbers = np.random.default_rng(seed).random((runs, rows), dtype=np.float32)
    return numbers < only_a, (numbers >= only_a) & (numbers < only_a + only_b)


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


def test_the_evidence_is_the_exact_ratio_of_whole_numbers() -> None:
    """Beta functions of whole numbers are ratios of factorials: no floating point until the last step."""
    c = int(CONCENTRATION)

    def beta(x: int, y: int) -> Fraction:
        return Fraction(factorial(x - 1) * factorial(y - 1), factorial(x + y - 1))

    for a, b in ((0, 0), (1, 0), (7, 18), (120, 80), (400, 380)):
        mixed = beta(c + a, c + b) / beta(c, c) * 2 ** (a + b)
        exact = log(mixed.numerator) - log(mixed.denominator)
        assert float(log_paired_e_value(a, b)) == pytest.approx(exact, abs=1e-10)


def test_the_plan_from_counts_so_far_is_kept_by_runs_that_go_on_from_them() -> None:
    more = further_rows(20, 24, 200, difference=0.05, level=0.05)
    assert more is not None
    discordant = (20 + 24 + 4) / (200 + 20)
    a, b = (np.cumsum(side, axis=1) for side in drawn(1000, more, (discordant - 0.05) / 2, (discordant + 0.05) / 2, seed=5))
    found = (log_paired_e_value(20 + a, 24 + b).max(axis=1) >= np.log(20)).mean()
    assert 0.8 <= found <= 0.97
    assert more < (further_rows(0, 0, 0, difference=0.05, level=0.05) or 0)
    assert further_rows(0, 0, 0, difference=0.001, level=0.05) is None


def test_p_never_rises_again_and_needs_counts() -> None:
    p = always_valid_p(np.array([0, 5, 50, 100]), np.array([0, 40, 60, 100]))
    assert p[0] == 1.0
    assert (np.diff(p) <= 0).all()
    with pytest.raises(PermanentError, match="no evidence"):
        always_valid_p(np.array([-1]), np.array([2]))
