"""The two samples of every drift test: what the watched version was made from, and what it is asked now.

Reads and shapes only; the tests are `drift`. Values are columns of float64, NaN where one is missing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from sqlalchemy import Connection

from sentiment_platform.features.schema import schema
from sentiment_platform.monitoring.severity import CONFIDENCE, PREDICTED_LABEL, SENTIMENT
from sentiment_platform.news.stories.near_duplicates import counted_as
from sentiment_platform.statistics.arrays import Floats
from sentiment_platform.statistics.metrics import predicted_classes
from sentiment_platform.store.figures import holdout_predictions
from sentiment_platform.store.predictions import ServedPrediction, served_predictions
from sentiment_platform.store.training_sets import part_features
from sentiment_platform.store.versions import RegisteredVersion

MIN_PREDICTIONS = 500
"""A window with fewer predictions is widened to the last so many."""
MAX_PREDICTIONS = 20_000
"""Of a busier window the newest so many are compared: no shift worth naming hides in that many."""


@dataclass(frozen=True)
class Sample:
    """One subject's values in both samples, (n,) and (m,), and which part of the version's training set the first ones are."""

    subject: str
    part: str
    reference: Floats
    current: Floats


def read_served(connection: Connection, feature_schema: str, now: datetime, window: timedelta) -> list[ServedPrediction]:
    """Predictions of the window, newest first, one for each distinct text and for each text that others syndicate.

    A text that is asked again and again (a page that reloads, a load test) or comes from ten outlets is one observation: the tests
    take rows for independent draws.
    """
    rows = served_predictions(connection, feature_schema, now - window, now, MAX_PREDICTIONS)
    if len(rows) < MIN_PREDICTIONS:
        rows = served_predictions(connection, feature_schema, None, now, MIN_PREDICTIONS)
    distinct = list({row.text_hash: row for row in reversed(rows)}.values())
    counted = counted_as([row.text for row in distinct], [None] * len(distinct))
    return [row for position, row in enumerate(distinct) if counted[position] == position][::-1]


def read_samples(connection: Connection, version: RegisteredVersion, served: Sequence[ServedPrediction]) -> list[Sample]:
    """Every feature against the train part; the scores of `version` against its own answers on its test part."""
    names = schema(version.manifest.feature_schema.name).names
    reference = _matrix(part_features(connection, version.training_set, "train"), len(names))
    current = _matrix([row.features for row in served], len(names))
    features = [Sample(name, "train", reference[:, i], current[:, i]) for i, name in enumerate(names)]
    holdout = holdout_predictions(connection, version.version, version.training_set)
    answers = [row.probabilities for row in served if row.model_version == version.version]
    held_out, answered = (scores(_matrix(rows, 3)) for rows in (list(holdout.values()), answers))
    return [*features, *(Sample(name, "test", held_out[name], answered[name]) for name in held_out)]


def scores(probabilities: Floats) -> dict[str, Floats]:
    """Sentiment [-1, 1], confidence [0, 1] and the index of the predicted label, each (n,), from probabilities (n, 3)."""
    return {
        SENTIMENT: probabilities[:, 2] - probabilities[:, 0],
        CONFIDENCE: probabilities.max(axis=1, initial=0.0),
        PREDICTED_LABEL: predicted_classes(probabilities).astype(np.float64),
    }


def _matrix(rows: Sequence[Sequence[float | None]], columns: int) -> Floats:
    return np.array(rows, dtype=np.float64).reshape(len(rows), columns)
