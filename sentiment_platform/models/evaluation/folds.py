"""k-fold by story, beside the holdout: how much a figure depends on which stories were held out. Nothing is chosen by it.

A family whose entry says how is trained again for each fold. Any other keeps its scorer, which takes long, and fits its calibration
head again, over texts that the scorer was not trained on.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from sentiment_platform.errors import PermanentError
from sentiment_platform.labels.examples import FEEDBACK_SET
from sentiment_platform.models.evaluation.evaluation import predict_sorted
from sentiment_platform.models.evaluation.fold_figures import FoldFigures
from sentiment_platform.models.families import FAMILIES, load_model
from sentiment_platform.models.family import (
    Family,
    Floats,
    LabelledTexts,
    Model,
    Progress,
    ProgressSink,
    TrainingData,
    TrainingOptions,
)
from sentiment_platform.models.head.label_rule import fit_labelling_head
from sentiment_platform.statistics.arrays import Ints
from sentiment_platform.statistics.estimate import Estimate
from sentiment_platform.statistics.metrics import confusion_matrix, predicted_classes, ratios
from sentiment_platform.statistics.softmax_regression import fold_of_rows

FOLDS = 5
MIN_TEXTS = 500
"""In all three parts: with fewer, a fold has less than a hundred, and its figure says nothing."""
_T_95 = 2.7764451051977987
"""Of Student's t with FOLDS - 1 degrees of freedom."""


class _Learned(msgspec.Struct, frozen=True):
    """Of what a family exported: what could not be learned, and why."""

    warning: str | None = None


def measure_folds(
    family: Family, model: Model, data: TrainingData, options: TrainingOptions, progress: ProgressSink
) -> FoldFigures | None:
    """The k-fold of a version that was just trained; None where the labels are too few for it.

    Args:
        model: the version, as it was loaded from its files.
    """
    if len(data.train) + len(data.validation) + len(data.test) < MIN_TEXTS:
        return None
    parameters = FAMILIES[family.name].for_folds
    try:
        if parameters is None:
            return _heads(model, data, options.seed, _reported(progress, family.name))
        return _families(family, data, options, parameters, _reported(progress, family.name))
    except PermanentError:
        return None  # A fold lacks a label, or there are fewer stories than folds.


def mean_over_folds(values: Floats, n: int) -> Estimate:
    """Mean of a figure over folds (k,) with its t interval, which is a little narrow: folds share training texts.

    Source: Bengio and Grandvalet, "No unbiased estimator of the variance of k-fold cross-validation", JMLR 5, 2004.
    """
    mean, half = float(values.mean()), _T_95 * float(values.std(ddof=1)) / math.sqrt(values.size)
    return Estimate(mean, max(0.0, mean - half), min(1.0, mean + half), n)


def _heads(model: Model, data: TrainingData, seed: int, report: Callable[[int], None]) -> FoldFigures:
    rows = _together(data.validation, data.test)
    folds, answers = _folds(rows, seed), np.empty((len(rows), 3))
    logits = _logits_sorted(model, rows)
    for fold in range(FOLDS):
        held = folds == fold
        kept = _taken(rows, np.flatnonzero(~held))
        head, _ = fit_labelling_head(logits[~held], kept, data.feature_names, data.feature_schema, seed=seed)
        answers[held] = head.probabilities(logits[held], rows.features[held])
        report(fold + 1)
    return _figures(rows, folds, answers, refitted="head")


