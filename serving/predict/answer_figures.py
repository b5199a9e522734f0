"""From probabilities to the figures of an answer; pure functions, each documented figure computed in one place."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from sentiment_platform.text.sentiment import LABELS
from serving.contract.prediction_bodies import Comparison, Performance, Prediction, PriceDirection
from serving.live.inference import Probabilities
from serving.live.loading import LoadedVersion
from serving.predict.online_features import OnlineFeatures

BULLISH_ABOVE = 0.15
BEARISH_BELOW = -0.15
"""Sentiment beyond which the price direction is named; a word for the tone of the text, not a forecast of a price."""

_OF_FAMILY = "_sentiment"
COMPARED = tuple(field.removesuffix(_OF_FAMILY) for field in Comparison.__struct_fields__ if field.endswith(_OF_FAMILY))
"""The two families that the contract's comparison names; any other family is answered but not compared."""

NEGATIVE, POSITIVE = LABELS.index("negative"), LABELS.index("positive")


@dataclass(frozen=True)
class Scored:
    """One model's answer to one text; `inference_ms` is 0 for a cached one."""

    model: LoadedVersion
    features: OnlineFeatures
    probabilities: Probabilities
    cache_hit: bool
    inference_ms: float

    @property
    def sentiment(self) -> float:
        """Probability of positive less probability of negative, in [-1, 1]."""
        return self.probabilities[POSITIVE] - self.probabilities[NEGATIVE]

    @property
    def confidence(self) -> float:
        """Calibrated probability of the likeliest label, in [1/3, 1]."""
        return max(self.probabilities)

    @property
    def label(self) -> str:
        """The likeliest label."""
        return LABELS[self.probabilities.index(self.confidence)]


def price_direction(sentiment: float) -> PriceDirection:
    """Bullish above +0.15, bearish below -0.15, neutral between and on either threshold."""
    if sentiment > BULLISH_ABOVE:
        return "bullish"
    return "bearish" if sentiment < BEARISH_BELOW else "neutral"


def prediction(scored: Scored) -> Prediction:
    """The part of the answer that the model gave."""
    return Prediction(
        sentiment=scored.sentiment,
        confidence=scored.confidence,
        price_direction=price_direction(scored.sentiment),
        model_used=scored.model.family,
        features_count=len(scored.features.values),
    )


def performance(scored: Scored, response_time_ms: float) -> Performance:
    """The part of the answer that says how it came about."""
    return Performance(response_time_ms, scored.model.version, scored.cache_hit)


def comparison(done: Sequence[Scored]) -> Comparison:
    """Both compared families side by side; null for what was not run."""
    by_family = {scored.model.family: scored for scored in done}
    compared = [by_family[family] for family in COMPARED if family in by_family]
    figures: dict[str, object] = {f"{scored.model.family}{_OF_FAMILY}": scored.sentiment for scored in compared}
    if len(compared) == len(COMPARED):
        first, second = compared
        figures |= {"agreement": first.label == second.label, "confidence_delta": second.confidence - first.confidence}
    return msgspec.structs.replace(Comparison(), **figures)
