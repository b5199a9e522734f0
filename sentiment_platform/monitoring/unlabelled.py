"""How right the watched version probably is on what it was asked in the last week, before anybody has labelled it."""

from datetime import datetime

import numpy as np
from sqlalchemy import Connection

from sentiment_platform.models.family import LABELS
from sentiment_platform.monitoring.windows import MAX_WINDOW, MIN_TEXTS, WINDOW, stories
from sentiment_platform.served.champion import watched_version
from sentiment_platform.statistics.estimated_accuracy import EstimatedAccuracy, estimated_accuracy
from sentiment_platform.store.figures import holdout_predictions
from sentiment_platform.store.predictions import served_predictions
from sentiment_platform.store.training_sets import training_examples
from sentiment_platform.store.versions import RegisteredVersion


def estimated_in_words(connection: Connection, now: datetime) -> str:
    """The estimate in a sentence, or why there is none or why it is not reliable."""
    version = watched_version(connection)
    if isinstance(version, str):
        return version
    estimate = estimate_of(connection, version, now)
    if estimate is None:
        return f"No estimate: {version.version} answered fewer than {MIN_TEXTS} stories in the last week, or its holdout is not stored here."
    if not estimate.is_reliable:
        return f"Estimated without labels: {estimate.why_not}."
    return f"Estimated without labels: {estimate.value:.3f} [{estimate.low:.3f}, {estimate.high:.3f}] of {estimate.n:,} answers are right."


def estimate_of(connection: Connection, version: RegisteredVersion, now: datetime) -> EstimatedAccuracy | None:
    """From the confidence of its answers of the last week; its calibration is judged on its holdout."""
    schema = version.manifest.feature_schema.name
    served = stories(served_predictions(connection, schema, now - WINDOW, now, MAX_WINDOW), version.version)
    answers = [row.probabilities for row in served if row.model_version == version.version]
    said = holdout_predictions(connection, version.version, version.training_set)
    held_out = [row for row in training_examples(connection, version.training_set, "test") if row.example_id in said]
    if len(answers) < MIN_TEXTS or not held_out:
        return None
    truth = np.array([LABELS.index(row.label) for row in held_out], dtype=np.int64)  # type: ignore[arg-type]
    labelled = np.array([said[row.example_id] for row in held_out], dtype=np.float64)
    return estimated_accuracy(np.array(answers, dtype=np.float64), truth, labelled)
