"""The calibration head: what it is calibrated for, what its features add, what it refuses."""

import dataclasses
import json
import time

import numpy as np
import pytest

from sentiment_platform.errors import PermanentError
from sentiment_platform.models.head.fitting import fit_head, measure_ablation
from sentiment_platform.models.head.head import CalibrationHead
from sentiment_platform.statistics.calibration import expected_calibration_error, log_loss
from sentiment_platform.statistics.softmax_regression import softmax
from sentiment_platform_tests.models.head.scored_rows import NAMES, K, rows


@pytest.fixture(scope="module")
def head():
    return fit_head(*rows(4000, 0), NAMES, "v1")


@pytest.fixture(scope="module")
def test_rows():
    return rows(8000, 1)


def test_an_overconfident_scorer_becomes_calibrated(head, test_rows):
    logits, features, y = test_rows
    assert expected_calibration_error(y, softmax(logits)) > 0.15
    assert expected_calibration_error(y, head.probabilities(logits, features)) < 0.025


@pytest.mark.parametrize("missing", [[0], [3, 4, 5], [0, 1, 2, 3, 4], list(range(K))])
def test_requests_with_missing_features_are_calibrated_too(head, test_rows, missing):
    logits, features, y = test_rows
    partial = features.copy()
    partial[:, missing] = np.nan
    assert expected_calibration_error(y, head.probabilities(logits, partial)) < 0.05


def test_without_the_missing_shift_requests_without_features_would_not_be_calibrated(head, test_rows):
    logits, _, y = test_rows
    nothing = dataclasses.replace(head.missing_shift, logits=np.zeros((3, 3)), features=np.zeros((K, 3)), bias=np.zeros(3))
    unshifted = dataclasses.replace(head, missing_shift=nothing)
    assert expected_calibration_error(y, unshifted.probabilities(logits)) > 0.08


def test_no_features_at_all_equal_features_that_are_all_missing(head, test_rows):
    logits, features, _ = test_rows
    assert head.probabilities(logits) == pytest.approx(head.probabilities(logits, features * np.nan), abs=1e-12)


def test_answering_row_by_row_equals_answering_all_at_once(head, test_rows):
    logits, features, _ = (part[:50].copy() for part in test_rows)
    features[::3, 1] = np.nan
    features[::7] = np.nan
    one_by_one = [head.probabilities(logits[i : i + 1], features[i : i + 1])[0] for i in range(50)]
    assert head.probabilities(logits, features) == pytest.approx(np.asarray(one_by_one), abs=1e-12)


def test_a_feature_far_beyond_training_counts_as_three_deviations(head, test_rows):
    logits, features, _ = (part[:5].copy() for part in test_rows)
    features[:, 0] = head.mean[0] + 3.0 * head.scale[0]
    bounded = head.probabilities(logits, features)
    features[:, 0] = head.mean[0] + 500.0 * head.scale[0]
    assert head.probabilities(logits, features) == pytest.approx(bounded)


def test_a_row_is_answered_within_fifty_microseconds(head, test_rows):
    logits, features = test_rows[0][:1], test_rows[1][:1]
    head.probabilities(logits, features)
    fastest = min(timed(head, logits, features) for _ in range(20))
    assert fastest < 50e-6


def timed(head, logits, features, calls=200):
    started = time.perf_counter()
    for _ in range(calls):
        head.probabilities(logits, features)
    return (time.perf_counter() - started) / calls


def test_features_that_help_are_found_to_help_and_noise_is_not():
    logits, features, y = rows(1500, 2)
    helpful = measure_ablation(logits, features, y)
    assert helpful.features_help
    assert helpful.comparison.b.log_loss < helpful.comparison.a.log_loss
    assert helpful.comparison.macro_f1_difference.low > 0
    noise = np.random.default_rng(3).normal(size=features.shape)
    assert not measure_ablation(logits, noise, y).features_help


def test_features_left_out_change_nothing(test_rows):
    logits, features, y = rows(1000, 4)
    left_out = fit_head(logits, features, y, NAMES, "v1", use_features=False)
    never_there = fit_head(logits, None, y, NAMES, "v1")
    assert not left_out.uses_features
    assert not never_there.uses_features
    wanted = left_out.probabilities(test_rows[0])
    assert (left_out.probabilities(test_rows[0], test_rows[1]) == wanted).all()
    assert (never_there.probabilities(test_rows[0]) == wanted).all()


def test_training_rows_may_lack_features_and_a_constant_or_empty_column_weighs_nothing():
    logits, features, y = rows(800, 5)
    features[:, 1] = 7.0
    features[:, 2] = np.nan
    features[::2, 0] = np.nan
    head = fit_head(logits, features, y, NAMES, "v1", l2=1e-3)
    assert head.scale[1:3].tolist() == [1.0, 1.0]
    assert head.weights.features[1:3] == pytest.approx(np.zeros((2, 3)), abs=1e-6)
    assert np.isfinite(head.probabilities(logits, features)).all()


def test_little_data_leave_the_scorer_as_it_was_only_less_sure_of_itself():
    """The scorer of `rows` is three times as sure as it should be."""
    logits, features, y = rows(12, 6)
    head = fit_head(logits, features, y, NAMES, "v1", l2=1e3)
    factor = head.weights.logits[0, 0]
    assert 0.2 < factor < 0.6
    assert head.weights.logits == pytest.approx(factor * np.eye(3), abs=0.01)


