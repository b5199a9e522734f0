"""What users said of a version's answers as one number with its interval. Self-selected: it is told and decides nothing.

Pure functions of what voices said; who speaks, and how often, is settled before (`performance.last_words`).
"""

from collections.abc import Iterable, Sequence
from typing import Protocol

import numpy as np

from sentiment_platform.statistics.estimate import Estimate
from sentiment_platform.statistics.resampling import bootstrap_means, percentile_estimate
from sentiment_platform.statistics.wilson import wilson_estimate
from sentiment_platform.text.sentiment import TIE, likeliest_label

SEED = 20260101


class Answer(Protocol):
    """The answer that somebody speaks of."""

    @property
    def family(self) -> str: ...
    @property
    def probabilities(self) -> Sequence[float]: ...


class Word(Protocol):
    """All that a voice said of one answer; None where it said nothing."""

    @property
    def prediction(self) -> Answer: ...
    @property
    def label(self) -> str | None: ...
    @property
    def preference(self) -> str | None: ...
    @property
    def utility(self) -> float | None: ...


def preferred_share(words: Iterable[Word], least: int) -> Estimate | None:
    """How often the family of the answer was preferred, a tie split in halves, with Wilson's interval; None of fewer than `least` words."""
    won = [
        0.5 if word.preference == TIE else float(word.preference == word.prediction.family) for word in words if word.preference
    ]
    return wilson_estimate(sum(won), len(won)) if len(won) >= least else None


def feedback_score(words: Iterable[Word], least: int) -> Estimate | None:
    """From 0 to 1, the mean over words, with the bootstrap's interval; None of fewer than `least`.

    A word counts for the mean of what it says: 1 where its label is that of the answer, else 0; 1, a half or 0 for preferred, tie and not
    preferred; (1 + utility) / 2.
    """
    scores = [score for word in words if (score := _score(word)) is not None]
    if len(scores) < least:
        return None
    column = np.array(scores, dtype=np.float64)[:, np.newaxis]
    return percentile_estimate(float(column.mean()), bootstrap_means(column, seed=SEED)[:, 0], n=len(scores))


def _score(word: Word) -> float | None:
    said: list[float] = []
    if word.label is not None:
        said.append(float(word.label == likeliest_label(word.prediction.probabilities)))
    if word.preference is not None:
        said.append(0.5 if word.preference == TIE else float(word.preference == word.prediction.family))
    if word.utility is not None:
        said.append((1 + word.utility) / 2)
    return sum(said) / len(said) if said else None
