"""From probabilities to the figures of an answer; pure functions, each documented figure computed in one place."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from sentiment_platform.models import family
from sentiment_platform.text.sentiment import LABELS, Label, likeliest_label, price_direction, sentiment_of
from serving.contract.prediction_bodies import (
    Comparison,
    Explanation,
    LabelProbabilities,
    Performance,
    Prediction,
    TokenContribution,
)
from serving.live.loading import LoadedVersion
from serving.predict.online_features import OnlineFeatures
from serving.work.runner import Probabilities

_OF_FAMILY = "_sentiment"
COMPARED = tuple(field.removesuffix(_OF_FAMILY) for field in Comparison.__struct_fields__ if field.endswith(_OF_FAMILY))
"""The two families that the contract's comparison names; any other family is answered but not compared."""


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
        return sentiment_of(self.probabilities)

    @property
    def label(self) -> Label:
        """The likeliest label."""
        return likeliest_label(self.probabilities)

    @property
    def confidence(self) -> float:
        """Calibrated probability of the label, in [1/3, 1]."""
        return self.probabilities[LABELS.index(self.label)]


def prediction(scored: Scored, *, supported: bool = True) -> Prediction:
    """The part of the answer that the model gave; of a text that is not `supported` nobody knows how sure it is."""
    used = scored.features.values if scored.model.model.uses_features else ()
    return Prediction(
        label=scored.label,
        probabilities=LabelProbabilities(*scored.probabilities),
        sentiment=scored.sentiment,
        confidence=scored.confidence if supported else None,
        supported=supported,
        price_direction=price_direction(scored.label),
        model_used=scored.model.family,
        features_count=len(used),
        features_present=sum(value is not None for value in used),
    )


def explanation(explained: family.Explanation) -> Explanation:
    """The part of the answer that says where its sentiment comes from."""
    return Explanation(
        base=explained.base,
        features=explained.features,
        contributions=[
            TokenContribution(part.token, part.position, part.contribution, part.rule) for part in explained.contributions
        ],
        sum=explained.sum,
    )


def performance(scored: Scored, text: str, response_time_ms: float) -> Performance:
    """The part of the answer to the cleaned `text` that says how it came about."""
    reading = scored.model.model.reading(text)
    return Performance(
        response_time_ms=response_time_ms,
        model_version=scored.model.version,
        cache_hit=scored.cache_hit,
        passages=reading.passages,
        characters_read=reading.characters,
        truncated=reading.characters < len(text),
    )


def comparison(done: Sequence[Scored]) -> Comparison:
    """Both compared families side by side; null for what was not run."""
    by_family = {scored.model.family: scored for scored in done}
    compared = [by_family[family] for family in COMPARED if family in by_family]
    figures: dict[str, object] = {f"{scored.model.family}{_OF_FAMILY}": scored.sentiment for scored in compared}
    if len(compared) == len(COMPARED):
        first, second = compared
        figures |= {"agreement": first.label == second.label, "confidence_delta": second.confidence - first.confidence}
    return msgspec.structs.replace(Comparison(), **figures)
