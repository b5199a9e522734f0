"""Two sets of probabilities for the same rows, compared."""

import numpy as np
import pytest

from sentiment_platform.statistics.calibration import expected_calibration_error, log_loss
from sentiment_platform.statistics.comparison import compare_probabilities
from sentiment_platform.statistics.significance import paired_bootstrap
from sentiment_platform.statistics.softmax_regression import softmax


def forecasts(n=600, seed=0):
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=(n, 3)) * 1.5
    y = (rng.random((n, 1)) > np.cumsum(softmax(scores), axis=1)).sum(axis=1).clip(0, 2)
    return y, softmax(scores), softmax(3.0 * scores)


def test_figures_equal_those_of_each_side_alone():
    y, good, overconfident = forecasts()
    result = compare_probabilities(y, good, overconfident, seed=0)
    assert result.a.log_loss == pytest.approx(log_loss(y, good))
    assert result.b.ece == pytest.approx(expected_calibration_error(y, overconfident))
    assert result.ece_difference.value == pytest.approx(result.b.ece - result.a.ece)
    assert result.macro_f1_difference == paired_bootstrap(y, good, overconfident, seed=0).difference


def test_overconfidence_costs_log_loss_and_calibration_but_no_f1():
    result = compare_probabilities(*forecasts(), seed=0)
    assert result.log_loss_difference.low > 0
    assert result.ece_difference.low > 0
    assert result.macro_f1_difference.value == 0.0


def test_the_same_side_twice_differs_by_nothing():
    y, good, _ = forecasts()
    result = compare_probabilities(y, good, good, seed=0)
    assert (result.log_loss_difference.low, result.log_loss_difference.high) == (0.0, 0.0)
    assert (result.ece_difference.low, result.ece_difference.high) == (0.0, 0.0)
