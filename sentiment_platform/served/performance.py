"""How right the served versions are: by the audit sample, which judges, and beside it by feedback, which does not; rows in `model_performance`.

Texts that a version was fitted on are left out: being right about them proves nothing. Below `MIN_LABELS` there is no figure.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256

import msgspec
import numpy as np
from sqlalchemy import Connection, Engine

from sentiment_platform.models.evaluation.evaluation import SEED, Evaluation, figures
from sentiment_platform.models.evaluation.seen_texts import learned_from
from sentiment_platform.models.family import LABELS
from sentiment_platform.served.accuracy_trend import trend_figures
from sentiment_platform.served.audit import Audited, accuracy_of, audit_figures, audited
from sentiment_platform.served.feedback_score import feedback_score, preferred_share
from sentiment_platform.statistics.calibration import calibration_report
from sentiment_platform.statistics.estimate import ACCURACY, FEEDBACK_SCORE, PREFERRED_SHARE, UTILITY, Estimate
from sentiment_platform.statistics.metrics import classification_report
from sentiment_platform.statistics.resampling import bootstrap_means, percentile_estimate
from sentiment_platform.store.audit_sample import draw_sample
from sentiment_platform.store.figures import Figure, newest_figures, write_figures
from sentiment_platform.store.predictions import FeedbackOnPrediction, feedback_by_day, feedback_on_predictions, prediction_counts
from sentiment_platform.store.versions import get_version
from sentiment_platform.text.normalise import text_hash
from sentiment_platform.text.sentiment import likeliest_label

DAYS = (7, 30)
MIN_LABELS = 30
AUDIT, FEEDBACK = "audit", "feedback"
"""What a window's name begins with: `audit:7d` is the random sample, labelled by people who were asked to; `feedback:7d` what users said."""
SELF_SELECTED = "self-selected, not judged"
"""The note on every figure of feedback: nobody knows how those who speak differ from those who do not, so nothing is decided by it."""
NO_AUDIT = Audited(sampled=0, labelled=0, in_sample=0, rows=())


@dataclass(frozen=True)
class Judged:
    """All that a voice said of one version's answers to a text: its newest label, preference and utility, each on its own."""

    prediction: FeedbackOnPrediction
    label: str | None
    preference: str | None
    utility: float | None


@dataclass(frozen=True, kw_only=True)
class VersionPerformance:
    """One version over one window.

    Attributes:
        predictions: made in the window; `sampled` of them are in the audit sample (0 for feedback).
        labelled: answers with a label, of the sample or by feedback; `in_sample` of them are texts that the version was fitted on, which
            no figure counts.
        note: what keeps figures from being given, or what a reader must know of them.
    """

    version: str
    window: str
    predictions: int
    sampled: int
    labelled: int
    in_sample: int
    figures: tuple[Figure, ...]
    note: str


@dataclass(frozen=True)
class PerformanceReport:
    """Every version that answered in any of the windows.

    `added` counts the figures that are new or changed, `anonymous` the feedback without a voice in the longest window.
    """

    rows: tuple[VersionPerformance, ...]
    added: int
    anonymous: int

    def digest(self) -> str:
        """Names every figure, and every count where there is none."""
        content = [
            [r.version, r.window, r.predictions, r.sampled, r.labelled, [[f.metric, f.value, f.n] for f in r.figures]]
            for r in self.rows
        ]
        return sha256(json.dumps(content).encode()).hexdigest()


def measure_performance(
    engine: Engine, now: datetime, days: Sequence[int] = DAYS, *, anonymous: bool = False
) -> PerformanceReport:
    """Draw the audit sample, measure every version that answered within so many `days` before `now`, store a revision of what changed.

    `anonymous`: feedback without a voice is heard too, as one voice.
    """
    rows: list[VersionPerformance] = []
    with engine.begin() as connection:
        draw_sample(connection, now)
        for length in days:
            since = now - timedelta(days=length)
            counts = prediction_counts(connection, since, now)
            audits = audited(connection, since, now)
            judged = last_words(feedback_on_predictions(connection, since, now, anonymous=anonymous))
            for version, predictions in counts.items():
                rows.append(_by_audit(version, f"{AUDIT}:{length}d", predictions, audits.get(version, NO_AUDIT)))
                of_version = [row for row in judged if row.prediction.model_version == version]
                rows.append(_by_feedback(connection, version, f"{FEEDBACK}:{length}d", predictions, of_version))
        added = write_figures(connection, [figure for row in rows for figure in row.figures], now)
        by_day = feedback_by_day(connection, now - timedelta(days=max(days)))
    return PerformanceReport(tuple(rows), added, sum(day.anonymous for day in by_day))


def live_accuracy(connection: Connection, version: str, now: datetime) -> Figure | None:
    """The accuracy on the audit sample of the shortest window that has one which is not older than the window itself."""
    stored = {figure.window: figure for figure in newest_figures(connection, [version]) if figure.metric == ACCURACY}
    for length in DAYS:
        figure = stored.get(f"{AUDIT}:{length}d")
        if figure and figure.as_of > now - timedelta(days=length):
            return figure
    return None


