"""A text as passages that can be read one by one: its sentences, and the parts of a sentence that only repeats words or is too long.

A function of the text alone; what a model makes of the passages is `models.reading`.
"""

import re
from collections.abc import Callable, Iterator
from string import punctuation
from typing import NamedTuple

MOST_PASSAGES = 32
"""New passages that are read of one text; what comes after them is not."""
FEWEST_REPEATED = 4
"""Words of the shortest sentence that can be mere repetition."""
_END = re.compile(r"(?<=[.!?…])[\"')\]]*\s+(?![,;:+%&*/|)\]-]|'')|(?<=[。！？])")
"""Where a sentence may end: a mark, a blank, and what may begin the next; or a full stop of a script that leaves no blank."""
_MARKED_END = re.compile(r"[.!?…][\"')\]]*\s|[。！？]")
_NO_END = re.compile(
    r"(?:^|[\s(\"'])(?:[A-Za-z]|(?:[A-Za-z]\.)+[A-Za-z]|inc|corp|co|ltd|plc|llc|pvt|tel|bros|mr|mrs|ms|dr|st|no|nos|vs|approx|est|fig|jr|sr|gov|sen|"
    r"rep|gen|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec|[eE]\.g|[iI]\.e|mn|bn|rs|pct)\.\Z",
    re.IGNORECASE,
)
"""Abbreviations and initials whose full stop ends no sentence."""
_PICTURES = "\u2190-\u21ff\u2600-\u27bf\U0001f000-\U0001faff"
_WORD = re.compile(rf"[{_PICTURES}]|[^\s{_PICTURES}]+")
"""A word as it stands; an emoji is one however close it stands to the next."""


class Passage(NamedTuple):
    """Characters `start` to `stop` of a text; not `new` where an earlier passage has said the same."""

    start: int
    stop: int
    new: bool


def sentences(text: str) -> list[tuple[int, int]]:
    """(start, stop) of each sentence of a normalised text, in order; blanks between them belong to none."""
    found: list[tuple[int, int]] = []
    start = 0
    for end in _END.finditer(text):
        stop = end.start()
        if stop == start or _NO_END.search(text[start:stop][-12:]):
            continue
        found.append((start, stop + len(end[0].rstrip())))
        start = end.end()
    if start < len(text):
        found.append((start, len(text)))
    return found


def is_one_sentence(text: str) -> bool:
    """Whether a normalised text ends no sentence before its end."""
    return not _MARKED_END.search(text) or len(sentences(text)) < 2


def says_nothing_twice(text: str) -> bool:
    """Whether no sentence comes again, and none is mere repetition; quick, because it is asked of every text."""
    is_ascii = text.isascii()
    words = text.lower().split() if is_ascii else _WORD.findall(text.lower())
    # Two sentences that are the same have half of their words twice; so only of three or more does another one hide the repetition.
    if 2 * len(set(words)) > len(words):
        # Counting marks is quicker than looking for ends, and a headline has hardly one.
        if is_ascii and text.count(".") + text.count("!") + text.count("?") < 2:
            return True
        if len(_MARKED_END.findall(text)) < 2:
            return True
    spoken = [_folded(text[start:stop]) for start, stop in sentences(text)]
    return len(set(spoken)) == len(spoken) and not any(map(_repeats, spoken))


def passages(text: str, fits: Callable[[str], bool]) -> list[Passage]:
    """What is read of `text` one by one, in order, until `MOST_PASSAGES` of it are new.

    A passage is a sentence. A sentence in which at most half of the words are different is cut before each word that comes again; of
    these parts those are new whose words no other part has. A sentence that does not fit is halved until its parts do.
    """
    said = set[tuple[str, ...]]()
    read, new = list[Passage](), 0
    for start, stop in sentences(text):
        these = _folded(text[start:stop])
        if these in said:
            read.append(Passage(start, stop, False))
            continue
        said.add(these)
        runs = _runs(text, start, stop) if _repeats(these) else [Passage(start, stop, True)]
        for run in runs:
            for part in _halves(text, run, fits) if run.new else (run,):
                if part.new and new == MOST_PASSAGES:
                    return read
                new += part.new
                read.append(part)
    return read


def _folded(text: str) -> tuple[str, ...]:
    """The words of a text in lower case, without marks around them."""
    return tuple(word.strip(punctuation) or word for word in _WORD.findall(text.lower()))


def _repeats(words: tuple[str, ...]) -> bool:
    return len(words) >= FEWEST_REPEATED and 2 * len(set(words)) <= len(words)


def _runs(text: str, start: int, stop: int) -> list[Passage]:
    """A sentence cut before each word that comes again; new is the first part of each set of words that is in no larger one."""
    spans, held = list[tuple[int, int, frozenset[str]]](), dict[str, int]()
    for word in _WORD.finditer(text, start, stop):
        (spelling,) = _folded(word[0]) or (word[0],)
        if spelling in held:
            spans.append((min(held.values()), word.start(), frozenset(held)))
            held = {}
        held[spelling] = word.start()
    spans.append((min(held.values()), stop, frozenset(held)))
    largest = list[frozenset[str]]()
    for these in sorted(dict.fromkeys(these for _, _, these in spans), key=len, reverse=True):
        if len(largest) == MOST_PASSAGES:
            break
        if not any(these <= larger for larger in largest):
            largest.append(these)
    waiting, runs = set(largest), list[Passage]()
    for first, end, these in spans:
        runs.append(Passage(first, first + len(text[first:end].rstrip()), these in waiting))
        waiting.discard(these)
    return runs


def _halves(text: str, passage: Passage, fits: Callable[[str], bool]) -> Iterator[Passage]:
    """The passage, or its halves as long as they do not fit: at a blank or an emoji near the middle, else in the middle of a word."""
    start, stop, _ = passage
    if stop - start < 2 or fits(text[start:stop]):
        yield passage
        return
    middle = (start + stop) // 2
    starts = [word.start() for word in _WORD.finditer(text, start, stop)][1:]
    cut = min(starts, key=lambda at: abs(at - middle), default=middle)
    for first, last in ((start, cut), (cut, stop)):
        yield from _halves(text, Passage(first, first + len(text[first:last].rstrip()), True), fits)
