"""ECE, Brier score, log loss and reliability bins, against small cases worked out by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentiment_platform.errors import PermanentError
from sentiment_platform.statistics.calibration import (
    calibration_report,
    ece_when_calibrated,
    expected_calibration_error,
    log_loss,
    reliability_bins,
)


def drawn_from_their_probabilities(n, seed, sharpen=1.0):
    """Labels drawn from `p`, and what a forecaster claims who is `sharpen` times too sure."""
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=(n, 3)) * 1.5
    p = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    y = (rng.random((n, 1)) > np.cumsum(p, axis=1)).sum(axis=1).clip(0, 2)
    claimed = p**sharpen
    return y, claimed / claimed.sum(axis=1, keepdims=True)


def test_figures_of_four_rows_worked_out_by_hand():
    p = np.array([[0.8, 0.1, 0.1], [0.8, 0.1, 0.1], [0.5, 0.3, 0.2], [0.5, 0.3, 0.2]])
    y = [0, 1, 0, 0]
    # Confidence 0.8 with one of two right: gap 0.3; confidence 0.5 with both right: gap 0.5; equal weights.
    assert expected_calibration_error(y, p) == pytest.approx(0.4)
    assert calibration_report(y, p, seed=0, n_resamples=10).brier.value == pytest.approx((0.06 + 1.46 + 2 * 0.38) / 4)
    assert log_loss(y, p) == pytest.approx(-(np.log(0.8) + np.log(0.1) + 2 * np.log(0.5)) / 4)


def test_a_sure_and_right_forecaster_has_no_error_and_falls_into_the_last_bin():
    bins = reliability_bins([0, 1, 2], np.eye(3))
    assert expected_calibration_error([0, 1, 2], np.eye(3)) == 0.0
    assert bins[-1].count == 3
    assert bins[-1].accuracy == 1.0
    assert bins[0].accuracy is None


def test_bins_are_closed_on_the_right():
    bins = reliability_bins([0], [[0.6, 0.2, 0.2]], n_bins=5)
    assert [b.count for b in bins] == [0, 0, 1, 0, 0]


def test_a_calibrated_forecaster_is_near_zero_and_an_overconfident_one_is_not():
    assert expected_calibration_error(*drawn_from_their_probabilities(20_000, 0)) < 0.02
    assert expected_calibration_error(*drawn_from_their_probabilities(20_000, 0, sharpen=3.0)) > 0.1


def test_the_wilson_interval_equals_scipys():
    from scipy.stats import binomtest

    y = np.array([0] * 7 + [1] * 3)
    filled = next(b for b in reliability_bins(y, np.tile([0.7, 0.2, 0.1], (10, 1))) if b.count)
    reference = binomtest(7, 10).proportion_ci(method="wilson")
    assert (filled.accuracy_low, filled.accuracy_high) == pytest.approx((reference.low, reference.high), abs=1e-12)


def test_the_report_holds_the_same_figures_with_intervals_around_them():
    y, p = drawn_from_their_probabilities(800, 1)
    report = calibration_report(y, p, seed=0)
    assert report.ece == expected_calibration_error(y, p)
    assert report.brier.value == pytest.approx(np.mean(((p - np.eye(3)[y]) ** 2).sum(axis=1)))
    assert report.brier.low < report.brier.value < report.brier.high
    assert report.log_loss.low < report.log_loss.value < report.log_loss.high
    assert report == calibration_report(y, p, seed=0)


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 60), st.integers(0, 10_000), st.integers(1, 30))
def test_ece_stays_in_the_unit_interval_and_bins_hold_every_row(n, seed, n_bins):
    y, p = drawn_from_their_probabilities(n, seed)
    bins = reliability_bins(y, p, n_bins=n_bins)
    assert sum(b.count for b in bins) == n
    by_bins = sum(b.count / n * abs(b.accuracy - b.confidence) for b in bins if b.count)
    assert expected_calibration_error(y, p, n_bins=n_bins) == pytest.approx(by_bins, abs=1e-12)
    assert 0.0 <= by_bins <= 1.0


def test_no_bins_are_refused():
    with pytest.raises(PermanentError, match="n_bins"):
        expected_calibration_error([0], [[1.0, 0.0, 0.0]], n_bins=0)


def test_what_a_calibrated_model_shows_is_met_by_one_and_not_by_a_boastful_one():
    bounds = [
        (expected_calibration_error(*drawn), float(np.quantile(ece_when_calibrated(drawn[1], seed=1, n_draws=200), 0.95)))
        for drawn in (drawn_from_their_probabilities(400, seed) for seed in range(100))
    ]
    assert 0.88 <= np.mean([ece <= bound for ece, bound in bounds]) <= 1.0
    y, boastful = drawn_from_their_probabilities(400, 3, sharpen=3.0)
    assert expected_calibration_error(y, boastful) > ece_when_calibrated(boastful, seed=1).max()
