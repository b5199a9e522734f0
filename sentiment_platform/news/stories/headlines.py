"""What a headline says, as sets: its words, its numbers and its names; how alike two headlines are, and what forbids that they
tell the same story however alike they are.

Headlines come from templates: one word in ten tells Apple's quarter from Amazon's. Similarity alone takes such pairs for copies, so
another number, another company or the opposite outcome speaks against it. Figures of the rule are in this package's README.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from sentiment_platform.text.normalise import normalise, text_key

SIMILARITY = 0.5
"""Words in common, of all words of both, from which two headlines may tell one story."""

_TOKEN = re.compile(
    r"(?P<number>\d[\d,]*(?:\.\d+)?)\s*(?P<unit>thousand|trillion|billion|million|trn|tn|bln|bn|mln|mn|[kmbt])?(?!\w)"
    r"|(?P<word>[^\W_]+(?:['\u2019][^\W_]+)*)",
    re.IGNORECASE,
)
_UNITS = {
    **dict.fromkeys(("k", "thousand"), 1e3),
    **dict.fromkeys(("m", "mn", "mln", "million"), 1e6),
    **dict.fromkeys(("b", "bn", "bln", "billion"), 1e9),
    **dict.fromkeys(("t", "tn", "trn", "trillion"), 1e12),
}
_QUARTER = re.compile(r"\b(first|second|third|fourth)[- ]quarter\b", re.IGNORECASE)
_QUARTERS = {"first": "Q1", "second": "Q2", "third": "Q3", "fourth": "Q4"}


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_COUNTED = _words(
    "two three four five six seven eight nine ten january february march april june july august september october november "
    "december jan feb mar apr jun jul aug sep sept oct nov dec monday tuesday wednesday thursday friday saturday sunday"
)
# Words that carry no fact of the story: grammar, and where the report comes from.
_EMPTY = _words(
    "a an the of to in on at for with by from as is are was were be been its it s t this that and or but after before ahead over "
    "into will says say said reports report reported reportedly sources source exclusive video live update updates his her their "
    "your you we i he she they what why how here"
)


def stem(word: str) -> str:
    """A lower-case word without possessive and the endings of plural, past and progressive; crude on purpose, and only compared."""
    word = word.removesuffix("'s")
    for ending in ("ing", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 3 and not word.endswith("ss"):
            return word.removesuffix(ending)
    return word.removesuffix("e") if len(word) > 4 else word


def _stems(text: str) -> frozenset[str]:
    """The roots of words and of their forms: a short word that ends in e loses it only where an ending goes with it."""
    return frozenset(stem(f"{word}{ending}") for word in text.split() for ending in ("", "s", "d"))


_BETTER = _stems(
    "rise rose gain jump lift climb soar surge rally beat top higher increase grow grew growth upgrade approve win won back accept up buy "
    "bullish expand boost raise rebound"
)
_WORSE = _stems(
    "fall fell drop slip slide sink plunge tumble miss lower decrease decline shrink shrank downgrade reject lose lost oppose block "
    "down sell bearish cut slump loss warn weak halt"
)
_PENDING = _stems("vote consider weigh decide plan propose talks seek mull eye may might could face")
_DENIED = _stems("not no never denies deny without don't isn't won't doesn't")


@dataclass(frozen=True, slots=True)
class Headline:
    """A headline without its template: `key` is what exact copies share; numbers are words too, names are those that look so."""

    key: str
    words: frozenset[str]
    numbers: frozenset[str]
    names: frozenset[str]


@lru_cache(maxsize=50_000)
def _read_word(written: str) -> tuple[str, Literal["word", "number", "name"] | None]:
    """The root of a word and what it is; None where it says nothing."""
    written = written.replace("\u2019", "'")
    word = written.lower()
    if word in _EMPTY or len(word) < 2:
        return "", None
    if word in _COUNTED or any(character.isdecimal() for character in word):
        return stem(word), "number"
    return stem(word), "word" if written == word else "name"


@lru_cache(maxsize=20_000)
def read_headline(title: str, outlet: str | None = None) -> Headline:
    """Read a headline, without the outlet's name that aggregators put behind it (`... - Outlet`)."""
    if outlet and title.endswith(f" - {outlet}"):
        title = title[: -len(outlet) - 3]
    title = normalise(title)
    words: set[str] = set()
    numbers: set[str] = set()
    names: set[str] = set()
    for token in _TOKEN.finditer(_QUARTER.sub(lambda quarter: _QUARTERS[quarter[1].lower()], title)):
        if token["number"]:
            numbers.add(f"{float(token['number'].replace(',', '')) * _UNITS.get((token['unit'] or '').lower(), 1):.15g}")
            continue
        root, kind = _read_word(token["word"])
        if kind is None:
            continue
        words.add(root)
        if kind == "number":
            numbers.add(root)
        elif kind == "name":
            names.add(root)
    return Headline(text_key(title), frozenset(words | numbers), frozenset(numbers), frozenset(names))


def similarity(one: Headline, other: Headline) -> float:
    """Intersection over union of the words, in [0, 1]; 0 where neither has any."""
    return len(one.words & other.words) / max(1, len(one.words | other.words))


def corrects(one: Headline, other: Headline) -> bool:
    """Whether a headline can be the other one with another fact in it: half the words or more in common, and what differs is numbers,
    outcomes, denials or other words in lower case; never a company on each side. That both name one item must be known otherwise.
    """
    facts = _BETTER | _WORSE | _PENDING | _DENIED
    here, there = one.words - other.words, other.words - one.words
    return similarity(one, other) >= SIMILARITY and not (
        here & one.names - one.numbers - facts and there & other.names - other.numbers - facts
    )


def contradict(one: Headline, other: Headline, *, same_companies: bool) -> bool:
    """Whether two headlines cannot tell the same story: each has a number that the other lacks, one denies or awaits what the other
    reports, their outcomes are opposite, or each has a name that the other lacks.

    With `same_companies` names do not count: it is known otherwise that both are about the same ones. In a headline that
    capitalises every word, every word counts as a name.
    """
    here, there = one.words - other.words, other.words - one.words
    if here & one.numbers and there & other.numbers:
        return True
    if (here | there) & _DENIED:
        return True
    outcome = _BETTER | _WORSE
    if (here & _BETTER and there & _WORSE) or (here & _WORSE and there & _BETTER):
        return True
    if (here & _PENDING and there & outcome) or (there & _PENDING and here & outcome):
        return True
    return not same_companies and bool(here & one.names and there & other.names)
