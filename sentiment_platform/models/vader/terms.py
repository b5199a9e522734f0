"""What the training texts hold that VADER can learn from: candidate words and phrases, and where each of them stands.

Here: reading texts into sparse matrices, with the evidence behind each term. Not here: the weights (`fit`), the choice of rule
constants (`search`).
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from sentiment_platform.models.family import Floats, Integers
from sentiment_platform.text.lexicon import Lexicon
from sentiment_platform.text.rules import STOCK_RULES, RuleConstants
from sentiment_platform.text.terms import LONGEST_TERM, TermFinder, clause_of
from sentiment_platform.text.vader import terms_of

LEAST_TEXTS = 3
"""A term must stand in this many training texts before it can get a weight: fewer are anecdotes."""
# Words of grammar: alone, or next to each other, they say nothing about a company. Directions (up, down, from, to) do.
GRAMMAR = frozenset(
    word
    for line in (
        "a an the and or but of in on at by for with as about into than then there here",
        "is are was were be been being has have had will would can may who which that this these those it its",
        "i he she we you they his her our your their such other all both each also 's s",
    )
    for word in line.split()
)
EXAMPLES = 3
"""Example ids that are kept for each term."""
MOSTLY_CAPITAL = 4.0
"""A word with a capital initial this many times as often as without one is a name."""


@dataclass(frozen=True, kw_only=True)
class TermEvidence:
    """Every occurrence of every candidate term in n texts; `m` occurrences of `k` terms.

    Attributes:
        n: number of texts.
        terms: the k candidates, sorted.
        stock: (k,) their valence in the stock lexicon, 0 where it does not know them.
        row, column: (m,) the text and the term of an occurrence.
        negations: (m,) negations just before it.
        clause: (m,) as `text.terms.clause_of` numbers them.
    """

    n: int
    terms: tuple[str, ...]
    stock: Floats
    row: Integers
    column: Integers
    negations: Integers
    clause: Integers

    def valence_matrix(self, constants: RuleConstants) -> Any:
        """Sparse (n, k): how much of a term's valence reaches the polarity of a text under these constants."""
        factor_of_clause = np.array([1.0, constants.before_but_factor, constants.after_but_factor])
        factors = np.power(constants.negation_factor, self.negations) * factor_of_clause[self.clause]
        return self._matrix(np.where(self.negations == 0, factor_of_clause[self.clause], factors))

    def emphasis_matrix(self) -> Any:
        """Sparse (n, k): how often a text has a term."""
        return self._matrix(np.ones(self.row.size))

    def _matrix(self, values: Floats) -> Any:
        from scipy.sparse import csr_matrix

        return csr_matrix((values, (self.row, self.column)), shape=(self.n, len(self.terms)))

    @cached_property
    def texts_of_term(self) -> list[list[int]]:
        """For each term the texts that have it, ascending."""
        texts: list[list[int]] = [[] for _ in self.terms]
        for column, row in sorted(set(zip(self.column.tolist(), self.row.tolist(), strict=True))):
            texts[column].append(row)
        return texts


def read_evidence(texts: Sequence[str], lexicon: Lexicon, *, least_texts: int = LEAST_TEXTS) -> TermEvidence:
    """Find the candidate terms of normalised texts and all their occurrences."""
    written = [text.split() for text in texts]
    words = [terms_of(line) for line in written]
    candidates = _candidates(words, names_in(written), least_texts)
    column_of = {term: column for column, term in enumerate(candidates)}
    finder = TermFinder(candidates, STOCK_RULES.words)
    occurrences = list[tuple[int, int, int, int]]()
    for row, line in enumerate(words):
        but = line.index("but") if "but" in line else None
        occurrences += [(row, column_of[o.term], o.negations, clause_of(o.position, but)) for o in finder.find(line)]
    row, column, negations, clause = np.array(occurrences, dtype=np.int64).reshape(-1, 4).T
    stock = np.array([lexicon.valences.get(term, 0.0) for term in candidates], dtype=np.float64)
    return TermEvidence(
        n=len(texts), terms=tuple(candidates), stock=stock, row=row, column=column, negations=negations, clause=clause
    )


def names_in(written: Sequence[Sequence[str]]) -> frozenset[str]:
    """Lower-case words that are written with a capital initial inside sentences; titles that capitalise most words say nothing.

    A company whose last two years were bad must not make the next sentence about it bad.
    """
    capital, small = Counter[str](), Counter[str]()
    for words in written:
        initials = [word[0].isupper() for word in words[1:] if word[0].isalpha()]
        if sum(initials) * 2 < len(initials):
            for word, term in zip(words[1:], terms_of(list(words[1:])), strict=True):
                (capital if term not in word else small)[term] += 1
    return frozenset(term for term, count in capital.items() if count >= MOSTLY_CAPITAL * small[term])


def _candidates(texts: Sequence[Sequence[str]], names: frozenset[str], least_texts: int) -> list[str]:
    """Words and phrases in at least so many texts, sorted.

    Figures, names and grammar are nothing to learn from. A word that negates or boosts has its effect by rule, alone it has no
    weight. A phrase that only ever stands where one of its parts does would say the same thing twice.
    """
    rules = STOCK_RULES.words
    by_rule = {*rules.negations, *rules.intensifiers, *rules.dampeners, "no"}
    counts = Counter[str]()
    for words in texts:
        learnable = [word not in names and any(map(str.isalpha, word)) for word in words]
        seen = set[str]()
        for start in range(len(words)):
            for end in range(start + 1, min(start + LONGEST_TERM, len(words)) + 1):
                if not learnable[end - 1]:
                    break
                seen.add(" ".join(words[start:end]))
        counts.update(seen)

    def says_more(term: str) -> bool:
        head, _, _ = term.rpartition(" ")
        _, _, tail = term.partition(" ")
        return not head or counts[term] < min(counts[head], counts[tail])

    return sorted(
        term
        for term, count in counts.items()
        if count >= least_texts and term not in by_rule and not GRAMMAR.issuperset(term.split()) and says_more(term)
    )
