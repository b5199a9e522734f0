"""How often a classifier is right: accuracy, precision, recall and F1 with bootstrap intervals.

Whether its probabilities can be believed is `calibration`; whether one classifier beats another is `significance`.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from sentiment_platform.statistics.arrays import (
    LABELS,
    N_CLASSES,
    Classes,
    Floats,
    Ints,
    Label,
    Matrix,
    as_classes,
    as_probabilities,
)
from sentiment_platform.statistics.estimate import Estimate
from sentiment_platform.statistics.resampling import N_RESAMPLES, bootstrap_counts, percentile_estimate


class ClassMetrics(msgspec.Struct, frozen=True):
    """One class against the rest; `support` is the number of rows that truly are of it."""

    label: Label
    precision: Estimate
    recall: Estimate
    f1: Estimate
    support: int


class ClassificationReport(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the confusion matrix says. `confusion[i][j]` counts rows of true class i that were predicted as j."""

    n: int
    accuracy: Estimate
    macro_f1: Estimate
    classes: tuple[ClassMetrics, ...]
    confusion: tuple[tuple[int, ...], ...]
    confidence: float
    n_resamples: int
    seed: int


def predicted_classes(probabilities: Floats) -> Ints:
    """The most probable class of each row, shape (n,); the first of equals: `text.sentiment.likeliest_label` for arrays."""
    return np.argmax(probabilities, axis=1).astype(np.int64)


def confusion_matrix(y_true: Ints, y_pred: Ints) -> Ints:
    """Counts, shape (3, 3): rows are true classes, columns predicted ones."""
    cells = np.bincount(y_true * N_CLASSES + y_pred, minlength=N_CLASSES * N_CLASSES)
    return cells.reshape(N_CLASSES, N_CLASSES).astype(np.int64)


def classification_report(
    y_true: Classes,
    probabilities: Matrix,
    *,
    seed: int,
    n_resamples: int = N_RESAMPLES,
    confidence: float = 0.95,
    stories: Ints | None = None,
) -> ClassificationReport:
    """Figures and percentile intervals from labels (n,) and probabilities (n, 3).

    Each row counts. With `stories`, one number a row (n,), the rows of a story are drawn together.

    Macro-F1 is the plain mean over all three classes. A ratio 0/0 (a class never predicted, or absent) counts as 0, which is what
    scikit-learn reports for `labels=[0, 1, 2], zero_division=0`.

    Raises:
        PermanentError: shapes or values that are not labels and probabilities.
    """
    truth = as_classes(y_true, name="y_true")
    predicted = predicted_classes(as_probabilities(probabilities, n=truth.size))
    confusion = confusion_matrix(truth, predicted)
    observed = ratios(confusion.astype(np.float64))
    if stories is None:
        resampled = ratios(bootstrap_counts(confusion, seed=seed, n_resamples=n_resamples))
    else:
        kinds, counts = _kinds_of_story(truth, predicted, stories)
        resampled = ratios(np.tensordot(bootstrap_counts(counts, seed=seed, n_resamples=n_resamples), kinds, 1))

    def estimate(value: float, samples: Floats) -> Estimate:
        return percentile_estimate(value, samples, n=int(truth.size), confidence=confidence)

    def of_class(index: int) -> ClassMetrics:
        precision, recall, f1 = (
            estimate(float(seen[index]), drawn[:, index])
            for seen, drawn in (
                (observed.precision, resampled.precision),
                (observed.recall, resampled.recall),
                (observed.f1, resampled.f1),
            )
        )
        return ClassMetrics(LABELS[index], precision, recall, f1, support=int(confusion[index].sum()))

    return ClassificationReport(
        n=int(truth.size),
        accuracy=estimate(float(observed.accuracy), resampled.accuracy),
        macro_f1=estimate(float(observed.macro_f1), resampled.macro_f1),
        classes=tuple(of_class(index) for index in range(N_CLASSES)),
        confusion=tuple(tuple(int(cell) for cell in row) for row in confusion),
        confidence=confidence,
        n_resamples=n_resamples,
        seed=seed,
    )


def _kinds_of_story(truth: Ints, predicted: Ints, stories: Ints) -> tuple[Floats, Ints]:
    """The different confusion matrices (k, 3, 3) that one story can have, and how many stories have each, (k,)."""
    cells = N_CLASSES * N_CLASSES
    story = np.unique(stories, return_inverse=True)[1]
    tables = np.bincount(story * cells + truth * N_CLASSES + predicted, minlength=(int(story.max()) + 1) * cells)
    kinds, counts = np.unique(tables.reshape(-1, cells), axis=0, return_counts=True)
    return kinds.reshape(-1, N_CLASSES, N_CLASSES).astype(np.float64), counts.astype(np.int64)


class Ratios(NamedTuple):
    """Of confusion matrices (..., 3, 3): accuracy and macro-F1 (...,), precision, recall and F1 (..., 3)."""

    accuracy: Floats
    macro_f1: Floats
    precision: Floats
    recall: Floats
    f1: Floats


def ratios(confusion: Floats) -> Ratios:
    """The ratios of confusion matrices (..., 3, 3); 0/0 is 0."""
    hits = np.diagonal(confusion, axis1=-2, axis2=-1)
    true_rows = confusion.sum(axis=-1)
    predicted_rows = confusion.sum(axis=-2)
    f1 = _divide(2.0 * hits, true_rows + predicted_rows)
    return Ratios(
        accuracy=_divide(hits.sum(axis=-1), confusion.sum(axis=(-2, -1))),
        macro_f1=f1.mean(axis=-1),
        precision=_divide(hits, predicted_rows),
        recall=_divide(hits, true_rows),
        f1=f1,
    )


def _divide(part: npt.NDArray[np.float64], whole: npt.NDArray[np.float64]) -> Floats:
    part, whole = np.asarray(part, dtype=np.float64), np.asarray(whole, dtype=np.float64)
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
