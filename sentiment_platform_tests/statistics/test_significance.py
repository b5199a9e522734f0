"""McNemar, paired bootstrap, power and Holm, against scipy, closed forms and simulation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from sentiment_platform.errors import PermanentError
from sentiment_platform.statistics.planning import mcnemar_power
from sentiment_platform.statistics.significance import (
    discordant_counts,
    holm,
    mcnemar_exact,
    paired_bootstrap,
)
from sentiment_platform_tests.statistics.stories import told_by_stories

ONE_HOT = np.eye(3)
P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=30)


def pair(n, right_a, right_b, seed):
    rng = np.random.default_rng(seed)
    y = rng.integers(3, size=n)
    wrong = (y + rng.integers(1, 3, size=n)) % 3
    a, b = (np.where(rng.random(n) < right, y, wrong) for right in (right_a, right_b))
    return y, ONE_HOT[a], ONE_HOT[b]


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 3000), st.integers(0, 3000))
def test_the_exact_test_equals_scipys_binomial_test(only_a, only_b):
    expected = stats.binomtest(only_a, only_a + only_b, 0.5).pvalue if only_a + only_b else 1.0
    assert mcnemar_exact(only_a, only_b).p_value == pytest.approx(expected, abs=1e-12, rel=1e-9)


def test_no_discordant_row_is_no_evidence():
    assert mcnemar_exact(0, 0).p_value == 1.0
    with pytest.raises(PermanentError):
        mcnemar_exact(-1, 3)


def test_discordant_rows_are_counted_by_who_was_right():
    y = [0, 1, 2, 2]
    assert discordant_counts(y, ONE_HOT[[0, 1, 0, 2]], ONE_HOT[[1, 1, 2, 1]]) == (2, 1)


def test_the_paired_difference_is_b_minus_a_and_changes_sign_when_they_swap():
    y, a, b = pair(600, 0.6, 0.75, seed=0)
    forward, backward = paired_bootstrap(y, a, b, seed=1), paired_bootstrap(y, b, a, seed=1)
    assert forward.difference.low > 0
    assert forward.p_value < 0.01
    assert forward.difference.value == pytest.approx(forward.b - forward.a)
    assert backward.difference.value == pytest.approx(-forward.difference.value)
    assert backward.difference.high < 0


def test_a_model_does_not_differ_from_itself():
    y, a, _ = pair(300, 0.6, 0.6, seed=0)
    result = paired_bootstrap(y, a, a, seed=1)
    assert (result.difference.low, result.difference.high, result.p_value) == (0.0, 0.0, 1.0)


def test_pairing_makes_the_interval_narrower_than_two_separate_ones():
    y, a, _ = pair(500, 0.7, 0.7, seed=2)
    nearly_a = a.copy()
    nearly_a[:20] = ONE_HOT[y[:20]]
    paired = paired_bootstrap(y, a, nearly_a, seed=0).difference
    y, a, b = pair(500, 0.7, 0.74, seed=2)
    apart = paired_bootstrap(y, a, b, seed=0).difference
    assert paired.high - paired.low < 0.5 * (apart.high - apart.low)


def test_equal_models_are_called_different_in_about_one_of_twenty_runs():
    alarms = sum(paired_bootstrap(*pair(400, 0.7, 0.7, s), seed=s, n_resamples=400).p_value < 0.05 for s in range(400))
    assert 0.02 <= alarms / 400 <= 0.09


def test_accuracy_difference_equals_the_discordant_balance():
    y, a, b = pair(500, 0.6, 0.7, seed=3)
    only_a, only_b = discordant_counts(y, a, b)
    result = paired_bootstrap(y, a, b, seed=0, metric="accuracy")
    assert result.difference.value == pytest.approx((only_b - only_a) / 500)


def test_the_power_is_how_often_a_simulated_test_sees_the_difference():
    share, difference, n = 0.2, 0.05, 626
    rng = np.random.default_rng(0)
    probabilities = [(share - difference) / 2, (share + difference) / 2, 1 - share]
    only_a, only_b, _ = rng.multinomial(n, probabilities, 3000).T
    # McNemar's test in its large-sample form, which is what the power is an approximation of.
    seen = stats.chi2.sf((only_a - only_b) ** 2 / (only_a + only_b), 1) < 0.05
    power = mcnemar_power(discordant_share=share, difference=difference, n=n)
    assert power == pytest.approx(0.8, abs=0.001)
    assert np.mean(seen) == pytest.approx(power, abs=0.03)


def test_an_impossible_design_is_refused():
    with pytest.raises(PermanentError):
        mcnemar_power(discordant_share=0.05, difference=0.1, n=100)
    with pytest.raises(PermanentError):
        mcnemar_power(discordant_share=0.1, difference=0.05, n=0)


def test_holm_equals_a_case_worked_out_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


@given(P_VALUES)
def test_adjusted_values_keep_order_never_fall_below_the_raw_ones_and_holm_is_the_stricter(p):
    raw, strict, loose = np.asarray(p), holm(p), stats.false_discovery_control(p)
    order = np.argsort(raw, kind="stable")
    assert (np.diff(strict[order]) >= 0).all()
    assert (np.diff(loose[order]) >= 0).all()
    assert (strict >= raw).all()
    assert (strict >= loose - 1e-12).all()
    assert (strict <= 1).all()
    assert strict.min() == pytest.approx(min(1.0, len(p) * raw.min()))


@pytest.mark.parametrize("p", [[0.1, float("nan")], [-0.1], [1.1], [[0.1]]])
def test_what_are_not_p_values_is_refused(p):
    with pytest.raises(PermanentError):
        holm(p)


def test_a_story_of_thirty_rows_counts_as_its_single_row() -> None:
    y, a, b = pair(200, 0.7, 0.74, seed=5)
    once = [str(n) for n in range(200)]
    row = int(np.flatnonzero((b.argmax(axis=1) == y) & (a.argmax(axis=1) != y))[0])
    many = np.r_[np.arange(200), np.full(29, row)]
    stories = [once[n] for n in many]
    assert discordant_counts(y[many], a[many], b[many], stories) == discordant_counts(y, a, b)
    told, single = paired_bootstrap(y[many], a[many], b[many], seed=1, stories=stories), paired_bootstrap(y, a, b, seed=1)
    assert (told.a, told.b, told.difference.n) == (pytest.approx(single.a), pytest.approx(single.b), 200)
    assert told.difference.low == pytest.approx(single.difference.low, abs=0.01)
    # The control: counted by rows, the one story moves the figure.
    assert paired_bootstrap(y[many], a[many], b[many], seed=1).difference.value != pytest.approx(
        single.difference.value, abs=0.01
    )


def test_stories_of_one_row_change_nothing() -> None:
    y, a, b = pair(300, 0.6, 0.7, seed=6)
    names = [f"s{n}" for n in range(300)]
    assert paired_bootstrap(y, a, b, seed=1, stories=names) == paired_bootstrap(y, a, b, seed=1)
    with pytest.raises(PermanentError, match="299 stories for 300 rows"):
        discordant_counts(y, a, b, names[1:])


def test_the_interval_over_stories_covers_the_truth_and_the_one_over_rows_does_not() -> None:
    y, a, b, _ = told_by_stories(60_000, 0)
    truth = paired_bootstrap(y, a, b, seed=1, n_resamples=2).difference.value
    covered = {"stories": 0, "rows": 0}
    for seed in range(1, 151):
        y, a, b, stories = told_by_stories(120, seed)
        for unit, names in (("stories", stories), ("rows", None)):
            d = paired_bootstrap(y, a, b, seed=seed, n_resamples=200, stories=names).difference
            covered[unit] += d.low <= truth <= d.high
    assert 0.915 <= covered["stories"] / 150 <= 0.975
    assert covered["rows"] / 150 < 0.85


def test_holm_over_tests_of_which_some_come_later_takes_those_for_the_larger_ones() -> None:
    assert holm([0.01, 0.03], of=3) == pytest.approx([0.03, 0.06])
    assert holm([0.01, 0.03, 0.9]) == pytest.approx([0.03, 0.06, 0.9])
    assert holm([0.02], of=0) == pytest.approx([0.02])
