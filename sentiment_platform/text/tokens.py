"""Words as VADER sees them: split at white space, punctuation trimmed, emoticons left whole.

Here: the one tokeniser of the engine and the lexical counts. Not here: the subword tokens of the transformers (`models`).
"""

from string import punctuation


def tokenise(text: str) -> list[str]:
    """The words of a text in order, case kept, each one trimmed."""
    return list(map(trim, text.split()))


def trim(word: str) -> str:
    """The word without ASCII punctuation at both ends, unless that leaves two characters or fewer.

    Such a word may be an emoticon and stays whole, so `(up)` and `up.` keep their marks, as in Hutto and Gilbert's implementation.
    """
    # isalpha() first only because it is the cheaper answer for most words.
    return word if word.isalpha() or len(trimmed := word.strip(punctuation)) <= 2 else trimmed
