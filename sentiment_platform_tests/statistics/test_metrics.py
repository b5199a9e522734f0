"""Accuracy, precision, recall, F1 and their intervals, against definitions written out by hand."""

import time

import numpy as np
import pytest

from sentiment_platform.errors import PermanentError
from sentiment_platform.statistics.estimate import Estimate, interval, with_interval
from sentiment_platform.statistics.metrics import classification_report
from sentiment_platform.statistics.resampling import bootstrap_means
from sentiment_platform.store.figures import Figure

ONE_HOT = np.eye(3)


def by_definition(y, predicted):
    f1 = []
    for label in range(3):
        hits = sum(1 for t, p in zip(y, predicted, strict=True) if t == p == label)
        precision = hits / max(1, sum(p == label for p in predicted))
        recall = hits / max(1, sum(t == label for t in y))
        f1.append(2 * precision * recall / (precision + recall) if hits else 0.0)
    return sum(f1) / 3


def sample(n, right, seed):
    rng = np.random.default_rng(seed)
    y = rng.integers(3, size=n)
    predicted = np.where(rng.random(n) < right, y, rng.integers(3, size=n))
    return y, predicted


def test_figures_equal_their_definitions():
    y, predicted = sample(500, 0.5, seed=1)
    report = classification_report(y, ONE_HOT[predicted], seed=0)
    assert report.macro_f1.value == pytest.approx(by_definition(y, predicted), abs=1e-12)
    assert report.accuracy.value == pytest.approx((y == predicted).mean(), abs=1e-12)
    assert report.confusion[0][2] == int(((y == 0) & (predicted == 2)).sum())
    assert report.classes[1].support == int((y == 1).sum())
    assert report.classes[1].recall.value == pytest.approx((predicted[y == 1] == 1).mean())
    assert report.classes[2].precision.value == pytest.approx((y[predicted == 2] == 2).mean())


def test_a_class_that_never_occurs_counts_as_zero():
    report = classification_report([0, 0, 1, 1], ONE_HOT[[0, 0, 1, 1]], seed=0)
    assert report.macro_f1.value == pytest.approx(2 / 3)
    assert report.classes[2].f1.value == 0.0


def test_the_interval_has_the_width_of_the_binomial_one():
    y, predicted = sample(1000, 0.7, seed=2)
    accuracy = classification_report(y, ONE_HOT[predicted], seed=0).accuracy
    standard_error = np.sqrt(accuracy.value * (1 - accuracy.value) / 1000)
    assert accuracy.high - accuracy.low == pytest.approx(2 * 1.96 * standard_error, rel=0.08)


def test_ninety_five_of_a_hundred_intervals_hold_the_truth():
    # Four in five right: the chosen class is replaced by a random one in 30 % of rows, a third of which hits anyway.
    truth = 0.7 + 0.3 / 3
    held = 0
    for seed in range(300):
        y, predicted = sample(300, 0.7, seed=seed)
        accuracy = classification_report(y, ONE_HOT[predicted], seed=seed, n_resamples=500).accuracy
        held += accuracy.low <= truth <= accuracy.high
    assert 0.91 <= held / 300 <= 0.985


def test_counts_and_rows_resample_alike():
    y, predicted = sample(400, 0.6, seed=3)
    by_counts = classification_report(y, ONE_HOT[predicted], seed=0, n_resamples=5000).accuracy
    by_rows = bootstrap_means((y == predicted).astype(float)[:, None], seed=1, n_resamples=5000)
    assert by_counts.low == pytest.approx(np.quantile(by_rows, 0.025), abs=0.006)
    assert by_counts.high == pytest.approx(np.quantile(by_rows, 0.975), abs=0.006)


def test_the_seed_decides_the_interval():
    y, predicted = sample(200, 0.6, seed=4)
    reports = [classification_report(y, ONE_HOT[predicted], seed=seed) for seed in (5, 5, 6)]
    assert reports[0] == reports[1]
    assert reports[0].macro_f1 != reports[2].macro_f1


def test_a_thousand_rows_take_less_than_a_fifth_of_a_second():
    y, predicted = sample(1000, 0.7, seed=5)
    started = time.perf_counter()
    classification_report(y, ONE_HOT[predicted], seed=0)
    assert time.perf_counter() - started < 0.2


@pytest.mark.parametrize(
    ("y", "p"),
    [
        ([], np.empty((0, 3))),
        ([0, 3], ONE_HOT[[0, 1]]),
        ([0, -1], ONE_HOT[[0, 1]]),
        (np.array([0.0, 1.0]), ONE_HOT[[0, 1]]),
        ([0, 1], ONE_HOT[[0, 1, 2]]),
        ([0, 1], [[1.0, 0.0, np.nan], [0.0, 1.0, 0.0]]),
        ([0, 1], [[2.0, -1.0, 0.0], [0.0, 1.0, 0.0]]),
        ([0, 1], [[3.0, 1.0, 0.0], [0.0, 1.0, 0.0]]),
    ],
)
def test_what_are_not_labels_and_probabilities_is_refused(y, p):
    with pytest.raises(PermanentError):
        classification_report(y, p, seed=0)


def test_a_figure_is_printed_with_its_interval_and_alone_where_there_is_none():
    figure = Estimate(0.8125, 0.7842, 0.8409, 400)
    assert (with_interval(figure), interval(figure, ".1%")) == ("0.812 (0.784 to 0.841)", "78.4% to 84.1%")
    alone = Figure(version="v1.0.0-vader", window="holdout", metric="ece", value=0.05, low=None, high=None, n=400)
    assert (with_interval(alone), interval(alone)) == ("0.050", "-")
