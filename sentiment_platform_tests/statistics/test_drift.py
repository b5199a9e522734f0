"""KS, PSI and the drift of many features at once, against scipy, hand-made bins and simulated windows."""

import math
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2_contingency, ks_2samp

from sentiment_platform.errors import PermanentError
from sentiment_platform.statistics.drift.by_feature import drift_by_feature
from sentiment_platform_tests.statistics.drift_of_one import ks_of, psi_of

NAMES = tuple(f"feature_{i}" for i in range(15))
SAMPLES = st.lists(st.integers(-50, 50).map(float), min_size=1, max_size=80).map(np.asarray)
WITH_MISSING = st.lists(st.one_of(st.integers(-5, 5).map(float), st.just(math.nan)), min_size=1, max_size=80).map(np.asarray)


def psi_of_shares(p, q):
    return sum((b - a) * math.log(b / a) for a, b in zip(p, q, strict=True))


# scipy warns, and falls back to the asymptotic value, where its exact sum is numerically out of reach.
@pytest.mark.filterwarnings("ignore:ks_2samp. Exact calculation unsuccessful:RuntimeWarning")
@settings(max_examples=100, deadline=None)
@given(SAMPLES, SAMPLES)
def test_ks_equals_scipy(a, b):
    mine, reference = ks_of(a, b), ks_2samp(a, b)
    assert mine.statistic == pytest.approx(reference.statistic, abs=1e-12)
    assert mine.p_value == pytest.approx(reference.pvalue, abs=1e-12)
    assert 0.0 <= mine.statistic <= 1.0


@pytest.mark.parametrize(("n", "m"), [(10_001, 500), (30_000, 30_000), (10_000, 9_973)])
def test_ks_equals_scipy_on_large_samples(n, m):
    rng = np.random.default_rng(n)
    a, b = rng.normal(size=n), rng.normal(0.03, size=m)
    mine, reference = ks_of(a, b), ks_2samp(a, b)
    assert mine.statistic == pytest.approx(reference.statistic, abs=1e-12)
    assert mine.p_value == pytest.approx(reference.pvalue, abs=1e-12)


def test_ks_of_samples_far_apart_is_one():
    assert ks_of(np.arange(10_000.0), np.arange(9_973.0) + 1e6).statistic == 1.0


@settings(max_examples=100, deadline=None)
@given(SAMPLES, SAMPLES)
def test_strictly_growing_transforms_change_neither_ks_nor_psi(a, b):
    # Monotone and exactly invertible in floating point, so that no two values collapse.
    def bent(x):
        return x**3 + 2.0 * x

    assert ks_of(bent(a), bent(b)).statistic == ks_of(a, b).statistic
    assert psi_of(bent(a), bent(b)).statistic == pytest.approx(psi_of(a, b).statistic, abs=1e-12)


@settings(max_examples=150, deadline=None)
@given(WITH_MISSING, WITH_MISSING)
def test_psi_is_never_negative_and_zero_on_the_same_sample(a, b):
    assert psi_of(a, b).statistic >= 0.0
    assert 0.0 <= psi_of(a, b).p_value <= 1.0
    same = psi_of(a, np.random.default_rng(0).permutation(a))
    assert (same.statistic, same.p_value) == (0.0, 1.0)


def test_psi_equals_bins_filled_by_hand():
    reference = np.repeat(np.arange(4.0), 25)
    current = np.repeat(np.arange(4.0), [10, 20, 30, 40])
    expected = psi_of_shares([0.25] * 4, [0.1, 0.2, 0.3, 0.4])
    assert psi_of(reference, current).statistic == pytest.approx(expected, abs=1e-12)


def test_psi_counts_an_empty_bin_as_one_in_ten_thousand():
    reference = np.repeat([0.0, 1.0], 50)
    expected = psi_of_shares([0.5, 0.5], [1.0, 1e-4])
    assert psi_of(reference, np.zeros(80)).statistic == pytest.approx(expected, abs=1e-12)


def test_psi_sees_what_leaves_a_constant_on_either_side():
    constant = np.full(100, 3.0)
    assert psi_of(constant, constant[:40]).statistic == 0.0
    for elsewhere in (2.0, 4.0):
        moved = np.where(np.arange(100) < 30, elsewhere, 3.0)
        expected = psi_of_shares([1.0, 1e-4], [0.7, 0.3])
        assert psi_of(constant, moved).statistic == pytest.approx(expected, abs=1e-12)


def test_psi_sees_a_rare_flag_move_although_every_quantile_is_the_other_value():
    for common in (0.0, 1.0):
        reference = np.where(np.arange(200) < 10, 1.0 - common, common)
        current = np.where(np.arange(200) < 80, 1.0 - common, common)
        expected = psi_of_shares([0.05, 0.95], [0.4, 0.6])
        assert psi_of(reference, current).statistic == pytest.approx(expected, abs=1e-12)


