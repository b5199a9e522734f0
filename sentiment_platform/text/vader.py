"""The VADER engine: lexicon and rules in, one score out, in time linear in the length of the text.

Here: how a text is read, and the sums. With the stock lexicon and rules every figure equals what the package `vaderSentiment`
3.3.2 computes before it rounds, oddities included. Not here: the rules about a word's neighbours (`word_rules`), normalising
(`normalise`: callers do it first), explanations (`explanation`), the learned parts of the trained family (`models`).
"""

import re
from dataclasses import dataclass
from math import sqrt
from typing import NamedTuple

from sentiment_platform.text.contrast import reweigh_around
from sentiment_platform.text.lexicon import Lexicon
from sentiment_platform.text.rules import STOCK_RULES, RuleConstants
from sentiment_platform.text.tokens import tokenise
from sentiment_platform.text.word_rules import Notes, WordRules

# Not a class of the emoji themselves: beyond the basic plane `re` walks such a class one member at a time.
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")


@dataclass(frozen=True, slots=True)
class VaderScore:
    """compound in [-1, 1]; positive, negative and neutral are shares that sum to 1 (all four are 0 for a text without words)."""

    compound: float
    positive: float
    negative: float
    neutral: float


_NEUTRAL = VaderScore(0.0, 0.0, 0.0, 1.0)
_NO_WORDS = VaderScore(0.0, 0.0, 0.0, 0.0)


class WeighedText(NamedTuple):
    """A text with the word rules applied: what the score is computed from. A tuple, because every text makes one.

    Attributes:
        text: the text with each emoji replaced by its description.
        terms: its words, lower case.
        positions: ascending indices into `terms` of those in the lexicon; all others have valence 0.
        valences: their valences after every word rule, same length as `positions`.
        emphasis: weight of exclamation and question marks, not negative; it takes the sign of the sum.
    """

    text: str
    terms: list[str]
    positions: list[int]
    valences: list[float]
    emphasis: float


class VaderEngine:
    """Scores texts with one lexicon and one set of rule constants. Never changes once made; threads may share it."""

    def __init__(self, lexicon: Lexicon, constants: RuleConstants = STOCK_RULES) -> None:
        self.lexicon = lexicon
        self.constants = constants
        self._rules = WordRules(lexicon, constants)
        # Boosters have no valence of their own, whatever the lexicon says.
        self._scored = {term: value for term, value in lexicon.valences.items() if term not in self._rules.boosters}
        # Only single characters: the reference reads a text character by character and never sees the longer sequences.
        # None in ASCII, so that an ASCII text need not be searched.
        self._emoji = {emoji: name for emoji, name in lexicon.emoji.items() if len(emoji) == 1 and not emoji.isascii()}

    def score(self, text: str) -> VaderScore:
        """The score of a text, not rounded. Source: Hutto & Gilbert, ICWSM 2014."""
        return self.score_weighed(self.weigh(text))

    def weigh(self, text: str, notes: Notes | None = None) -> WeighedText:
        """Apply every word rule. Into `notes` go (index into terms, rule, change of valence) in the order of application."""
        if text.isascii():
            lowered = text.lower()
            terms = tokenise(lowered)
        else:
            if not self._emoji.keys().isdisjoint(text):
                text = _NOT_ASCII.sub(self._describe, text)
            lowered = text.lower()
            # Word by word: beyond ASCII lower case can be longer than the word and depend on its neighbours.
            terms = [word.lower() for word in tokenise(text)]
        scored = self._scored
        positions = [index for index, term in enumerate(terms) if term in scored]
        if positions and "kind" in terms:
            positions = [index for index in positions if terms[index] != "kind" or terms[index + 1 : index + 2] != ["of"]]
        if not positions:
            return WeighedText(text, terms, positions, [], self._emphasis(text))
        shouted = _shouted_words(text)
        if "n't" in lowered:
            valences = [self._rules.valence(terms, shouted, index, notes) for index in positions]
        else:
            undisturbed = self._rules.triggers.isdisjoint
            valences = [
                scored[terms[index]]
                if not shouted[index] and undisturbed(terms[max(index - 3, 0) : index + 3])
                else self._rules.valence(terms, shouted, index, notes)
                for index in positions
            ]
        if "but" in terms:
            valences = self._weigh_clauses(terms.index("but"), positions, valences, notes)
        return WeighedText(text, terms, positions, valences, self._emphasis(text))

    def raw_sum(self, weighed: WeighedText) -> float:
        """The signed sum that compound normalises: all valences, and the emphasis where they do not cancel."""
        total = float(sum(weighed.valences))
        if total > 0:
            return total + weighed.emphasis
        return total - weighed.emphasis if total < 0 else total

    def score_weighed(self, weighed: WeighedText) -> VaderScore:
        """The sums over a text that `weigh` returned."""
        if not weighed.positions:
            return _NEUTRAL if weighed.terms else _NO_WORDS
        raw = self.raw_sum(weighed)
        compound = raw / sqrt(raw * raw + self.constants.compound_alpha)
        positive = negative = 0.0
        neutral = len(weighed.terms)
        for valence in weighed.valences:
            # Plus 1 because each neutral word counts 1.
            if valence > 0:
                positive += valence + 1
                neutral -= 1
            elif valence < 0:
                negative += 1 - valence
                neutral -= 1
        if positive > negative:
            positive += weighed.emphasis
        elif negative > positive:
            negative += weighed.emphasis
        total = positive + negative + neutral
        return VaderScore(compound, positive / total, negative / total, neutral / total)

    def _describe(self, match: re.Match[str]) -> str:
        name = self._emoji.get(match[0])
        if name is None:
            return match[0]
        start = match.start()
        return name if start == 0 or match.string[start - 1] == " " else f" {name}"

    def _weigh_clauses(self, but: int, positions: list[int], valences: list[float], notes: Notes | None) -> list[float]:
        constants = self.constants
        weighed = reweigh_around(but, positions, valences, before=constants.before_but_factor, after=constants.after_but_factor)
        if notes is not None:
            for index, old, new in zip(positions, valences, weighed, strict=True):
                notes.append((index, "but_clause", new - old))
        return weighed

    def _emphasis(self, text: str) -> float:
        constants = self.constants
        emphasis = min(text.count("!"), constants.exclamation_limit) * constants.exclamation_increment
        questions = text.count("?")
        if questions > constants.question_limit:
            return emphasis + constants.question_flood_emphasis
        return emphasis + (questions * constants.question_increment if questions > 1 else 0)


def _shouted_words(text: str) -> list[bool]:
    """Which words are in capitals, if they stand out: nowhere when all of them are."""
    # Untrimmed words will do: punctuation has no case.
    shouted = [word.isupper() for word in text.split()]
    return [False] * len(shouted) if all(shouted) else shouted
