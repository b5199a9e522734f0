"""Shares of arms: the alarm over many looks, what it finds, the formula, and a test that may not be looked at often as the control."""

import numpy as np
import pytest
from scipy import stats

from sentiment_platform.errors import PermanentError
from sentiment_platform.statistics.sequential import log_paired_e_value
from sentiment_platform.statistics.srm import ALARM, CONCENTRATION, log_mismatch_e_value, mismatch_p

LOOKS = np.arange(200, 20_001, 200)
"""100 looks."""


def counts(runs: int, share: float, seed: int) -> np.ndarray:
    """Units of both arms of each run at each look, (runs, 100, 2)."""
    first = np.random.default_rng(seed).binomial(200, share, (runs, LOOKS.size)).cumsum(axis=1)
    return np.stack([first, LOOKS - first], axis=-1)


def test_right_shares_raise_an_alarm_in_one_of_fifteen_hundred_runs_at_most_and_chi_square_in_many_more() -> None:
    units = counts(1500, 0.5, seed=1)
    alarms = (mismatch_p(units, (0.5, 0.5)) < ALARM).any(axis=1).sum()
    statistic = ((units - units.sum(axis=-1, keepdims=True) / 2) ** 2 / (units.sum(axis=-1, keepdims=True) / 2)).sum(axis=-1)
    naive = (stats.chi2.sf(statistic, 1) < ALARM).any(axis=1).sum()
    assert alarms <= 1
    assert naive >= 8


def test_52_to_48_is_found_by_20_000_units_in_nine_of_ten_runs() -> None:
    assert (mismatch_p(counts(500, 0.52, seed=2), (0.5, 0.5)) < ALARM).any(axis=1).mean() >= 0.9


def test_uneven_weights_and_more_arms_are_held_against_their_own_shares() -> None:
    rng = np.random.default_rng(3)
    weights = (0.1, 0.2, 0.7)
    assert (mismatch_p(rng.multinomial(20_000, weights, 300), weights) < ALARM).sum() <= 1
    assert (mismatch_p(rng.multinomial(20_000, (0.12, 0.2, 0.68), 300), weights) < ALARM).mean() >= 0.9


def test_with_two_equal_arms_it_is_the_paired_test_with_its_prior() -> None:
    for a, b in ((0, 0), (3, 9), (400, 600)):
        expected = log_paired_e_value(a, b, concentration=CONCENTRATION / 2)
        assert log_mismatch_e_value((a, b), (0.5, 0.5)) == pytest.approx(expected, abs=1e-9)
    expected = stats.dirichlet_multinomial.logpmf([5, 9, 30], [40, 80, 280], 44) - stats.multinomial.logpmf(
        [5, 9, 30], 44, [0.1, 0.2, 0.7]
    )
    assert log_mismatch_e_value((5, 9, 30), (0.1, 0.2, 0.7)) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    ("units", "weights"), [((-1, 2), (0.5, 0.5)), ((1, 2, 3), (0.5, 0.5)), ((1, 2), (0.5, 0.6)), ((1, 2), (1.0, 0.0))]
)
def test_what_is_no_count_of_arms_is_refused(units: tuple[int, ...], weights: tuple[float, ...]) -> None:
    with pytest.raises(PermanentError, match="one weight for each arm"):
        mismatch_p(units, weights)
