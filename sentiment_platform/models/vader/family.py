"""The VADER family as it answers: the rule engine with what was learned, its two sums as logits, and the calibration head.

Two readable JSON files: `vader.json` (terms, rule constants that differ from the stock ones, thresholds) and `head.json`.
How they are fitted is `training`; the rules are `text.vader`. Light: serving imports this.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from math import isfinite
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from sentiment_platform.errors import PermanentError
from sentiment_platform.models.explanation import sentiments, shares
from sentiment_platform.models.family import Contribution, Explanation, Floats
from sentiment_platform.models.head.head import CalibrationHead
from sentiment_platform.text.explanation import explain
from sentiment_platform.text.lexicon import Lexicon, stock_lexicon
from sentiment_platform.text.passages import is_one_sentence
from sentiment_platform.text.rules import STOCK_RULES, RuleConstants
from sentiment_platform.text.terms import TermWeight
from sentiment_platform.text.vader import VaderEngine

SCORER_FILE = "vader.json"
HEAD_FILE = "head.json"
LONGEST_SENTENCE, LONGEST_TEXT = 96, 32
"""Words that are summed up: of one sentence, longer than any in the public sets, and of a text of several, as long as their longest."""
TUNABLE = frozenset(field.name for field in fields(STOCK_RULES) if isinstance(getattr(STOCK_RULES, field.name), float))
"""The rule constants that a version may change."""


class LearnedTerm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A word or phrase whose weight is not the stock lexicon's.

    Attributes:
        valence: its valence now; 0 for a word of the stock lexicon that says nothing here.
        stock: its valence in the stock lexicon, None where that does not know it. `valence` never has the other sign.
        emphasis: see `text.terms.TermWeight`.
        evidence: training texts that have it; examples: ids of some of them.
    """

    valence: float = 0.0
    stock: float | None = None
    emphasis: float = 0.0
    evidence: int = 0
    examples: tuple[str, ...] = ()


