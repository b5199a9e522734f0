"""What a text looks like, counted without any model: words, figures, capitals, marks, negations.

Here: plain counts that features and drift reports use. Not here: sentiment (`vader`) and the feature vector itself (`features`).
"""

import re
from dataclasses import dataclass

from sentiment_platform.text.rules import STOCK_RULES
from sentiment_platform.text.tokens import tokenise

# Letters, joined by single apostrophes or hyphens: "year-end", "didn't", and "m" in "EUR131m".
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_PERCENT = re.compile(r"%|(?<![^\W\d_])(?:per ?cent|pct)\b", re.IGNORECASE)
_NEGATIONS = frozenset(STOCK_RULES.words.negations)


@dataclass(frozen=True, slots=True, kw_only=True)
class LexicalCounts:
    """Counts over one text.

    Attributes:
        word_count: words of letters; figures are not words.
        mean_word_length: characters a word, 0 without words.
        number_count: figures; "1,234.5" is one.
        percent_count: percent signs, "percent", "per cent" and "pct".
        capital_share: share of the words, in [0, 1], that are two characters or longer and all in capitals; 0 without words.
        emphasis_count: exclamation and question marks.
        negation_count: VADER's negation words, and every other word with "n't".
    """

    word_count: int
    mean_word_length: float
    number_count: int
    percent_count: int
    capital_share: float
    emphasis_count: int
    negation_count: int


def lexical_counts(text: str) -> LexicalCounts:
    """Count over a text as given; callers `normalise` it first. Time is linear in its length."""
    words: list[str] = _WORD.findall(text)
    count = len(words)
    return LexicalCounts(
        word_count=count,
        mean_word_length=sum(map(len, words)) / count if count else 0.0,
        number_count=len(_NUMBER.findall(text)),
        percent_count=len(_PERCENT.findall(text)),
        capital_share=sum(len(word) > 1 and word.isupper() for word in words) / count if count else 0.0,
        emphasis_count=text.count("!") + text.count("?"),
        negation_count=sum(_is_negation(term) for term in tokenise(text.lower().replace("’", "'"))),
    )


def _is_negation(term: str) -> bool:
    return term in _NEGATIONS or "n't" in term
