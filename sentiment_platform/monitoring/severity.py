"""How bad a drift is, in one of five words, from the rows of one report. What follows from it is `decision`."""

from collections.abc import Sequence
from typing import Literal, Protocol

Severity = Literal["none", "low", "medium", "high", "critical"]
SEVERITIES: tuple[Severity, ...] = ("none", "low", "medium", "high", "critical")

SENTIMENT, CONFIDENCE, PREDICTED_LABEL = "score:sentiment", "score:confidence", "predicted_label"
SCORES = (SENTIMENT, CONFIDENCE, PREDICTED_LABEL)
"""Subjects that describe what the model answered; every other subject is a feature."""


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


def severity_of(rows: Sequence[JudgedTest]) -> Severity:
    """The first line that holds:

    | severity | when |
    |---|---|
    | critical | half of the tested features drifted, and a score with them |
    | high | half of the tested features drifted, or a quarter of them and a score |
    | medium | a score drifted, or two features, or one at twice its threshold |
    | low | one feature drifted, by less than twice its threshold |
    | none | nothing drifted, or nothing could be tested |
    """
    tested = {row.feature for row in rows if row.statistic is not None and row.feature not in SCORES}
    drifted = [row for row in rows if row.drifted]
    features = {row.feature for row in drifted if row.feature not in SCORES}
    score = any(row.feature in SCORES for row in drifted)
    strong = any(row.statistic is not None and row.statistic >= 2 * row.threshold for row in drifted)
    share = len(features) / len(tested) if tested else 0.0
    if share >= 0.5:
        return "critical" if score else "high"
    if score and share >= 0.25:
        return "high"
    if score or len(features) >= 2 or strong:
        return "medium"
    return "low" if features else "none"


def at_least(severity: Severity, bound: Severity) -> bool:
    """Whether `severity` is `bound` or worse."""
    return SEVERITIES.index(severity) >= SEVERITIES.index(bound)
