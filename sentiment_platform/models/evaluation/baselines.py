"""What a version has to beat to be of use: the answer that is always the same, and VADER as published. Measured on the same texts."""

from collections.abc import Mapping

import msgspec
import numpy as np

from sentiment_platform.models.family import LABELS, Floats, Integers, TrainingData
from sentiment_platform.statistics.estimate import Estimate
from sentiment_platform.statistics.metrics import classification_report
from sentiment_platform.text.lexicon import stock_lexicon
from sentiment_platform.text.vader import VaderEngine

SEED = 20260101
PUBLISHED_THRESHOLD = 0.05
"""Compound from which VADER's authors call a text positive, and below whose inverse negative (Hutto and Gilbert 2014)."""


class Baseline(msgspec.Struct, frozen=True):
    """How often a baseline is right on the test part."""

    accuracy: Estimate
    macro_f1: Estimate


def measure_baselines(data: TrainingData) -> Mapping[str, Baseline]:
    """Name -> figures on the test part. The constant answer is the commonest label of the training part."""
    commonest = int(np.bincount(data.train.labels, minlength=len(LABELS)).argmax())
    compound = np.array([VaderEngine(stock_lexicon()).score(text).compound for text in data.test.texts])
    said = np.where(compound >= PUBLISHED_THRESHOLD, 2, np.where(compound <= -PUBLISHED_THRESHOLD, 0, 1))
    return {
        f"always {LABELS[commonest]}": _measured(data.test.labels, np.full(len(data.test), commonest)),
        "VADER as published": _measured(data.test.labels, said),
    }


def _measured(truth: Integers, said: Integers) -> Baseline:
    certain: Floats = np.eye(len(LABELS))[said]
    report = classification_report(truth, certain, seed=SEED)
    return Baseline(report.accuracy, report.macro_f1)
