"""Multinomial logistic regression with a penalty towards chosen weights: the fit, and the choice of its strength.

Plain design matrices in, plain weights out. What the columns mean (scorer logits, features) belongs to `models/head`.
"""

from __future__ import annotations

import msgspec
import numpy as np

from sentiment_platform.errors import PermanentError
from sentiment_platform.statistics.arrays import N_CLASSES, Floats, Ints

L2_GRID = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5)


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

    L-BFGS with the analytic gradient: convex and deterministic, so a `start` other than `target` only saves steps.

    Raises:
        PermanentError: the optimiser did not converge.
    """
    from scipy.optimize import minimize

    share = row_weights / row_weights.sum()
    hits = np.eye(N_CLASSES)[y] * share[:, None]

    def loss_and_gradient(flat: Floats) -> tuple[float, Floats]:
        theta = flat.reshape(x.shape[1] + 1, N_CLASSES)
        scores = x @ theta[:-1] + theta[-1]
        top = scores.max(axis=1, keepdims=True)
        exponents = np.exp(scores - top)
        total = exponents.sum(axis=1, keepdims=True)
        away = theta[:-1] - target
        loss = float(share @ (np.log(total) + top)[:, 0] - (hits * scores).sum() + l2 / 2 * (away**2).sum())
        residual = exponents / total * share[:, None] - hits
        gradient = np.vstack([x.T @ residual + l2 * away, residual.sum(axis=0)])
        return loss, gradient.ravel()

    first = np.vstack([target, np.zeros(N_CLASSES)] if start is None else [start.weights, start.bias]).ravel()
    options = {"maxiter": 5000, "maxfun": 20000, "ftol": 1e-12, "gtol": 1e-6}
    found = minimize(loss_and_gradient, first, jac=True, method="L-BFGS-B", options=options)
    if not found.success:
        raise PermanentError(
            f"The logistic regression did not converge: {found.message}.", remedy="Check the scale of its columns."
        )
    theta = np.asarray(found.x, dtype=np.float64).reshape(x.shape[1] + 1, N_CLASSES)
    return SoftmaxFit(weights=theta[:-1], bias=theta[-1], l2=l2)


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
    """The strength of `L2_GRID` with the least held-out weighted log loss over `folds` (n,); the stronger of equals."""
    losses = np.zeros(len(L2_GRID))
    for fold in np.unique(folds):
        held = folds == fold
        fit: SoftmaxFit | None = None
        for index, l2 in enumerate(L2_GRID):
            fit = fit_softmax(x[~held], y[~held], row_weights[~held], target, l2, start=fit)
            p = softmax(x[held] @ fit.weights + fit.bias)[np.arange(int(held.sum())), y[held]]
            losses[index] -= float(row_weights[held] @ np.log(np.maximum(p, 1e-15)))
    return L2_GRID[int(np.argmin(losses))]
