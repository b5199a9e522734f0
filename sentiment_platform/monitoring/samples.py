"""The two samples of every drift test, of the features, of the scores and of the texts. The tests are `drift`, the spans `windows`.

Values are columns of float64, NaN where one is missing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection

from sentiment_platform.features.schema import schema
from sentiment_platform.monitoring.severity import CONFIDENCE, PREDICTED_LABEL, SENTIMENT
from sentiment_platform.monitoring.windows import MAX_EARLIER
from sentiment_platform.statistics.arrays import Floats
from sentiment_platform.statistics.metrics import predicted_classes
from sentiment_platform.store.drift import EARLIER
from sentiment_platform.store.figures import holdout_predictions
from sentiment_platform.store.predictions import ServedPrediction
from sentiment_platform.store.training_sets import part_features, part_texts
from sentiment_platform.store.versions import RegisteredVersion


@dataclass(frozen=True)
class Sample:
    """One subject's values in both samples, (n,) and (m,), and what the first ones are: `EARLIER`, or a part of the training set."""

    subject: str
    part: str
    reference: Floats
    current: Floats


@dataclass(frozen=True)
class Texts:
    """The texts of both samples, and what the first ones are."""

    part: str
    reference: Sequence[str]
    current: Sequence[str]


def change_samples(
    version: RegisteredVersion, earlier: Sequence[ServedPrediction], served: Sequence[ServedPrediction]
) -> tuple[list[Sample], Texts]:
    """What was asked in a window beside what was asked before. Answers are compared with earlier answers of the same version alone."""
    names = schema(version.manifest.feature_schema.name).names
    sides = [_matrix([row.features for row in rows], len(names)) for rows in (earlier, served)]
    answers = [
        scores(_matrix([row.probabilities for row in rows if row.model_version == version.version], 3))
        for rows in (earlier, served)
    ]
    features = [Sample(name, EARLIER, sides[0][:, i], sides[1][:, i]) for i, name in enumerate(names)]
    return (
        [*features, *(Sample(name, EARLIER, answers[0][name], answers[1][name]) for name in answers[0])],
        Texts(EARLIER, [row.text for row in earlier], [row.text for row in served]),
    )


def fit_samples(
    connection: Connection, version: RegisteredVersion, served: Sequence[ServedPrediction]
) -> tuple[list[Sample], Texts]:
    """Features and texts against the train part; the scores of `version` against its own answers on its test part."""
    names = schema(version.manifest.feature_schema.name).names
    reference = _matrix(part_features(connection, version.training_set, "train"), len(names))
    current = _matrix([row.features for row in served], len(names))
    features = [Sample(name, "train", reference[:, i], current[:, i]) for i, name in enumerate(names)]
    holdout = holdout_predictions(connection, version.version, version.training_set)
    answers = [row.probabilities for row in served if row.model_version == version.version]
    held_out, answered = (scores(_matrix(rows, 3)) for rows in (list(holdout.values()), answers))
    trained_on = part_texts(connection, version.training_set, "train", MAX_EARLIER)
    return (
        [*features, *(Sample(name, "test", held_out[name], answered[name]) for name in held_out)],
        Texts("train", trained_on, [row.text for row in served]),
    )


def scores(probabilities: Floats) -> dict[str, Floats]:
    """Sentiment [-1, 1], confidence [0, 1] and the index of the predicted label, each (n,), from probabilities (n, 3)."""
    return {
        SENTIMENT: probabilities[:, 2] - probabilities[:, 0],
        CONFIDENCE: probabilities.max(axis=1, initial=0.0),
        PREDICTED_LABEL: predicted_classes(probabilities).astype(np.float64),
    }


def _matrix(rows: Sequence[Sequence[float | None]], columns: int) -> Floats:
    return np.array(rows, dtype=np.float64).reshape(len(rows), columns)