def _families(
    family: Family, data: TrainingData, options: TrainingOptions, parameters: Mapping[str, Any], report: Callable[[int], None]
) -> FoldFigures:
    rows = _together(data.train, data.validation, data.test)
    folds, answers = _folds(rows, options.seed), np.empty((len(rows), 3))
    # What users said of answers trains and never judges, here as in the split.
    judging = ~_from_feedback(rows)
    choice = replace(options, parameters={**options.parameters, **parameters}, champion=None)
    for fold in range(FOLDS):
        following = (fold + 1) % FOLDS
        held, choosing = folds == fold, (folds == following) & judging
        part = replace(
            data,
            digest=f"{data.digest}, fold {fold + 1} of {FOLDS}",
            train=_taken(rows, np.flatnonzero(~held & ~choosing)),
            validation=_taken(rows, np.flatnonzero(choosing)),
            test=_taken(rows, np.flatnonzero(held & judging)),
        )
        with TemporaryDirectory(prefix="fold-") as folder:
            exported = family.export(family.train(part, choice, _silent), part, Path(folder), _silent)
            if warning := msgspec.convert(exported.figures, _Learned).warning:
                raise PermanentError(f"A fold could not be learned: {warning}", remedy="Label more texts.")
            answers[held & judging] = predict_sorted(load_model(family.name, Path(folder)), part.test.texts, part.test.features)
        report(fold + 1)
    kept = np.flatnonzero(judging)
    return _figures(_taken(rows, kept), folds[kept], answers[kept], refitted="family", parameters=dict(parameters))


def _figures(rows: LabelledTexts, folds: Ints, answers: Floats, **how: Any) -> FoldFigures:
    said = predicted_classes(answers)
    tables = [confusion_matrix(rows.labels[folds == fold], said[folds == fold]) for fold in range(FOLDS)]
    of_folds = ratios(np.array(tables, dtype=np.float64))
    return FoldFigures(
        texts=len(rows),
        stories=len(set(rows.stories)) or len(rows),
        accuracy=mean_over_folds(of_folds.accuracy, len(rows)),
        macro_f1=mean_over_folds(of_folds.macro_f1, len(rows)),
        by_fold=[round(float(value), 4) for value in of_folds.macro_f1],
        **how,
    )


def _folds(rows: LabelledTexts, seed: int) -> Ints:
    groups = np.array(rows.stories) if rows.stories else None
    return fold_of_rows(len(rows), FOLDS, seed=seed, groups=groups)


def _from_feedback(rows: LabelledTexts) -> npt.NDArray[np.bool_]:
    return np.array([name == FEEDBACK_SET for name in rows.label_sets] or [False] * len(rows), dtype=np.bool_)


def _logits_sorted(model: Model, rows: LabelledTexts) -> Floats:
    """(n, 3), neighbours in length together."""
    order = sorted(range(len(rows)), key=lambda row: len(rows.texts[row]))
    logits = np.empty((len(rows), 3))
    for start in range(0, len(order), model.batch_size):
        chosen = order[start : start + model.batch_size]
        logits[chosen] = model.logits([rows.texts[row] for row in chosen])
    return logits


def _together(*parts: LabelledTexts) -> LabelledTexts:
    def joined(column: Callable[[LabelledTexts], Sequence[str]]) -> list[str]:
        return [value for part in parts for value in column(part)]

    return LabelledTexts(
        ids=joined(lambda part: part.ids),
        texts=joined(lambda part: part.texts),
        labels=np.concatenate([part.labels for part in parts]),
        features=np.concatenate([part.features for part in parts]),
        label_sets=joined(lambda part: part.label_sets),
        stories=joined(lambda part: part.stories),
    )


def _taken(rows: LabelledTexts, chosen: Ints) -> LabelledTexts:
    """Those of the rows, in this order."""
    indices = [int(row) for row in chosen]
    return LabelledTexts(
        ids=[rows.ids[row] for row in indices],
        texts=[rows.texts[row] for row in indices],
        labels=rows.labels[indices],
        features=rows.features[indices],
        label_sets=[rows.label_sets[row] for row in indices] if rows.label_sets else (),
        stories=[rows.stories[row] for row in indices] if rows.stories else (),
    )


def _silent(progress: Progress) -> None:
    del progress


def _reported(progress: ProgressSink, family: str) -> Callable[[int], None]:
    def told(done: int) -> None:
        progress(Progress(stage=f"{family}: k-fold by story", done=done, total=FOLDS, rate=0.0, remaining_s=0.0))

    return told
