"""What would change if other answers had been given to requests that were served: pure figures, and how they are told.

Who is asked again, and with which requests, is `replay`.
"""

import math
from collections.abc import Sequence
from datetime import datetime

import msgspec
import numpy as np

from sentiment_platform.markdown_tables import markdown_table
from sentiment_platform.models.family import LABELS, Floats
from sentiment_platform.statistics.estimate import Estimate, with_interval
from sentiment_platform.statistics.metrics import confusion_matrix, predicted_classes
from sentiment_platform.statistics.wilson import wilson_estimate

MOST_SHOWN, SHOWN_CHARACTERS = 10, 120
_Z_95 = 1.959963984540054


class Latency(msgspec.Struct, frozen=True):
    """Milliseconds of one text: median and 95th percentile of `n`."""

    p50_ms: float
    p95_ms: float
    n: int


class ChangedAnswer(msgspec.Struct, frozen=True):
    """A served text with the label and the score that it got, and would get."""

    text: str
    label: str
    score: float
    new_label: str
    new_score: float


class AnswerChanges(msgspec.Struct, frozen=True, kw_only=True):
    """What `version` says of requests that `served_by` answered.

    Attributes:
        since, until: when the oldest and the newest of the requests were answered.
        changed: share of the requests whose label would be another one.
        matrix: counts, a row for each label as served, a column for each label of the version, in the order of `LABELS`.
        score_change: mean of the new score less the served one. `score_moved`: mean of its size.
        largest: the changes with the largest difference of score, the largest first.
        other_schema: requests whose features are of a schema that the version does not read; it had the features of their text alone.
        served_latency: as measured when they were served; `latency`: of the version here. None where nothing was measured.
    """

    version: str
    served_by: str
    since: datetime
    until: datetime
    changed: Estimate
    matrix: list[list[int]]
    score_change: Estimate
    score_moved: float
    largest: list[ChangedAnswer]
    other_schema: int
    served_latency: Latency | None
    latency: Latency | None

    def words(self) -> str:
        """The conclusion as sentences."""
        told = (
            f"Of {self.changed.n:,} requests that {self.served_by} answered from {self.since:%Y-%m-%d} to {self.until:%Y-%m-%d}, "
            f"{self.version} would give {with_interval(self.changed, '.1%')} another label. The score would move by "
            f"{with_interval(self.score_change, '+.3f')} on the mean, {self.score_moved:.3f} in size."
        )
        if self.latency and self.served_latency:
            told += (
                f" A text took {self.served_latency.p50_ms:.1f} ms (p95 {self.served_latency.p95_ms:.1f}) when it was served, and takes "
                f"{self.latency.p50_ms:.1f} ms (p95 {self.latency.p95_ms:.1f}) here, on one thread."
            )
        if self.other_schema:
            told += f" {self.other_schema:,} of them had features that it does not read: it saw those of the text alone."
        return told

    def report(self) -> str:
        """Markdown: the conclusion, which label became which, and the largest changes."""
        counts = [(label, *(f"{count:,}" for count in row)) for label, row in zip(LABELS, self.matrix, strict=True)]
        changes = [
            (_cut(one.text), f"{one.label} {one.score:+.2f}", f"{one.new_label} {one.new_score:+.2f}") for one in self.largest
        ]
        return "\n\n".join(
            [
                self.words(),
                markdown_table((f"{self.served_by} said", *(f"{self.version}: {label}" for label in LABELS)), counts),
                markdown_table(("text", "served", "would be"), changes, "No answer would change."),
            ]
        )


def changes_of(
    texts: Sequence[str],
    served: Floats,
    new: Floats,
    times: Sequence[datetime],
    latencies: tuple[Sequence[float], Sequence[float]],
    **named: object,
) -> AnswerChanges:
    """Compare the probabilities `served` (n, 3) with `new` (n, 3) on n texts that were answered at `times`.

    Args:
        latencies: of the answers as served, and of the new ones, in milliseconds; either may be empty.
        named: `version`, `served_by`, `other_schema`.
    """
    before, after = predicted_classes(served), predicted_classes(new)
    scores = served[:, 2] - served[:, 0], new[:, 2] - new[:, 0]
    moved = scores[1] - scores[0]
    mean, n = float(moved.mean()), len(texts)
    half = _Z_95 * float(moved.std(ddof=1)) / math.sqrt(n) if n > 1 else 0.0
    order = sorted(range(n), key=lambda row: (-abs(moved[row]), texts[row]))[:MOST_SHOWN]
    largest = [
        ChangedAnswer(
            texts[row],
            LABELS[int(before[row])],
            round(float(scores[0][row]), 4),
            LABELS[int(after[row])],
            round(float(scores[1][row]), 4),
        )
        for row in order
        if abs(moved[row]) > 1e-9
    ]
    figures = {
        "since": min(times),
        "until": max(times),
        "changed": wilson_estimate(int((before != after).sum()), n),
        "matrix": confusion_matrix(before, after).tolist(),
        "score_change": Estimate(mean, mean - half, mean + half, n),
        "score_moved": float(np.abs(moved).mean()),
        "largest": largest,
        "served_latency": latency_of(latencies[0]),
        "latency": latency_of(latencies[1]),
    }
    return msgspec.convert({**figures, **named}, AnswerChanges)


def latency_of(milliseconds: Sequence[float]) -> Latency | None:
    """Median and 95th percentile; None of nothing."""
    if not milliseconds:
        return None
    p50, p95 = np.percentile(milliseconds, [50, 95])
    return Latency(round(float(p50), 3), round(float(p95), 3), len(milliseconds))


def _cut(text: str) -> str:
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[: SHOWN_CHARACTERS - 1]}…"
