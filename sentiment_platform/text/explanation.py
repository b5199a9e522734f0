"""Why VADER gave a text its score: every word's share of the sum, and the rule behind each share.

Here: the shares, exact. Not here: the rules (`word_rules`, `contrast`) or how a dashboard colours them.
"""

from collections import defaultdict
from dataclasses import dataclass
from typing import Literal

from sentiment_platform.text.tokens import tokenise
from sentiment_platform.text.vader import VaderEngine, VaderScore
from sentiment_platform.text.word_rules import Notes, WordRule

Rule = Literal["lexicon", "punctuation"] | WordRule


@dataclass(frozen=True, slots=True)
class Adjustment:
    """What one rule added to a word's valence, in units of valence."""

    rule: WordRule
    amount: float


@dataclass(frozen=True, slots=True)
class TokenContribution:
    """One word of the text: its valence in the lexicon (0 if it has none) and what the rules added, in order."""

    token: str
    base: float
    adjustments: tuple[Adjustment, ...] = ()

    @property
    def valence(self) -> float:
        """What the word contributes to the sum."""
        return self.base + sum(adjustment.amount for adjustment in self.adjustments)


@dataclass(frozen=True, slots=True)
class Part:
    """One summand of the sum. `position` is the index of `token` in the tokens, None for punctuation, which belongs to none."""

    token: str
    position: int | None
    rule: Rule
    valence: float


@dataclass(frozen=True, slots=True)
class VaderExplanation:
    """A score and what it is made of.

    Attributes:
        score: equal to `engine.score(text)`.
        raw_sum: the signed sum of all valences and the punctuation; compound = raw_sum / sqrt(raw_sum**2 + alpha).
        tokens: one per word of the text, in order, case kept; an emoji appears as the words of its description.
        punctuation: emphasis of exclamation and question marks with the sign of the sum, 0 where the sum is 0.
    """

    score: VaderScore
    raw_sum: float
    tokens: tuple[TokenContribution, ...]
    punctuation: float

    @property
    def parts(self) -> tuple[Part, ...]:
        """The summands that are not 0; they sum to `raw_sum` to 1e-9."""
        parts: list[Part] = []
        for position, token in enumerate(self.tokens):
            parts.append(Part(token.token, position, "lexicon", token.base))
            parts += (Part(token.token, position, change.rule, change.amount) for change in token.adjustments)
        parts.append(Part("!?", None, "punctuation", self.punctuation))
        return tuple(part for part in parts if part.valence != 0)


def explain(engine: VaderEngine, text: str) -> VaderExplanation:
    """Score a text and account for the score, word by word."""
    notes: Notes = []
    weighed = engine.weigh(text, notes)
    adjustments: defaultdict[int, list[Adjustment]] = defaultdict(list)
    for position, rule, amount in notes:
        if amount != 0:
            adjustments[position].append(Adjustment(rule, amount))
    # Not every word of the lexicon counts in every text: "kind" in "kind of" does not.
    bases = {position: engine.lexicon.valences[weighed.terms[position]] for position in weighed.positions}
    raw_sum = engine.raw_sum(weighed)
    return VaderExplanation(
        score=engine.score_weighed(weighed),
        raw_sum=raw_sum,
        tokens=tuple(
            TokenContribution(token, bases.get(position, 0.0), tuple(adjustments.get(position, ())))
            for position, token in enumerate(tokenise(weighed.text))
        ),
        punctuation=raw_sum - float(sum(weighed.valences)),
    )
