"""What the engine must know of a word before it looks at the words around it, one byte each, remembered from text to text.

Here: the flags and their cache. Not here: what follows from them (`vader`, `word_rules`).
"""

from collections.abc import Callable, Container
from typing import TypeVar

Value = TypeVar("Value")

SCORED, TRIGGER, CAPITALS, SHOUTED, BUT, KIND = 1, 2, 4, 8, 16, 32
"""In the lexicon; makes a rule change words near it; in capitals; both in the lexicon and in capitals; the words "but" and "kind"."""

CACHED_WORDS = 16_384
"""News repeats itself: this many spellings of words are remembered, a few MB."""
_LONGEST_CACHED = 40


class WordCache(dict[str, Value]):
    """From a word as written to what `compute` says of it; emptied when full. Threads may share it: what is lost is computed again."""

    def __init__(self, compute: Callable[[str], Value]) -> None:
        super().__init__()
        self._compute = compute

    def __missing__(self, word: str) -> Value:
        value = self._compute(word)
        if len(word) <= _LONGEST_CACHED:
            if len(self) >= CACHED_WORDS:
                self.clear()
            self[word] = value
        return value


def flags_of(word: str, term: str, scored: Container[str], triggers: Container[str]) -> int:
    """The flags of a word as written, which the lexicon knows as `term`."""
    known, capitals = term in scored, word.isupper()
    return (
        (SCORED if known else 0)
        # Every word with n't negates.
        | (TRIGGER if term in triggers or "n't" in term else 0)
        # Punctuation has no case: the word need not be trimmed.
        | (CAPITALS if capitals else 0)
        | (SHOUTED if known and capitals else 0)
        | (BUT if term == "but" else 0)
        | (KIND if term == "kind" else 0)
    )