class VaderScorer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is learned beside the head.

    Attributes:
        negative_below, positive_above: in units of valence. Without emphasis, a polarity below the one is negative, above the other
            positive; emphasis moves both away from 0 where it is negative, and towards it where it is positive.
        steepness: logits per unit of valence beyond a threshold.
        largest_sum: polarity and emphasis count up to this much. A text far longer than any in training must not seem certain.
        constants: rule constants that are not the stock ones.
        terms: what differs from the stock lexicon.
    """

    negative_below: float
    positive_above: float
    steepness: float
    largest_sum: float = 100.0
    constants: dict[str, float] = {}
    terms: dict[str, LearnedTerm] = {}

    def __post_init__(self) -> None:
        numbers = (self.negative_below, self.positive_above, self.steepness, self.largest_sum)
        if not all(map(isfinite, numbers)) or self.steepness <= 0 or self.largest_sum <= 0:
            raise ValueError("thresholds must be finite, steepness and largest_sum above 0")
        if unknown := self.constants.keys() - TUNABLE:
            raise ValueError(f"unknown rule constants {sorted(unknown)}")

    def logits(self, polarity: Floats, emphasis: Floats) -> Floats:
        """(n, 3) logits from the two sums of n texts, both (n,)."""
        polarity = np.clip(polarity, -self.largest_sum, self.largest_sum)
        emphasis = np.clip(emphasis, -self.largest_sum, self.largest_sum)
        columns = [self.negative_below - polarity, -emphasis, polarity - self.positive_above]
        return self.steepness * np.column_stack(columns)

    def logits_of_one(self, polarity: float, emphasis: float) -> tuple[float, float, float]:
        """What `logits` says of one text, without arrays."""
        most, steepness = self.largest_sum, self.steepness
        polarity, emphasis = min(max(polarity, -most), most), min(max(emphasis, -most), most)
        return steepness * (self.negative_below - polarity), -steepness * emphasis, steepness * (polarity - self.positive_above)

    def rules(self) -> RuleConstants:
        """The rule constants.

        Raises:
            PermanentError: one with which no score can be computed.
        """
        return replace(STOCK_RULES, **self.constants)

    def engine(self) -> VaderEngine:
        """The engine with these terms and constants.

        Raises:
            PermanentError: the terms were learned on another stock lexicon, turn a sign, or cannot be in any text.
        """
        stock = stock_lexicon()
        valences, learned = dict(stock.valences), dict[str, TermWeight]()
        for term, now in self.terms.items():
            if stock.valences.get(term) != now.stock:
                raise PermanentError(
                    f"{term!r} was learned from the stock valence {now.stock}, which is {stock.valences.get(term)} here.",
                    remedy="Install the vaderSentiment version that constraints.txt names.",
                )
            if now.stock is None:
                learned[term] = TermWeight(now.valence, now.emphasis)
                continue
            if now.valence * now.stock < 0:
                raise PermanentError(f"The learned valence of {term!r} turns its sign.", remedy="Train the model again.")
            # Without valence a word is no word of the lexicon: no rule acts on it.
            valences[term] = now.valence
            if now.valence == 0:
                del valences[term]
            if now.emphasis:
                learned[term] = TermWeight(0.0, now.emphasis)
        return VaderEngine(Lexicon(valences, stock.emoji), self.rules(), learned)


STOCK_SCORER = VaderScorer(negative_below=-0.194, positive_above=0.194, steepness=0.5)
"""VADER as published: its thresholds of compound, -0.05 and 0.05, in units of valence."""


@dataclass(frozen=True)
class VaderModel:
    """A loaded VADER version."""

    engine: VaderEngine
    scorer: VaderScorer
    head: CalibrationHead

    @property
    def batch_size(self) -> int:
        """One text is as cheap as any batch of them."""
        return 1

    def logits(self, texts: Sequence[str]) -> Floats:
        """(n, 3) logits of the rules and terms alone."""
        return scorer_logits(self.engine, self.scorer, texts)

    def predict(self, texts: Sequence[str], features: Floats | None) -> Floats:
        """(n, 3) calibrated probabilities."""
        return self.head.probabilities(self.logits(texts), features)

    def predict_one(self, text: str, features: Sequence[float | None]) -> tuple[float, float, float]:
        """What `predict` says of one text with its features, None for a missing one; without arrays."""
        polarity, emphasis = self.engine.sums(self.engine.weigh(text))
        return self.head.one_row.probabilities(self.scorer.logits_of_one(polarity, emphasis), features)

    @property
    def uses_features(self) -> bool:
        """Whether the head does."""
        return self.head.uses_features

    @property
    def feature_schema(self) -> str:
        """The schema of these features."""
        return self.head.feature_schema

    def explain(self, text: str, features: Floats | None) -> Explanation:
        """What each token and rule adds, read both ways; "!?" stands after the last word."""
        explained = explain(self.engine, text)
        parts = explained.parts_in_text_order
        sums = np.array([(part.polarity, part.emphasis) for part in parts]).reshape(-1, 2)
        nothing = np.zeros((1, 2))
        forwards = np.vstack([nothing, sums.cumsum(axis=0)])
        backwards = np.vstack([sums[::-1].cumsum(axis=0)[::-1], nothing])
        said, without = self._sentiments(np.vstack([forwards, backwards]), features), self._sentiments(nothing, None)
        moved = shares(said[: len(forwards)], said[len(forwards) :])
        contributions = tuple(
            Contribution(part.token, len(explained.tokens) if part.position is None else part.position, float(share), part.rule)
            for part, share in zip(parts, moved, strict=True)
        )
        return Explanation(float(without[0]), float(said[0] - without[0]), contributions)

    def _sentiments(self, sums: Floats, features: Floats | None) -> Floats:
        """(n,) sentiments of polarities and emphases (n, 2), all with the same features (1, k)."""
        given = None if features is None else np.repeat(features, len(sums), axis=0)
        return sentiments(self.head.probabilities(self.scorer.logits(sums[:, 0], sums[:, 1]), given))

    def fits(self, text: str) -> bool:
        """A sentence of at most `LONGEST_SENTENCE` words, or several of together `LONGEST_TEXT`: sums of more words seem too certain."""
        if len(text) < 2 * LONGEST_TEXT:
            return True
        words = len(text.split())
        return words <= LONGEST_TEXT or (words <= LONGEST_SENTENCE and is_one_sentence(text))


def scorer_logits(engine: VaderEngine, scorer: VaderScorer, texts: Sequence[str]) -> Floats:
    """(n, 3) logits of normalised texts."""
    sums = np.array([engine.sums(engine.weigh(text)) for text in texts], dtype=np.float64).reshape(-1, 2)
    return scorer.logits(sums[:, 0], sums[:, 1])


def read_scorer(directory: Path) -> VaderScorer:
    """The scorer of a verified directory.

    Raises:
        PermanentError: the file is missing or is not what this family writes.
    """
    try:
        return msgspec.json.decode((directory / SCORER_FILE).read_bytes(), type=VaderScorer)
    except (OSError, ValueError, RecursionError) as error:
        raise PermanentError(f"{directory} holds no VADER model: {error}.", remedy="Publish the version again.") from error


def load_vader(directory: Path, *, threads: int = 1) -> VaderModel:
    """Read the two files of a verified directory; one thread is all it uses.

    Raises:
        PermanentError: a file is missing or is not what this family writes.
    """
    del threads
    scorer = read_scorer(directory)
    try:
        head: Any = json.loads((directory / HEAD_FILE).read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise PermanentError(f"{directory} holds no VADER model: {error}.", remedy="Publish the version again.") from error
    return VaderModel(scorer.engine(), scorer, CalibrationHead.from_json(head))
