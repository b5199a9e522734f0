"""The closed vocabulary of labels and its order (index 0, 1, 2 of every probability array), and the one rule from probabilities to words.

Serving, accuracy, agreement and the commands call these functions; `statistics.metrics.predicted_classes` is the same rule for arrays.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

Label = Literal["negative", "neutral", "positive"]
LABELS: tuple[Literal["negative"], Literal["neutral"], Literal["positive"]] = ("negative", "neutral", "positive")
PriceDirection = Literal["bullish", "bearish", "neutral"]
TIE = "tie"
"""What a person who compares two answers says where neither is better."""

_DIRECTIONS: Mapping[Label, PriceDirection] = {"negative": "bearish", "neutral": "neutral", "positive": "bullish"}


def likeliest_label(probabilities: Sequence[float]) -> Label:
    """The label of an answer: the likeliest of the three; of equals, the first in the order of `LABELS`."""
    return LABELS[max(range(len(LABELS)), key=probabilities.__getitem__)]


def price_direction(label: Label) -> PriceDirection:
    """A word for the label, nothing more: bullish for positive, bearish for negative. It is not a forecast of any price."""
    return _DIRECTIONS[label]


def sentiment_of(probabilities: Sequence[float]) -> float:
    """Probability of positive less probability of negative, in [-1, 1]. Its sign never contradicts the label."""
    return probabilities[2] - probabilities[0]