def last_words(feedback: Sequence[FeedbackOnPrediction]) -> list[Judged]:
    """Fold feedback, oldest first, to one row a voice, text and version; those without a voice are one voice.

    Saying nothing of the label does not take an earlier one back.
    """
    latest: dict[tuple[str | None, str, str], Judged] = {}
    for row in feedback:
        whose = (row.voice, row.text_hash, row.model_version)
        before = latest.get(whose) or Judged(row, None, None, None)
        latest[whose] = Judged(
            row,
            row.label or before.label,
            row.preference or before.preference,
            before.utility if row.utility is None else row.utility,
        )
    return list(latest.values())


def _by_audit(version: str, window: str, predictions: int, audit: Audited) -> VersionPerformance:
    accuracy = accuracy_of(audit)
    effective = accuracy.n if accuracy else 0
    coverage = len(audit.rows) / predictions
    told = audit_figures(version, window, audit, accuracy, coverage) if accuracy else []
    judged = [(row.predicted_at, row.text_hash, likeliest_label(row.probabilities) == label) for row, label in audit.rows]
    told += trend_figures(version, window, judged, coverage, MIN_LABELS)
    return VersionPerformance(
        version=version,
        window=window,
        predictions=predictions,
        sampled=audit.sampled,
        labelled=audit.labelled,
        in_sample=audit.in_sample,
        figures=tuple(told) if effective >= MIN_LABELS else (),
        note="" if effective >= MIN_LABELS else f"{effective} usable labels of different stories, {MIN_LABELS} are needed",
    )


def _by_feedback(
    connection: Connection, version: str, window: str, predictions: int, judged: Sequence[Judged]
) -> VersionPerformance:
    labelled = [row for row in judged if row.label is not None]
    seen = _fitted_on(connection, version, labelled)
    usable = [row for row in labelled if _example_id(row) not in seen]
    said = [(row.prediction.predicted_at, row.prediction.text_hash, _agrees(row)) for row in usable]
    useful = [row.utility for row in judged if row.utility is not None]
    live_figures = [
        *(_label_figures(version, window, usable, len(usable) / predictions) if len(usable) >= MIN_LABELS else []),
        *trend_figures(version, window, said, len(usable) / predictions, MIN_LABELS),
        *_figure(version, window, PREFERRED_SHARE, preferred_share(judged, MIN_LABELS), predictions),
        *_figure(version, window, UTILITY, _mean(useful), predictions),
        *_figure(version, window, FEEDBACK_SCORE, feedback_score(judged, MIN_LABELS), predictions),
    ]
    in_sample = len(labelled) - len(usable)
    few = f"; {len(usable)} usable labels, {MIN_LABELS} are needed" if len(usable) < MIN_LABELS else ""
    return VersionPerformance(
        version=version,
        window=window,
        predictions=predictions,
        sampled=0,
        labelled=len(labelled),
        in_sample=in_sample,
        figures=tuple(replace(figure, note=SELF_SELECTED) for figure in live_figures),
        note=f"{SELF_SELECTED}{few}",
    )


def _label_figures(version: str, window: str, rows: Sequence[Judged], coverage: float) -> list[Figure]:
    truth = np.array([LABELS.index(row.label) for row in rows], dtype=np.int64)  # type: ignore[arg-type]
    probabilities = np.array([row.prediction.probabilities for row in rows], dtype=np.float64)
    report = classification_report(truth, probabilities, seed=SEED)
    evaluation = Evaluation(probabilities, report, calibration_report(truth, probabilities, seed=SEED))
    return figures(version, window, evaluation, label_coverage=coverage)


def _agrees(row: Judged) -> bool:
    return row.label == likeliest_label(row.prediction.probabilities)


def _mean(values: Sequence[float]) -> Estimate | None:
    """With the bootstrap's interval; None of fewer than `MIN_LABELS`."""
    if len(values) < MIN_LABELS:
        return None
    column = np.array(values, dtype=np.float64)[:, np.newaxis]
    return percentile_estimate(float(column.mean()), bootstrap_means(column, seed=SEED)[:, 0], n=len(values))


def _figure(version: str, window: str, metric: str, mean: Estimate | None, predictions: int) -> list[Figure]:
    if mean is None:
        return []
    coverage = mean.n / predictions
    return [Figure(version=version, window=window, metric=metric, label_coverage=coverage, **msgspec.structs.asdict(mean))]


def _fitted_on(connection: Connection, version: str, rows: Sequence[Judged]) -> set[str]:
    registered = get_version(connection, version)
    return learned_from(connection, registered, [_example_id(row) for row in rows]) if registered and rows else set()


def _example_id(row: Judged) -> str:
    """The id that this text has, or would have, in a training set."""
    return text_hash(row.prediction.text)[:32]
