"""The penalised multinomial logistic regression: its optimum, its penalty, its folds."""

import numpy as np
import pytest

from sentiment_platform.errors import PermanentError
from sentiment_platform.statistics.softmax_regression import (
    L2_GRID,
    choose_l2,
    fit_softmax,
    fit_temperature,
    fold_of_rows,
    softmax,
)

TRUE_WEIGHTS = np.array([[1.0, 0.0, -1.0], [0.5, -1.0, 0.5]])


def rows(n, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 2))
    y = (rng.random((n, 1)) > np.cumsum(softmax(x @ TRUE_WEIGHTS), axis=1)).sum(axis=1).clip(0, 2)
    return x, y


def objective(x, y, weights, bias, target, l2):
    p = softmax(x @ weights + bias)[np.arange(y.size), y]
    return -np.log(p).mean() + l2 / 2 * ((weights - target) ** 2).sum()


def test_it_recovers_the_weights_that_made_the_data():
    x, y = rows(20_000)
    fit = fit_softmax(x, y, np.ones(y.size), np.zeros((2, 3)), 1e-6)
    centred = fit.weights - fit.weights.mean(axis=1, keepdims=True)
    assert centred == pytest.approx(TRUE_WEIGHTS, abs=0.06)


def test_no_nearby_weights_are_better():
    x, y = rows(400)
    target = np.full((2, 3), 0.3)
    fit = fit_softmax(x, y, np.ones(y.size), target, 0.05)
    best = objective(x, y, fit.weights, fit.bias, target, 0.05)
    rng = np.random.default_rng(1)
    for _ in range(50):
        step = rng.normal(size=(3, 3)) * 0.01
        assert objective(x, y, fit.weights + step[:2], fit.bias + step[2], target, 0.05) > best


def test_a_strong_penalty_returns_the_target():
    x, y = rows(300)
    target = np.array([[0.2, 0.1, 0.0], [0.0, 0.4, 0.0]])
    assert fit_softmax(x, y, np.ones(y.size), target, 1e4).weights == pytest.approx(target, abs=1e-3)


def test_a_row_weight_of_two_equals_the_row_twice():
    x, y = rows(200)
    weighted = fit_softmax(x, y, np.where(np.arange(200) < 50, 2.0, 1.0), np.zeros((2, 3)), 0.01)
    twice = fit_softmax(np.vstack([x, x[:50]]), np.append(y, y[:50]), np.ones(250), np.zeros((2, 3)), 0.01)
    assert weighted.weights == pytest.approx(twice.weights, abs=1e-4)


def test_columns_of_noise_call_for_a_stronger_penalty():
    x, y = rows(150)
    noisy = np.hstack([x, np.random.default_rng(2).normal(size=(150, 40))])
    folds = fold_of_rows(150, 5, seed=0)
    assert choose_l2(noisy, y, np.ones(150), np.zeros((42, 3)), folds) > min(L2_GRID)


def test_folds_are_even_repeatable_and_keep_groups_together():
    folds = fold_of_rows(103, 5, seed=1)
    assert np.bincount(folds).tolist() == [21, 21, 21, 20, 20]
    assert (folds == fold_of_rows(103, 5, seed=1)).all()
    groups = np.array([f"story-{i // 4}" for i in range(100)])
    by_group = fold_of_rows(100, 5, seed=1, groups=groups)
    assert all(len(set(by_group[groups == group])) == 1 for group in set(groups))


def test_fewer_groups_than_folds_are_refused():
    with pytest.raises(PermanentError, match="2 groups cannot make 5 folds"):
        fold_of_rows(10, 5, seed=0, groups=np.arange(10) % 2)


def test_the_temperature_of_a_scorer_is_found_and_rows_that_are_all_right_do_not_run_away() -> None:
    rng = np.random.default_rng(3)
    honest = rng.normal(size=(20_000, 3)) * 2
    y = (rng.random((20_000, 1)) > np.cumsum(softmax(honest), axis=1)).sum(axis=1).clip(0, 2)
    for sure in (0.25, 1.0, 5.0):
        factor = fit_temperature(honest * sure, y, np.ones(y.size))
        assert abs(factor * sure - 1.0) < 0.05
    assert fit_temperature(3.0 * np.eye(3), np.arange(3), np.ones(3)) < 4.0


def test_the_strongest_penalty_within_one_standard_error_is_chosen() -> None:
    rng = np.random.default_rng(8)
    x, y = rng.normal(size=(300, 3)), rng.integers(3, size=300)
    assert choose_l2(x, y, np.ones(300), np.zeros((3, 3)), fold_of_rows(300, 5, seed=1)) >= 1.0, "noise: nothing to learn"
    told = 4.0 * np.eye(3)[y] + x
    chosen = choose_l2(told, y, np.ones(300), np.zeros((3, 3)), fold_of_rows(300, 5, seed=1))
    assert chosen <= 1e-2, "signal: a strong penalty would lose it"
