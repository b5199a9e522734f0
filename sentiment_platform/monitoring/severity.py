"""How bad a drift is, in one of five words, from the rows of one report; and what each word leads to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

Severity = Literal["none", "low", "medium", "high", "critical"]
SEVERITIES: tuple[Severity, ...] = ("none", "low", "medium", "high", "critical")

SENTIMENT, CONFIDENCE, PREDICTED_LABEL = "score:sentiment", "score:confidence", "predicted_label"
SCORES = (SENTIMENT, CONFIDENCE, PREDICTED_LABEL)
"""Subjects that describe what the model answered."""
TEXT = "text"
"""The subject of all texts together; every other subject is a feature."""
CLOCK = ("hour_utc", "weekday")
"""Features that tell the time: each window has hours and days of its own, and no training mends the clock. Shown, never judged."""


class JudgedTest(Protocol):
    """One test of one subject, measured just now or read from the table."""

    @property
    def feature(self) -> str: ...
    @property
    def statistic(self) -> float | None: ...
    @property
    def threshold(self) -> float: ...
    @property
    def drifted(self) -> bool: ...


@dataclass(frozen=True)
class Response:
    """What a severity leads to. Every report is logged.

    Attributes:
        alert: an incident is open as long as it lasts.
        retrain: it is a cause to train again.
        freeze: no version is promoted by itself until it is over or a person lifts it.
    """

    alert: bool = False
    retrain: bool = False
    freeze: bool = False


RESPONSES: Mapping[Severity, Response] = {
    "none": Response(),
    "low": Response(),
    "medium": Response(alert=True),
    "high": Response(alert=True, retrain=True),
    "critical": Response(alert=True, retrain=True, freeze=True),
}


def severity_of(rows: Sequence[JudgedTest]) -> Severity:
    """The first line that holds. Twice its threshold is an area of 0.9 for the texts, whose threshold is 0.7.

    | severity | when |
    |---|---|
    | critical | half of the tested features drifted, and a score or the texts with them |
    | high | half of the features drifted; or a quarter, and a score or the texts with them; or the texts at twice their threshold |
    | medium | a score or the texts drifted, or two features, or one at twice its threshold |
    | low | one feature drifted, by less than twice its threshold |
    | none | nothing drifted, or nothing could be tested; what the clock shows does not count |
    """
    rows = [row for row in rows if row.feature not in CLOCK]
    tested = {row.feature for row in rows if row.statistic is not None and is_feature(row.feature)}
    drifted = [row for row in rows if row.drifted]
    features = {row.feature for row in drifted if is_feature(row.feature)}
    others = {row.feature for row in drifted} - features
    strong = {row.feature for row in drifted if _strength(row) >= 2}
    share = len(features) / len(tested) if tested else 0.0
    if share >= 0.5:
        return "critical" if others else "high"
    if (others and share >= 0.25) or TEXT in strong:
        return "high"
    if others or len(features) >= 2 or strong:
        return "medium"
    return "low" if features else "none"


def is_feature(subject: str) -> bool:
    """Whether a subject is a feature, and neither a score nor the texts."""
    return subject not in SCORES and subject != TEXT


def at_least(severity: Severity, bound: Severity) -> bool:
    """Whether `severity` is `bound` or worse."""
    return SEVERITIES.index(severity) >= SEVERITIES.index(bound)


def _strength(row: JudgedTest) -> float:
    """The statistic in units of its threshold; an area under the curve begins at one half."""
    if row.statistic is None:
        return 0.0
    least = 0.5 if row.feature == TEXT else 0.0
    # (0.9 - 0.5) / (0.7 - 0.5) is not quite 2 in floating point.
    return round((row.statistic - least) / (row.threshold - least), 9)
