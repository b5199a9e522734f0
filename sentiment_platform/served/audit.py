"""How right a version is on the random sample of what it answered, by labels that people gave to that sample (set `audit`).

What users said by themselves is not read here: who speaks, and of which answer, is no random draw.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
from sqlalchemy import Connection

from sentiment_platform.labels.consolidation import consolidate, trainable
from sentiment_platform.labels.examples import AUDIT_SET
from sentiment_platform.models.evaluation.evaluation import SEED, Evaluation, figures
from sentiment_platform.models.evaluation.seen_texts import learned_from
from sentiment_platform.models.family import LABELS, Floats
from sentiment_platform.news.stories.near_duplicates import counted_as
from sentiment_platform.statistics.arrays import Ints
from sentiment_platform.statistics.calibration import calibration_report
from sentiment_platform.statistics.estimate import ACCURACY, BRIER, Estimate
from sentiment_platform.statistics.metrics import classification_report, predicted_classes
from sentiment_platform.statistics.shares import share_estimate
from sentiment_platform.store.audit_sample import SampledAnswer, sampled_answers
from sentiment_platform.store.figures import Figure
from sentiment_platform.store.labels import all_labels
from sentiment_platform.store.versions import get_version


@dataclass(frozen=True, kw_only=True)
class Audited:
    """What the sample has of one version's answers in a window.

    Attributes:
        sampled: answers in the sample; `labelled` of them have a label, on `in_sample` of those the version was trained or chosen.
        rows: the other labelled ones, on which figures may rest, with their labels.
    """

    sampled: int
    labelled: int
    in_sample: int
    rows: Sequence[tuple[SampledAnswer, str]]


def audited(connection: Connection, since: datetime, until: datetime) -> Mapping[str, Audited]:
    """Version -> what the sample has of its answers in (since, until]; versions without any are absent."""
    labels = audit_labels(connection)
    by_version: dict[str, list[SampledAnswer]] = {}
    for answer in sampled_answers(connection, since, until):
        by_version.setdefault(answer.model_version, []).append(answer)
    return {version: _of_version(connection, version, answers, labels) for version, answers in by_version.items()}


def audit_labels(connection: Connection) -> dict[str, str]:
    """Text hash -> the label that those who labelled the sample agree on; texts on which they are divided have none."""
    said = consolidate(trainable(all_labels(connection, AUDIT_SET)))
    return {row.text_hash: row.label for row in said.kept}


def accuracy_of(audit: Audited) -> Estimate | None:
    """The share of right answers, each served one counted; copies and repetitions of one text are one draw. None without labels."""
    if not audit.rows:
        return None
    truth, probabilities = _arrays(audit.rows)
    return share_estimate(predicted_classes(probabilities) == truth, _stories(audit.rows))


def audit_figures(version: str, window: str, audit: Audited, accuracy: Estimate, coverage: float) -> list[Figure]:
    """Accuracy, macro-F1, the figures of each class and the calibration error; their `n` is the effective number of answers."""
    truth, probabilities = _arrays(audit.rows)
    report = classification_report(truth, probabilities, seed=SEED, stories=_stories(audit.rows))
    evaluation = Evaluation(probabilities, report, calibration_report(truth, probabilities, seed=SEED))
    told = [figure for figure in figures(version, window, evaluation, label_coverage=coverage) if figure.metric != BRIER]
    return [
        replace(figure, n=accuracy.n)
        if figure.metric != ACCURACY
        else replace(figure, value=accuracy.value, low=accuracy.low, high=accuracy.high, n=accuracy.n)
        for figure in told
    ]


def _of_version(connection: Connection, version: str, answers: Sequence[SampledAnswer], labels: Mapping[str, str]) -> Audited:
    labelled = [(answer, labels[answer.text_hash]) for answer in answers if answer.text_hash in labels]
    registered = get_version(connection, version)
    ids = sorted({answer.text_hash[:32] for answer, _ in labelled})
    seen = learned_from(connection, registered, ids) if registered and ids else set[str]()
    rows = [row for row in labelled if row[0].text_hash[:32] not in seen]
    return Audited(sampled=len(answers), labelled=len(labelled), in_sample=len(labelled) - len(rows), rows=rows)


def _arrays(rows: Sequence[tuple[SampledAnswer, str]]) -> tuple[Ints, Floats]:
    truth = np.array([LABELS.index(label) for _, label in rows], dtype=np.int64)  # type: ignore[arg-type]
    return truth, np.array([answer.probabilities for answer, _ in rows], dtype=np.float64)


def _stories(rows: Sequence[tuple[SampledAnswer, str]]) -> Ints:
    """A number for each row: rows of one text, and of its syndicated copies, share it."""
    texts = {answer.text_hash: answer.text for answer, _ in rows}
    story = dict(zip(texts, counted_as(list(texts.values()), [None] * len(texts)), strict=True))
    return np.array([story[answer.text_hash] for answer, _ in rows], dtype=np.int64)
