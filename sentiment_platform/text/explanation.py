"""Why VADER gave a text its score: every word's share of the sum, and the rule behind each share.

Here: the shares, exact. Not here: the rules (`word_rules`, `contrast`, `terms`) or how a dashboard colours them.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from sentiment_platform.text.terms import WeighedTerm
from sentiment_platform.text.tokens import trim
from sentiment_platform.text.vader import Sums, VaderEngine, VaderScore, terms_of
from sentiment_platform.text.word_rules import Notes, WordRule

Rule = Literal["lexicon", "punctuation", "learned", "emphasis", ""] | WordRule


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
    """One summand of the sum.

    Attributes:
        token: a word, a learned phrase, or "!?".
        position: the index of the token, or of its first word, in the tokens; None for punctuation, which belongs to none.
        rule: "lexicon" and "learned" are a word's own valence, "emphasis" is what a learned term adds to or takes from the sum without
            having a direction of its own; the others changed a valence. "" where nothing moved.
        valence: its share of the sum.
        emphasis: of punctuation and "emphasis": the amount before it took the side of the sum. These two have no polarity of their own.
    """

    token: str
    position: int | None
    rule: Rule
    valence: float
    emphasis: float = 0.0

    @property
    def polarity(self) -> float:
        """Its share of the polarity."""
        return 0.0 if self.rule in ("punctuation", "emphasis") else self.valence


@dataclass(frozen=True, slots=True, kw_only=True)
class VaderExplanation:
    """A score and what it is made of.

    Attributes:
        score: equal to `engine.score(text)`.
        raw_sum: the signed sum of all valences and the emphasis; compound = raw_sum / sqrt(raw_sum**2 + alpha).
        sums: polarity and emphasis before the one was limited by the other.
        tokens: one per word of the text, in order, case kept; an emoji appears as the words of its description.
        learned: the shares of learned terms, in text order.
        punctuation: emphasis of exclamation and question marks with the sign of the sum, 0 where the sum is 0.
        marks: the same before it took the sign.
    """

    score: VaderScore
    raw_sum: float
    sums: Sums
    tokens: tuple[TokenContribution, ...]
    learned: tuple[Part, ...]
    punctuation: float
    marks: float

    @property
    def parts(self) -> tuple[Part, ...]:
        """The summands that are not 0; they sum to `raw_sum` to 1e-9."""
        parts: list[Part] = []
        for position, token in enumerate(self.tokens):
            parts.append(Part(token.token, position, "lexicon", token.base))
            parts += (Part(token.token, position, change.rule, change.amount) for change in token.adjustments)
        parts += self.learned
        parts.append(Part("!?", None, "punctuation", self.punctuation, self.marks))
        return tuple(part for part in parts if part.valence != 0 or part.emphasis != 0)

    @property
    def parts_in_text_order(self) -> tuple[Part, ...]:
        """`parts` as they stand and are written in the text, a phrase at its first word; a word that nothing moved is a part of 0."""
        moved: defaultdict[int, list[Part]] = defaultdict(list)
        touched: set[int] = set()
        for part in self.parts:
            if part.position is None:
                moved[len(self.tokens)].append(part)
                continue
            words = range(part.position, part.position + len(part.token.split()))
            written = " ".join(self.tokens[position].token for position in words)
            moved[part.position].append(replace(part, token=written))
            touched.update(words)
        parts: list[Part] = []
        for position, token in enumerate(self.tokens):
            parts += moved[position] if position in touched else [Part(token.token, position, "", 0.0)]
        return (*parts, *moved[len(self.tokens)])


def explain(engine: VaderEngine, text: str) -> VaderExplanation:
    """Score a text and account for the score, word by word."""
    notes: Notes = []
    weighed = engine.weigh(text, notes)
    adjustments: defaultdict[int, list[Adjustment]] = defaultdict(list)
    for position, rule, amount in notes:
        if amount != 0:
            adjustments[position].append(Adjustment(rule, amount))
    # Not every word of the lexicon counts in every text: "kind" in "kind of" does not.
    terms = terms_of(weighed.words)
    bases = {position: engine.lexicon.valences[terms[position]] for position in weighed.positions}
    sums = engine.sums(weighed)
    raw_sum = sums.score
    # What one unit of emphasis contributes: its sign is the polarity's, and where it would turn the score it only cancels it.
    unit = (raw_sum - sums.polarity) / sums.emphasis if sums.emphasis else 0.0
    return VaderExplanation(
        score=engine.score_weighed(weighed),
        raw_sum=raw_sum,
        sums=sums,
        tokens=tuple(
            TokenContribution(trim(word), bases.get(position, 0.0), tuple(adjustments.get(position, ())))
            for position, word in enumerate(weighed.words)
        ),
        learned=tuple(part for term in weighed.learned for part in _learned_parts(term, unit)),
        punctuation=unit * weighed.punctuation,
        marks=weighed.punctuation,
    )


def _learned_parts(term: WeighedTerm, unit: float) -> Iterator[Part]:
    yield Part(term.term, term.position, "learned", term.base)
    yield Part(term.term, term.position, "negation", term.negated - term.base)
    yield Part(term.term, term.position, "but_clause", term.valence - term.negated)
    yield Part(term.term, term.position, "emphasis", unit * term.emphasis, term.emphasis)
