"""Whether a text is English that a model can read: a share of known words, counted.

A rule and three word lists, some microseconds a text. Not here: which other language it is; what becomes of a text that cannot be read.
"""

import re
from enum import IntEnum
from functools import cache
from pathlib import Path

from sentiment_platform.text.lexicon import stock_lexicon
from sentiment_platform.text.word_flags import WordCache

WORDS_FILE = Path(__file__).with_name("english_words.txt")
FOREIGN_WORDS_FILE = Path(__file__).with_name("foreign_words.txt")
"""Small words of other languages, which English has in names alone."""
SHARED_WORDS_FILE = Path(__file__).with_name("shared_words.txt")
"""Words of many languages: they say nothing about which one it is."""
JUDGED = 2_000
"""Characters from the start of a text that are looked at."""
_APART = re.compile(r"https?://\S+|(?<![\w@.])(?:[\w-]{1,63}\.){1,5}[a-z]{2,10}(?:/\S*|(?!\S))|[$@#]\w+|'(?:s|d|m|t|ll|re|ve)\b")
"""Addresses, cashtags, hashtags, names of accounts and what an apostrophe cut off are no words."""
_MAY_STAND_APART = re.compile(r"[.$@#':]")
"""Without one of these nothing does; looking for them is twenty times as quick."""
_WORD = re.compile(r"[^\W\d_]+")
_WEAK = frozenset(
    ["am", "an", "are", "as", "at", "be", "by", "for", "has", "in", "is", "it", "no", "not", "of", "on", "was", "were", "will"]
)
"""English words that stand in other languages too, with another meaning."""
_WEAK_COUNTS, _FEWEST = 0.4, 0.7
_FOR_EACH_UNKNOWN, _FOR_EACH_ACCENTED, _FOR_EACH_NAME = 0.6, 1.1, 0.12
_CAPITAL_BESIDE_FOREIGN = 0.35
"""What a known word with a capital counts where other words are foreign: it may be the name of an English company."""
_ENDINGS = ("s", "ed", "d", "ing", "ly")


def is_english(text: str) -> bool:
    """Whether a normalised text has enough known English words beside what it has of others.

    Words in lower case that are not known weigh most, those beyond ASCII more; a capital may begin a name. A text without a known word is
    not English: other scripts, gibberish, symbols, digits.
    """
    text = text[:JUDGED]
    read = _APART.sub(" ", text) if _MAY_STAND_APART.search(text) else text
    kinds = bytes(map(_KINDS.__getitem__, _WORD.findall(read)))
    count = kinds.count
    unknown, accented, names = count(_Kind.UNKNOWN), count(_Kind.ACCENTED), count(_Kind.NAME)
    capitals = count(_Kind.CAPITAL) * (_CAPITAL_BESIDE_FOREIGN if unknown or accented else 1)
    known = count(_Kind.KNOWN) + _WEAK_COUNTS * count(_Kind.WEAK) + capitals
    return known >= max(_FEWEST, _FOR_EACH_UNKNOWN * unknown + _FOR_EACH_ACCENTED * accented + _FOR_EACH_NAME * names)


class _Kind(IntEnum):
    """What a word says: in lower case or with a capital known, or not known and beyond ASCII, or maybe a name."""

    NOTHING = 0
    WEAK = 1
    KNOWN = 2
    CAPITAL = 3
    UNKNOWN = 4
    ACCENTED = 5
    NAME = 6


def _kind(word: str) -> _Kind:
    lower, read = word.lower(), _words()
    if len(word) == 1:
        return _Kind.NOTHING
    if lower in _WEAK:
        return _Kind.WEAK
    if word in _listed(FOREIGN_WORDS_FILE):
        return _Kind.UNKNOWN
    if lower in _listed(SHARED_WORDS_FILE):
        return _Kind.NOTHING
    if lower in read or any(lower.endswith(end) and _is_stem(lower[: -len(end)]) for end in _ENDINGS):
        return _Kind.CAPITAL if word[0].isupper() else _Kind.KNOWN
    if word[0].isupper():
        return _Kind.NAME
    return _Kind.UNKNOWN if word.isascii() else _Kind.ACCENTED


_KINDS = WordCache(_kind)


def _is_stem(stem: str) -> bool:
    return len(stem) > 3 and (stem in _words() or f"{stem}e" in _words())


@cache
def _words() -> frozenset[str]:
    """The word list, and what the stock lexicon knows of four letters and more."""
    of_lexicon = {word for word in stock_lexicon().valences if len(word) > 3 and word.isascii() and word.isalpha()}
    return frozenset((of_lexicon | _listed(WORDS_FILE)) - _listed(SHARED_WORDS_FILE) - _WEAK)


@cache
def _listed(file: Path) -> frozenset[str]:
    return frozenset(file.read_text("utf-8").split())
