"""Multinomial logistic regression with a penalty towards chosen weights: the fit, and the choice of its strength.

Plain design matrices in, plain weights out. What the columns mean (scorer logits, features) belongs to `models/head`.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from sentiment_platform.errors import PermanentError
from sentiment_platform.statistics.arrays import N_CLASSES, Floats, Ints

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController

L2_GRID = (1e1, 1e0, 1e-1, 1e-2, 1e-3, 1e-4)
MAX_STEPS = 100
TOLERANCE = 1e-10


class SoftmaxFit(msgspec.Struct, frozen=True):
    """Scores are `x @ weights + bias`; weights (d, 3), bias (3,)."""

    weights: Floats
    bias: Floats
    l2: float


def softmax(scores: Floats) -> Floats:
    """Probabilities (n, 3) of scores (n, 3), shifted by the row's maximum so that nothing overflows."""
    exponents = np.exp(scores - scores.max(axis=1, keepdims=True))
    return exponents / exponents.sum(axis=1, keepdims=True)


def fit_softmax(
    x: Floats, y: Ints, row_weights: Floats, target: Floats, l2: float, *, start: SoftmaxFit | None = None
) -> SoftmaxFit:
    """Minimise weighted mean log loss + l2/2 * |weights - target|^2 over rows (n, d); the bias is free.

    Newton's method with step halving: the loss is convex and has few columns, so that a handful of solves of its whole Hessian
    beats hundreds of gradient steps. Deterministic; a `start` other than `target` only saves steps.
    Source: Boyd and Vandenberghe, Convex Optimization, 2004, algorithm 9.5.

    Raises:
        PermanentError: it did not converge.
    """
    # Products this small lose more to waking BLAS threads than they win, on a busy machine by a factor of twenty.
    with _thread_pools().limit(limits=1, user_api="blas"):
        return _newton(x, y, row_weights, target, l2, start)


def fit_temperature(scores: Floats, y: Ints, row_weights: Floats) -> float:
    """The factor t of scores (n, 3) with the least weighted log loss of softmax(t * scores), by Newton's method.

    A prior worth one row holds it near 1 where rows are few or all right. Source: Guo et al., 2017, "On calibration of modern neural
    networks", section 4.2; their temperature is 1/t.
    """
    share = row_weights / row_weights.sum()
    hit = scores[np.arange(y.size), y]
    factor, prior = 1.0, 1.0 / y.size
    for _ in range(MAX_STEPS):
        probabilities = softmax(factor * scores)
        mean = (probabilities * scores).sum(axis=1)
        spread = (probabilities * scores**2).sum(axis=1) - mean**2
        step = float((share @ (mean - hit) + prior * (factor - 1.0)) / (share @ spread + prior))
        # Never further than half the way to 0 or to the double: the curvature there says little about here.
        moved = float(np.clip(factor - step, factor / 2, factor * 2))
        if abs(moved - factor) < 1e-9:
            break
        factor = moved
    return factor