@pytest.mark.slow
def test_calibration_on_validation_rows_helps_on_test_rows_in_95_of_100_seeds():
    """Scorers that are one and a half to four times too sure, or half as sure as they are right; 200 rows to fit on."""
    better = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        honest = rng.normal(size=(2200, 3)) * 1.5
        y = (rng.random((2200, 1)) > np.cumsum(softmax(honest), axis=1)).sum(axis=1).clip(0, 2)
        logits = honest * rng.choice((0.5, 1.5, 2.0, 4.0))
        head = fit_head(logits[:200], None, y[:200], (), "v1", n_folds=3, seed=seed)
        after = expected_calibration_error(y[200:], head.probabilities(logits[200:]))
        better += after <= expected_calibration_error(y[200:], softmax(logits[200:]))
    assert better >= 95


def test_rows_of_one_story_share_a_fold_of_the_choice_of_strength():
    """Copies of rows in all folds would pass for evidence that a weak penalty on many columns generalises."""
    logits, _, y = rows(60, 11, weight=0.0)
    copies = np.tile(np.arange(60), 5)
    noise = np.random.default_rng(5).normal(size=(60, 40))
    names = tuple(f"noise_{i}" for i in range(40))
    data = (logits[copies], noise[copies], y[copies], names, "v1")
    assert fit_head(*data, groups=copies.tolist()).l2 > fit_head(*data).l2


def test_the_same_data_and_seed_give_the_same_head():
    data = rows(400, 7)
    first, second = (fit_head(*data, NAMES, "v1", seed=3).to_json() for _ in range(2))
    assert first == second
    assert fit_head(*data, NAMES, "v1", seed=4).to_json() != first


def test_class_weights_move_answers_towards_the_heavier_class():
    logits, features, y = rows(800, 8)
    plain, weighted = (
        fit_head(logits, features, y, NAMES, "v1", l2=1e-3, class_weight=weight) for weight in (None, (5.0, 1.0, 1.0))
    )
    shift = weighted.probabilities(logits, features)[:, 0] - plain.probabilities(logits, features)[:, 0]
    assert shift.mean() > 0.1


def test_a_head_survives_json_with_its_ablation(test_rows):
    logits, features, y = rows(400, 9)
    ablation = measure_ablation(logits, features, y, l2=1e-3, n_resamples=200)
    head = fit_head(logits, features, y, NAMES, "v1", l2=1e-3, ablation=ablation)
    again = CalibrationHead.from_json(json.loads(json.dumps(head.to_json(), allow_nan=False)))
    assert (again.probabilities(*test_rows[:2]) == head.probabilities(*test_rows[:2])).all()
    assert (again.feature_schema, again.feature_names, again.ablation) == ("v1", NAMES, ablation)
    assert log_loss(test_rows[2], again.probabilities(*test_rows[:2])) < log_loss(test_rows[2], softmax(test_rows[0]))


def spoiled(document, path, value):
    *parents, last = path
    part = document
    for key in parents:
        part = part[key]
    part[last] = value
    return document


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("mean",), [0.0]),
        (("mean", 0), float("nan")),
        (("scale", 2), 0.0),
        (("weights", "logits"), [[1.0, 0.0], [0.0, 1.0]]),
        (("weights", "logits"), [[1.0, 0.0, 0.0], [0.0, 1.0]]),
        (("weights", "bias", 1), float("inf")),
        (("weights", "features", "feature_0"), [1.0]),
        (("weights", "features", "unknown"), [1.0, 1.0, 1.0]),
        (("missing_shift",), None),
        (("labels",), ["positive", "neutral", "negative"]),
        (("feature_names", 0), "renamed"),
        (("surprise",), 1),
    ],
)
def test_a_spoiled_document_is_refused(head, path, value):
    document = json.loads(json.dumps(head.to_json()))
    assert CalibrationHead.from_json(document).feature_names == NAMES
    with pytest.raises(PermanentError):
        CalibrationHead.from_json(spoiled(document, path, value))


@pytest.mark.parametrize(
    ("logits", "features"),
    [
        ([[np.nan, 0.0, 0.0]], None),
        ([[np.inf, 0.0, 0.0]], np.zeros((1, K))),
        ([[0.0, 0.0]], None),
        ([0.0, 0.0, 0.0], None),
        ([[0.0, 0.0, 0.0]], np.zeros((1, K - 1))),
        ([[0.0, 0.0, 0.0]], np.zeros((2, K))),
        ([[0.0, 0.0, 0.0]], np.full((1, K), np.inf)),
    ],
)
def test_input_that_is_not_finite_or_of_another_shape_is_refused(head, logits, features):
    with pytest.raises(PermanentError):
        head.probabilities(logits, features)


def test_training_data_that_do_not_fit_are_refused():
    logits, features, y = rows(50, 10)
    for bad in (
        (logits[:40], features, y),
        (logits, features[:, :2], y),
        (logits * np.nan, features, y),
        (logits, features * np.inf, y),
    ):
        with pytest.raises(PermanentError):
            fit_head(*bad, NAMES, "v1")
    with pytest.raises(PermanentError):
        fit_head(logits, features, y, NAMES, "v1", class_weight=(1.0, 0.0, 1.0))
    with pytest.raises(PermanentError):
        fit_head(logits[:3], features[:3], y[:3], NAMES, "v1")