def test_missing_values_have_their_own_bin():
    full, holed = np.ones(100), np.where(np.arange(100) < 40, np.nan, 1.0)
    expected = psi_of_shares([1.0, 1e-4], [0.6, 0.4])
    assert psi_of(full, holed).statistic == pytest.approx(expected, abs=1e-12)
    assert psi_of(full * np.nan, full).statistic > 5


def test_the_p_value_of_psi_is_pearsons():
    a, b = np.repeat(np.arange(4.0), 25), np.repeat(np.arange(4.0), [10, 20, 30, 40])
    table = [[25, 25, 25, 25], [10, 20, 30, 40]]
    reference = chi2_contingency(table, correction=False).pvalue
    assert psi_of(a, b).p_value == pytest.approx(reference, rel=1e-9)


def windows(n, m, seed, k=15):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, k)), rng.normal(size=(m, k))


def test_a_feature_shifted_by_one_deviation_is_named_and_no_other():
    for seed in range(20):
        reference, current = windows(1000, 1000, seed)
        current[:, 4] += 1.0
        rows = drift_by_feature(reference, current, NAMES)
        assert {row.feature for row in rows if row.drifted} == {"feature_4"}
        shifted = next(row for row in rows if row.feature == "feature_4" and row.test == "ks")
        assert shifted.effect_size == pytest.approx(1.0, abs=0.15)


def test_half_a_deviation_in_a_thousand_rows_is_seen_in_ninety_five_of_a_hundred():
    seen = 0
    for seed in range(100):
        reference, current = windows(1000, 1000, seed, k=5)
        current[:, 2] += 0.5
        seen += any(row.drifted and row.feature == "feature_2" for row in drift_by_feature(reference, current, NAMES[:5]))
    assert seen >= 95


@pytest.mark.slow
@pytest.mark.parametrize("m", [60, 300])
def test_of_500_windows_without_drift_at_most_one_in_twenty_raises_an_alarm(m):
    # Every third feature is a rare flag and every fifth is often missing, where bins run empty.
    alarms = naive = 0
    for seed in range(500):
        reference, current = windows(1000, m, seed)
        for sample in (reference, current):
            sample[:, ::3] = sample[:, ::3] > 1.8
            sample[:, ::5] = np.where(sample[:, 1:2] > 0.8, np.nan, sample[:, ::5])
        rows = drift_by_feature(reference, current, NAMES)
        alarms += any(row.drifted for row in rows)
        naive += any(row.p_value < 0.05 for row in rows)
    assert alarms / 500 <= 0.05
    assert naive / 500 > 0.3, "the harness would not notice tests that ignore how many they are"


def test_a_million_rows_do_not_turn_a_trifle_into_drift():
    reference, current = windows(200_000, 200_000, 0, k=1)
    row = drift_by_feature(reference, current + 0.05, ["x"])[0]
    assert row.adjusted_p < 1e-6
    assert not row.drifted


def test_a_feature_that_disappears_drifts_by_its_missing_share():
    reference, current = windows(500, 500, 0, k=2)
    current[:, 1] = np.nan
    rows = {(row.feature, row.test): row for row in drift_by_feature(reference, current, NAMES[:2])}
    gone = rows["feature_1", "psi"]
    assert gone.drifted
    assert gone.effect_size == 1.0
    assert rows["feature_1", "ks"].not_testable == "500 reference and 0 current values, 30 of each needed"


def test_a_feature_present_in_neither_sample_is_not_testable_and_costs_the_others_nothing():
    reference, current = windows(300, 300, 0, k=3)
    alone = drift_by_feature(reference[:, :2], current[:, :2], NAMES[:2])
    reference[:, 2], current[:, 2] = np.nan, np.nan
    rows = drift_by_feature(reference, current, NAMES[:3])
    assert rows[:4] == alone
    assert [(row.statistic, row.drifted, row.not_testable) for row in rows[4:]] == [
        (None, False, "present in neither sample")
    ] * 2


def test_a_window_of_few_rows_or_none_is_not_testable():
    reference, current = windows(300, 0, 0, k=1)
    assert all(row.not_testable for row in drift_by_feature(reference, current, ["x"]))


def test_p_values_are_adjusted_over_the_whole_report():
    rows = drift_by_feature(*windows(400, 400, 3), NAMES)
    smallest = min(rows, key=lambda row: row.p_value)
    assert len(rows) == 30
    assert smallest.adjusted_p == pytest.approx(min(1.0, 30 * smallest.p_value))


def test_samples_that_do_not_fit_their_names_are_refused():
    reference, current = windows(50, 50, 0, k=3)
    for names in (NAMES[:2], ("a", "b", "a")):
        with pytest.raises(PermanentError):
            drift_by_feature(reference, current, names)


def test_two_hundred_thousand_rows_of_fifteen_features_take_less_than_six_seconds():
    reference, current = windows(200_000, 200_000, 1)
    started = time.perf_counter()
    drift_by_feature(reference, current, NAMES)
    assert time.perf_counter() - started < 6.0