@cache
def _thread_pools() -> ThreadpoolController:
    """Looked for once: to search the process for its BLAS takes as long as a fit, and numpy's is there from the start."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def _newton(x: Floats, y: Ints, row_weights: Floats, target: Floats, l2: float, start: SoftmaxFit | None) -> SoftmaxFit:
    n, d = x.shape
    share = (row_weights / row_weights.sum())[:, None]
    hits = np.eye(N_CLASSES)[y] * share
    design = np.hstack([x, np.ones((n, 1))])
    pull = np.append(np.full(d, l2), 0.0)[:, None]
    goal = np.vstack([target, np.zeros(N_CLASSES)])
    theta: Floats = goal.copy() if start is None else np.vstack([start.weights, start.bias])

    def loss_and_probabilities(theta: Floats) -> tuple[float, Floats]:
        scores = design @ theta
        top = scores.max(axis=1, keepdims=True)
        exponents = np.exp(scores - top)
        total = exponents.sum(axis=1, keepdims=True)
        loss = float((share * (np.log(total) + top)).sum() - (hits * scores).sum() + (pull * (theta - goal) ** 2).sum() / 2)
        return loss, exponents / total

    loss, probabilities = loss_and_probabilities(theta)
    for _ in range(MAX_STEPS):
        gradient = design.T @ (probabilities * share - hits) + pull * (theta - goal)
        step = _newton_step(design, probabilities, share, pull, gradient)
        # Half the squared Newton decrement bounds what is left to gain.
        gain = float((gradient * step).sum()) / 2
        if gain < TOLERANCE:
            return SoftmaxFit(weights=theta[:-1], bias=theta[-1], l2=l2)
        size = 1.0
        while size > 1e-8:
            smaller, there = loss_and_probabilities(theta - size * step)
            if smaller <= loss - size * gain / 2:
                break
            size /= 2
        else:
            return SoftmaxFit(weights=theta[:-1], bias=theta[-1], l2=l2)
        theta, loss, probabilities = theta - size * step, smaller, there
    raise PermanentError(
        f"The logistic regression did not converge in {MAX_STEPS} steps.", remedy="Check the scale of its columns."
    )


def _newton_step(design: Floats, probabilities: Floats, share: Floats, pull: Floats, gradient: Floats) -> Floats:
    """The solution of Hessian * step = gradient, shape (d + 1, 3)."""
    columns = design.shape[1]
    hessian = np.empty((N_CLASSES, columns, N_CLASSES, columns))
    for i in range(N_CLASSES):
        for j in range(i, N_CLASSES):
            curvature = probabilities[:, i] * ((i == j) - probabilities[:, j]) * share[:, 0]
            block = design.T @ (design * curvature[:, None])
            hessian[i, :, j] = hessian[j, :, i] = block
        hessian[i, range(columns), i, range(columns)] += pull[:, 0]
    size = N_CLASSES * columns
    # Adding one number to all three biases changes nothing: the tiny ridge picks the smallest step of those equal ones.
    square = hessian.reshape(size, size) + 1e-10 * np.eye(size)
    step = np.asarray(np.linalg.solve(square, gradient.T.ravel()), dtype=np.float64)
    return step.reshape(N_CLASSES, columns).T


def fold_of_rows(n: int, n_folds: int, *, seed: int, groups: np.ndarray[tuple[int, ...]] | None = None) -> Ints:
    """A fold 0..n_folds-1 for each row, shape (n,); rows of one group (one news story) share their fold.

    Raises:
        PermanentError: fewer than 2 folds, or fewer groups than folds.
    """
    _, group = np.unique(np.arange(n) if groups is None else np.asarray(groups), return_inverse=True)
    n_groups = int(group.max()) + 1
    if group.shape != (n,) or n_folds < 2 or n_groups < n_folds:
        raise PermanentError(
            f"{n} rows in {n_groups} groups cannot make {n_folds} folds.", remedy="Use 2 or more folds, or more rows."
        )
    order = np.random.default_rng(seed).permutation(n_groups)
    return (order % n_folds)[group].astype(np.int64)


def choose_l2(x: Floats, y: Ints, row_weights: Floats, target: Floats, folds: Ints) -> float:
    """The strongest of `L2_GRID` whose held-out weighted log loss over `folds` (n,) is within one standard error of the best.

    The error is that of the difference, row by row. Source: Hastie, Tibshirani and Friedman, 2009, section 7.10, "one-standard error
    rule": weaker penalties that win by chance cost calibration on new rows.
    """
    losses = np.zeros((len(L2_GRID), y.size))
    for fold in np.unique(folds):
        held = folds == fold
        fit: SoftmaxFit | None = None
        for index, l2 in enumerate(L2_GRID):
            fit = fit_softmax(x[~held], y[~held], row_weights[~held], target, l2, start=fit)
            p = softmax(x[held] @ fit.weights + fit.bias)[np.arange(int(held.sum())), y[held]]
            losses[index, held] = -row_weights[held] * np.log(np.maximum(p, 1e-15))
    worse = losses - losses[int(np.argmin(losses.sum(axis=1)))]
    within = worse.mean(axis=1) <= worse.std(axis=1) / np.sqrt(y.size)
    return L2_GRID[int(np.argmax(within))]
