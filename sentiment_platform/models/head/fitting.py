"""Fitting the calibration head and measuring what the features add to it.

Plain arrays in, a frozen head out. Choosing which rows it may see (never those the scorer was fitted on) belongs to the families.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sentiment_platform.errors import PermanentError
from sentiment_platform.models.head.head import Ablation, CalibrationHead, HeadWeights, require_finite, standardise
from sentiment_platform.statistics.arrays import N_CLASSES, Classes, Floats, Ints, as_classes
from sentiment_platform.statistics.comparison import compare_probabilities
from sentiment_platform.statistics.resampling import N_RESAMPLES
from sentiment_platform.statistics.softmax_regression import SoftmaxFit, choose_l2, fit_softmax, fit_temperature, fold_of_rows


def fit_head(
    logits: Floats,
    features: Floats | None,
    y: Classes,
    feature_names: Sequence[str],
    feature_schema: str,
    *,
    l2: float | None = None,
    class_weight: Sequence[float] | None = None,
    use_features: bool = True,
    groups: Sequence[object] | None = None,
    n_folds: int = 5,
    seed: int = 0,
    ablation: Ablation | None = None,
) -> CalibrationHead:
    """Fit a head on logits (n, 3), features (n, k) with NaN for missing (or None), and labels (n,) the scorer was not fitted on.

    The L2 penalty pulls the logit weights to temperature scaling (one factor for all, fitted first) and all others to 0: with
    little data the head is the scorer's own softmax, only as sure of itself as it is right. Its strength is `l2`, or the best of a small grid by `n_folds`-fold log loss; rows of one of `groups` (a news story)
    share a fold. `class_weight` (3,) shifts probabilities away from the base rates on purpose. Pass
    `use_features=ablation.features_help` so that features which do not help cannot hurt.

    Raises:
        PermanentError: shapes that do not fit, NaN or infinite logits, infinite features, too few rows for the folds.
    """
    scores, truth = _training_arrays(logits, y)
    values = _training_features(features, truth.size, len(feature_names))
    use_features = use_features and features is not None and len(feature_names) > 0
    mean, scale = _moments(values)
    by_class = np.ones(N_CLASSES) if class_weight is None else _class_weights(class_weight)
    factor = fit_temperature(scores, truth, by_class[truth])
    x, labels, target = _training_design(scores, values, truth, mean, scale, factor, use_features=use_features, seed=seed)
    row_weights = by_class[labels]
    if l2 is None:
        folds = fold_of_rows(truth.size, n_folds, seed=seed, groups=None if groups is None else np.asarray(groups))
        # A row and its masked copy stay in one fold.
        l2 = choose_l2(x, labels, row_weights, target, np.tile(folds, labels.size // truth.size))
    fit = fit_softmax(x, labels, row_weights, target, l2)
    weights, shift = _split(fit, len(feature_names), use_features=use_features)
    return CalibrationHead(
        feature_schema=feature_schema,
        feature_names=tuple(feature_names),
        mean=mean,
        scale=scale,
        weights=weights,
        missing_shift=shift,
        uses_features=use_features,
        l2=float(l2),
        ablation=ablation,
    )


def measure_ablation(
    logits: Floats,
    features: Floats,
    y: Classes,
    *,
    l2: float | None = None,
    groups: Sequence[object] | None = None,
    n_folds: int = 5,
    seed: int = 0,
    n_resamples: int = N_RESAMPLES,
) -> Ablation:
    """Scorer alone against scorer with features, both by k-fold on the same folds: log loss, macro-F1, ECE and differences.

    Without `l2` each side chooses its strength once, by other folds of the same rows; one choice among five leaks next to nothing
    and leaks to both sides alike. Intervals are 95 % percentile bootstrap over held-out rows.

    Raises:
        PermanentError: as `fit_head`.
    """
    scores, truth = _training_arrays(logits, y)
    names = [str(column) for column in range(np.asarray(features).shape[-1])]
    values = _training_features(features, truth.size, len(names))
    folds = fold_of_rows(truth.size, n_folds, seed=seed, groups=None if groups is None else np.asarray(groups))

    def held_out(*, use_features: bool) -> Floats:
        options: dict[str, Any] = {"use_features": use_features, "seed": seed + 1}
        everything = fit_head(scores, values, truth, names, "", l2=l2, groups=groups, n_folds=n_folds, **options)
        answers = np.empty((truth.size, N_CLASSES))
        for fold in range(n_folds):
            held = folds == fold
            head = fit_head(scores[~held], values[~held], truth[~held], names, "", l2=everything.l2, **options)
            answers[held] = head.probabilities(scores[held], values[held])
        return answers

    alone, full = held_out(use_features=False), held_out(use_features=True)
    return Ablation(n_folds, seed, compare_probabilities(truth, alone, full, seed=seed, n_resamples=n_resamples))


def _training_arrays(logits: Floats, y: Classes) -> tuple[Floats, Ints]:
    truth = as_classes(y, name="y")
    scores = np.asarray(logits, dtype=np.float64)
    require_finite("logits", scores, (truth.size, N_CLASSES))
    return scores, truth


def _training_features(features: Floats | None, n: int, k: int) -> Floats:
    values = np.full((n, k), np.nan) if features is None else np.asarray(features, dtype=np.float64)
    if values.shape != (n, k):
        raise PermanentError(f"Features have shape {values.shape}.", remedy=f"{n} rows and {k} names need {(n, k)}.")
    if np.isinf(values).any():
        raise PermanentError("Features hold infinite values.", remedy="Use NaN for a missing feature.")
    return values


def _moments(values: Floats) -> tuple[Floats, Floats]:
    """Mean and standard deviation of the present values by column; 0 and 1 where there is nothing to divide by."""
    present = ~np.isnan(values)
    count = np.maximum(present.sum(axis=0), 1)
    mean = np.where(present, values, 0.0).sum(axis=0) / count
    scale = np.sqrt((np.where(present, values - mean, 0.0) ** 2).sum(axis=0) / count)
    return mean, np.where(scale > 1e-12 * np.maximum(np.abs(mean), 1.0), scale, 1.0)


def _training_design(
    scores: Floats, values: Floats, truth: Ints, mean: Floats, scale: Floats, factor: float, *, use_features: bool, seed: int
) -> tuple[Floats, Ints, Floats]:
    """Columns, labels and penalty targets: every row as it is and, with features, once more with some of them masked.

    The copy (a random share of the features, another one a row) teaches `missing_shift`; without a shift of its own such a copy
    would pay for calibrated incomplete requests with accuracy on complete ones.
    """
    if not use_features:
        return scores, truth, factor * np.eye(N_CLASSES)
    rng = np.random.default_rng(seed)
    masked = np.where(rng.random(values.shape) < rng.random((truth.size, 1)), np.nan, values)
    standardised, missing_share = standardise(np.vstack([values, masked]), mean, scale)
    plain = np.hstack([np.vstack([scores, scores]), standardised])
    columns = np.hstack([plain, missing_share * plain, missing_share])
    target = np.zeros((columns.shape[1], N_CLASSES))
    target[:N_CLASSES] = factor * np.eye(N_CLASSES)
    return columns, np.concatenate([truth, truth]), target


def _split(fit: SoftmaxFit, k: int, *, use_features: bool) -> tuple[HeadWeights, HeadWeights]:
    """Weights and missing shift from the fitted columns of `_training_design`."""
    if not use_features:
        nothing = np.zeros((k, N_CLASSES))
        still = HeadWeights(np.zeros((N_CLASSES, N_CLASSES)), nothing, np.zeros(N_CLASSES))
        return HeadWeights(fit.weights, nothing, fit.bias), still
    width = N_CLASSES + k
    plain, shift, shift_bias = fit.weights[:width], fit.weights[width : 2 * width], fit.weights[-1]
    return (
        HeadWeights(plain[:N_CLASSES], plain[N_CLASSES:], fit.bias),
        HeadWeights(shift[:N_CLASSES], shift[N_CLASSES:], shift_bias),
    )


def _class_weights(values: Sequence[float]) -> Floats:
    weights = np.asarray(values, dtype=np.float64)
    require_finite("class_weight", weights, (N_CLASSES,))
    if (weights <= 0.0).any():
        raise PermanentError(f"class_weight {list(values)} is not positive.", remedy="Pass three positive numbers.")
    return weights
