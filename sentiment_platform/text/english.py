"""Whether a text is English that a model can read: a share of known words, counted.

A rule and a word list, some microseconds a text. Not here: which other language it is; what becomes of a text that cannot be read.
"""

import re
from functools import cache
from pathlib import Path

from sentiment_platform.text.lexicon import stock_lexicon

WORDS_FILE = Path(__file__).with_name("english_words.txt")
JUDGED = 2_000
"""Characters from the start of a text that are looked at."""
_APART = re.compile(r"https?://\S+|[$@#]\w+")
"""Addresses, cashtags, hashtags and names of accounts are of no language."""
_WORD = re.compile(r"[^\W\d_]+")
_WEAK = frozenset(
    ["am", "an", "are", "as", "at", "be", "by", "for", "has", "in", "is", "it", "no", "not", "of", "on", "was", "were", "will"]
)
"""English words that stand in other languages too, with another meaning."""
_SHARED = frozenset(
    [
        "a",
        "ab",
        "ad",
        "ag",
        "agenda",
        "al",
        "alpha",
        "asa",
        "auto",
        "av",
        "bank",
        "banks",
        "beta",
        "bn",
        "bonus",
        "but",
        "capital",
        "central",
        "ceo",
        "cfo",
        "chain",
        "co",
        "con",
        "corp",
        "da",
        "das",
        "data",
        "de",
        "del",
        "delta",
        "dem",
        "den",
        "der",
        "des",
        "det",
        "di",
        "die",
        "digital",
        "do",
        "du",
        "e",
        "een",
        "ein",
        "eine",
        "el",
        "em",
        "en",
        "er",
        "era",
        "es",
        "est",
        "et",
        "eur",
        "euro",
        "export",
        "fin",
        "final",
        "fonds",
        "formula",
        "from",
        "gala",
        "general",
        "global",
        "ha",
        "hat",
        "he",
        "het",
        "hotel",
        "i",
        "id",
        "idea",
        "ik",
        "il",
        "ill",
        "im",
        "import",
        "inc",
        "index",
        "industrial",
        "instrument",
        "international",
        "ipo",
        "ja",
        "job",
        "jobs",
        "la",
        "labor",
        "las",
        "le",
        "les",
        "llc",
        "lo",
        "los",
        "ltd",
        "ma",
        "mai",
        "man",
        "manager",
        "mar",
        "mas",
        "material",
        "me",
        "med",
        "media",
        "mega",
        "met",
        "mi",
        "minister",
        "mn",
        "na",
        "national",
        "ne",
        "net",
        "nv",
        "o",
        "og",
        "op",
        "opera",
        "or",
        "os",
        "oyj",
        "pan",
        "par",
        "pas",
        "per",
        "plan",
        "plc",
        "plus",
        "premium",
        "pro",
        "problem",
        "que",
        "radio",
        "real",
        "record",
        "region",
        "regional",
        "royal",
        "rs",
        "sa",
        "sale",
        "se",
        "sera",
        "si",
        "sin",
        "sino",
        "so",
        "social",
        "som",
        "son",
        "spa",
        "start",
        "station",
        "status",
        "stop",
        "su",
        "super",
        "sur",
        "system",
        "te",
        "team",
        "test",
        "til",
        "top",
        "tot",
        "total",
        "tu",
        "um",
        "un",
        "und",
        "une",
        "usd",
        "van",
        "via",
        "video",
        "visa",
        "war",
        "we",
        "won",
        "y",
        "zero",
    ]
)
"""Words of many languages: they say nothing about which one it is."""
_WEAK_COUNTS, _FEWEST = 0.4, 0.7
_FOR_EACH_UNKNOWN, _FOR_EACH_NAME = 0.5, 0.12
_ENDINGS = ("s", "ed", "d", "ing", "ly")


def is_english(text: str) -> bool:
    """Whether a normalised text has enough known English words beside what it has of others.

    Words in lower case, or beyond ASCII, that are not known weigh most; a capital may begin a name. A text without a known word is not
    English: other scripts, gibberish, symbols, digits.
    """
    known, read = 0.0, _words()
    unknown = names = 0
    for word in _WORD.findall(_APART.sub(" ", text[:JUDGED])):
        lower = word.lower()
        if lower in _WEAK:
            known += _WEAK_COUNTS
        elif lower in _SHARED:
            continue
        elif lower in read or any(lower.endswith(end) and _is_stem(lower[: -len(end)]) for end in _ENDINGS):
            known += 1
        elif word[0].isupper():
            names += 1
        else:
            unknown += 1
    return known >= max(_FEWEST, _FOR_EACH_UNKNOWN * unknown + _FOR_EACH_NAME * names)


def _is_stem(stem: str) -> bool:
    return len(stem) > 3 and (stem in _words() or f"{stem}e" in _words())


@cache
def _words() -> frozenset[str]:
    """The word list, and what the stock lexicon knows of four letters and more."""
    of_lexicon = {word for word in stock_lexicon().valences if len(word) > 3 and word.isascii() and word.isalpha()}
    return frozenset(of_lexicon.union(WORDS_FILE.read_text("ascii").split()) - _SHARED - _WEAK)
