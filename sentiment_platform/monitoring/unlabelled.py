"""How right the watched version probably is on what it was asked in the last week, before anybody has labelled it; and what the audit says.

The audit sample has labels, so where it excludes the estimate, the estimate is not to be relied on.
"""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from sqlalchemy import Connection, Engine

from sentiment_platform.models.family import LABELS
from sentiment_platform.monitoring.windows import MAX_WINDOW, MIN_TEXTS, WINDOW, stories
from sentiment_platform.served.champion import watched_version
from sentiment_platform.served.performance import live_accuracy
from sentiment_platform.statistics.estimate import ACCURACY, with_interval
from sentiment_platform.statistics.estimated_accuracy import EstimatedAccuracy, estimated_accuracy
from sentiment_platform.store.figures import Figure, holdout_predictions, write_figures
from sentiment_platform.store.predictions import served_predictions
from sentiment_platform.store.training_sets import training_examples
from sentiment_platform.store.versions import RegisteredVersion

ESTIMATED = f"estimated:{WINDOW.days}d"
"""The window under which estimates are stored: of the last week, without labels."""
CONTRADICTED = "not reliable: the audit says otherwise"


@dataclass(frozen=True)
class Unlabelled:
    """The estimate beside the accuracy on the audit sample; `note` says why there is no estimate, or why it is not reliable."""

    estimate: EstimatedAccuracy | None
    audit: Figure | None
    note: str

    @property
    def difference(self) -> float | None:
        """The estimate less what the audit says, where there are both."""
        return self.estimate.value - self.audit.value if self.estimate and self.audit else None

    @property
    def words(self) -> str:
        """Both in a sentence or two."""
        if self.estimate is None:
            return f"No estimate: {self.note}"
        told = f"{with_interval(self.estimate)} of {self.estimate.n:,} answers are right"
        without = (
            f"Estimated without labels: {self.note}. It would say that {told}."
            if self.note
            else f"Estimated without labels: {told}."
        )
        if self.audit is None or self.difference is None:
            return f"{without} No audit to hold it against yet."
        audit = f"{with_interval(self.audit)}, n = {self.audit.n} ({self.audit.window})"
        return f"{without} The audit sample says {audit}: the estimate differs by {self.difference:+.3f}."


def estimate_and_store(engine: Engine, now: datetime) -> Unlabelled:
    """Estimate the accuracy of the watched version in the last week, hold it against the audit, and store a revision if it changed."""
    with engine.begin() as connection:
        version = watched_version(connection)
        if isinstance(version, str):
            return Unlabelled(None, None, version)
        seen = read_unlabelled(connection, version, now)
        if seen.estimate is not None:
            write_figures(connection, [_figure(version.version, seen.estimate, seen.note)], now)
        return seen


def read_unlabelled(connection: Connection, version: RegisteredVersion, now: datetime) -> Unlabelled:
    """The estimate as it is now, and the newest live accuracy."""
    audit = live_accuracy(connection, version.version, now)
    estimate = estimate_of(connection, version, now)
    if estimate is None:
        few = f"{version.version} answered fewer than {MIN_TEXTS} stories in the last week, or its holdout is not stored here."
        return Unlabelled(None, audit, few)
    return Unlabelled(estimate, audit, estimate.why_not or (CONTRADICTED if _excludes(audit, estimate.value) else ""))


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


def _excludes(audit: Figure | None, value: float) -> bool:
    return audit is not None and audit.low is not None and audit.high is not None and not audit.low <= value <= audit.high


def _figure(version: str, estimate: EstimatedAccuracy, note: str) -> Figure:
    return Figure(
        version=version,
        window=ESTIMATED,
        metric=ACCURACY,
        value=estimate.value,
        low=estimate.low,
        high=estimate.high,
        n=estimate.n,
        label_coverage=0.0,
        note=note,
    )
