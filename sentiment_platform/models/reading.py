"""A text of any length through any model: whole where the model reads it whole, else passage by passage.

The rule belongs to the build and is the same for every family and version; the README of this folder says what it promises.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from sentiment_platform.features.compute import COMPUTE, NO_CONTEXT
from sentiment_platform.models.explanation import sentiments
from sentiment_platform.models.family import LABELS, Contribution, Explanation, Floats, Model, OneTextModel
from sentiment_platform.text.passages import passages, says_nothing_twice

RULE = 1
"""Number of the rule; another rule has another number, so that answers that are kept by it are not met again."""
PASSAGE = "passage"
"""The rule that an explanation names for a passage."""
_NEUTRAL = LABELS.index("neutral")
_LEAST_WEIGHT = 1e-3
"""So that a text in which nothing is said has an answer too."""


class Reading(NamedTuple):
    """What an answer rests on: the mean of `passages` passages, 1 where the text was read whole, of its first `characters`."""

    passages: int
    characters: int


@dataclass(frozen=True)
class TextReader:
    """A loaded model that answers texts of any length; otherwise the `Model` itself."""

    model: Model

    @property
    def batch_size(self) -> int:
        """Texts that one call handles best."""
        return self.model.batch_size

    @property
    def uses_features(self) -> bool:
        """Whether `predict` looks at the features."""
        return self.model.uses_features

    @property
    def feature_schema(self) -> str:
        """The schema of these features."""
        return self.model.feature_schema

    def fits(self, text: str) -> bool:
        """Whether `text` is read whole."""
        return self.model.fits(text) and says_nothing_twice(text)

    def logits(self, texts: Sequence[str]) -> Floats:
        """(n, 3) scores of the text scorer alone; a longer text is cut as the scorer cuts it."""
        return self.model.logits(texts)

    def predict(self, texts: Sequence[str], features: Floats | None) -> Floats:
        """(n, 3) calibrated probabilities; `features` (n, k) with NaN where missing, or None when all are."""
        fits = self.model.fits
        whole = [fits(text) and says_nothing_twice(text) for text in texts]
        if all(whole):
            return self.model.predict(texts, features)
        answers = np.empty((len(texts), len(LABELS)))
        short = [row for row, at_once in enumerate(whole) if at_once]
        if short:
            given = None if features is None else features[short]
            answers[short] = self.model.predict([texts[row] for row in short], given)
        for row, text in enumerate(texts):
            if not whole[row]:
                given = None if features is None else features[[row]]
                said = self._answers(self._new(text), given)
                answers[row] = weights(said) @ said
        return answers

    def predict_one(self, text: str, features: Sequence[float | None]) -> tuple[float, float, float]:
        """What `predict` says of one text with its k features, None where missing; much quicker where the model has a way for one."""
        if (one_text := self._one_text) is not None and self.fits(text):
            return one_text.predict_one(text, features)
        given = np.array([[np.nan if value is None else value for value in features]], dtype=np.float64)
        negative, neutral, positive = self.predict([text], given)[0].tolist()
        return negative, neutral, positive

    def explain(self, text: str, features: Floats | None) -> Explanation:
        """Where the sentiment of `predict([text], features)` comes from; of a text that is not read whole, passage by passage."""
        if self.fits(text):
            return self.model.explain(text, features)
        read = passages(text, self.model.fits)
        said = self._answers(self._new(text), features)
        nothing, base = (float(sentiments(self.model.predict([""], given))[0]) for given in (features, None))
        added = iter((weights(said) * (sentiments(said) - nothing)).tolist())
        contributions = [
            Contribution(
                text[one.start : one.stop],
                len(text[: one.start].split()),
                next(added) if one.new else 0.0,
                PASSAGE if one.new else "",
            )
            for one in read
        ]
        return Explanation(base, nothing - base, tuple(contributions))

    def reading(self, text: str) -> Reading:
        """What the answer to `text` rests on."""
        if self.fits(text):
            return Reading(1, len(text))
        read = passages(text, self.model.fits)
        return Reading(max(1, sum(one.new for one in read)), read[-1].stop if read else len(text))

    @cached_property
    def _one_text(self) -> OneTextModel | None:
        return self.model if isinstance(self.model, OneTextModel) else None

    def _new(self, text: str) -> list[str]:
        # A text without a word has no passage: the model says what it says of it.
        return [text[one.start : one.stop] for one in passages(text, self.model.fits) if one.new] or [text]

    def _answers(self, read: list[str], features: Floats | None) -> Floats:
        """(n, 3) of n passages. What a feature says of the words, it says of those of the passage; the rest is the request's."""
        if features is None:
            return self.model.predict(read, None)
        given = np.repeat(features, len(read), axis=0)
        if (compute := COMPUTE.get(self.model.feature_schema)) and self.model.uses_features:
            vectors = [compute(text, NO_CONTEXT) for text in read]
            of_words = np.array(
                [[np.nan if value is None else value for value in vector] for vector in vectors], dtype=np.float64
            )
            given = np.where(np.isnan(of_words), given, of_words)
        return self.model.predict(read, given)


def weights(said: Floats) -> Floats:
    """(n,) weights that add up to 1, of passages with probabilities (n, 3): how likely each is not neutral."""
    spoken = 1 - said[:, _NEUTRAL] + _LEAST_WEIGHT
    return spoken / spoken.sum()
