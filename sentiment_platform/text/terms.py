"""Learned terms: words and short phrases whose weights come from labelled sentences, found in a text in one pass.

Here: what such a term weighs, where it stands, and how negation and "but" change it. Not here: learning them (`models`), the stock
lexicon (`lexicon`), the sums (`vader`). The engine and the fit both read texts through this file, so that they cannot disagree.
"""

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import NamedTuple

from sentiment_platform.text.lexicon import LexiconError
from sentiment_platform.text.rules import RuleConstants, RuleWords

LONGEST_TERM = 3
"""Words in the longest phrase."""
REACH = 3
"""How many words before a term may negate it, as with the lexicon's words."""


class TermWeight(NamedTuple):
    """What a term adds to a text.

    Attributes:
        valence: directed, on the lexicon's scale; negation and "but" act on it.
        emphasis: undirected, on the same scale: like an exclamation mark it takes the sign of the text's sum. Above 0 it strengthens
            the sentiment of a text, whichever it is; below 0 it pulls the text towards neutral.
    """

    valence: float = 0.0
    emphasis: float = 0.0


class Occurrence(NamedTuple):
    """A term found in a text: the index of its first word, the term, and the number of negations just before it."""

    position: int
    term: str
    negations: int


class _Node:
    """What may follow the words read so far, and the term that they make."""

    __slots__ = ("after", "term")

    def __init__(self) -> None:
        self.after: dict[str, _Node] = {}
        self.term: str | None = None


class TermFinder:
    """Finds every occurrence of a fixed set of terms, overlapping ones too: a phrase adds to its words. Time is linear.

    Raises:
        LexiconError: a term that no text can contain: empty, upper case, more than `LONGEST_TERM` words, or not single-spaced.
    """

    def __init__(self, terms: Sequence[str], words: RuleWords) -> None:
        self._negations = frozenset((*words.negations, "no"))
        root = _Node()
        for term in terms:
            parts = term.split(" ")
            if term != term.lower() or parts != term.split() or len(parts) > LONGEST_TERM:
                raise LexiconError(f"No text can contain the term {term!r}.", remedy="Give one to three lower-case words.")
            node = root
            for part in parts:
                node = node.after.setdefault(part, _Node())
            node.term = term
        self._first = root.after

    def find(self, words: list[str]) -> list[Occurrence]:
        """The occurrences among the lower-case words of a text, by position, shorter terms first."""
        first, occurrences = self._first, list[Occurrence]()
        # Looked for once a text: most have none.
        negating = not self._negations.isdisjoint(words) or any("n't" in word for word in words)
        for position, word in enumerate(words):
            node = first.get(word)
            ahead = position
            while node is not None:
                if node.term is not None:
                    occurrences.append(
                        Occurrence(position, node.term, self._negations_before(words, position) if negating else 0)
                    )
                ahead += 1
                if ahead == len(words) or not node.after:
                    break
                node = node.after.get(words[ahead])
        return occurrences

    def _negations_before(self, words: list[str], position: int) -> int:
        return sum(word in self._negations or "n't" in word for word in words[max(position - REACH, 0) : position])


def clause_of(position: int, but: int | None) -> int:
    """0 without a "but", 1 before the first one (at index `but`), 2 from it on."""
    return 0 if but is None else 1 if position < but else 2


class LearnedTerms:
    """Terms with their weights, ready to weigh texts under one set of constants. Never changes once made."""

    def __init__(self, weights: Mapping[str, TermWeight], constants: RuleConstants) -> None:
        for term, weight in weights.items():
            if not (isfinite(weight.valence) and isfinite(weight.emphasis)):
                raise LexiconError(f"The weights of {term!r} are {weight}.", remedy="Give finite numbers.")
        self.weights = dict(weights)
        self._finder = TermFinder(list(weights), constants.words)
        self._factor_of_clause = (1.0, constants.before_but_factor, constants.after_but_factor)
        self._negation_factor = constants.negation_factor

    def weigh(self, words: list[str]) -> list["WeighedTerm"]:
        """Every occurrence with its weights, in the order of `TermFinder.find`."""
        occurrences = self._finder.find(words)
        if not occurrences:
            return []
        but = words.index("but") if "but" in words else None
        weighed = list[WeighedTerm]()
        for position, term, negations in occurrences:
            base, emphasis = self.weights[term]
            negated = base * self._negation_factor**negations if negations else base
            valence = negated if but is None else negated * self._factor_of_clause[clause_of(position, but)]
            weighed.append(WeighedTerm(position, term, base, negated, valence, emphasis))
        return weighed


class WeighedTerm(NamedTuple):
    """A term in a text: its learned valence, the same after negation, the same after the but-clause rule, and its emphasis."""

    position: int
    term: str
    base: float
    negated: float
    valence: float
    emphasis: float
