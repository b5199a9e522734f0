"""The valences of words, and the names of emoji that stand for them in a text.

Here: the stock lexicon, read from the data files of the installed package `vaderSentiment` (never copied, and without running
that package's code). Not here: the rules (`rules`, `vader`), the learning of changes (`models`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from math import isfinite
from pathlib import Path
from types import MappingProxyType

from sentiment_platform.errors import PermanentError

_PACKAGE = "vaderSentiment"


class LexiconError(PermanentError):
    """The stock lexicon cannot be found or read, or a valence is not finite."""


@dataclass(frozen=True, slots=True)
class Lexicon:
    """An immutable map from a lower-case term to its valence (about -4 to 4), and from an emoji to its description.

    Raises:
        LexiconError: a valence that is not finite.
    """

    valences: Mapping[str, float]
    emoji: Mapping[str, str] = field(default_factory=dict[str, str])

    def __post_init__(self) -> None:
        for term, valence in self.valences.items():
            if not isfinite(valence):
                raise LexiconError(f"The valence of {term!r} is {valence}.", remedy="Give a finite number.")
        # Private copies: whoever made this lexicon cannot change it afterwards.
        object.__setattr__(self, "valences", MappingProxyType(dict(self.valences)))
        object.__setattr__(self, "emoji", MappingProxyType(dict(self.emoji)))


@cache
def stock_lexicon() -> Lexicon:
    """VADER's published lexicon and emoji names, read once a process.

    Source: Hutto & Gilbert, ICWSM 2014; the files `vader_lexicon.txt` and `emoji_utf8_lexicon.txt` of `vaderSentiment`.

    Raises:
        LexiconError: the package is not installed, or a file is missing or malformed.
    """
    # find_spec locates a top-level package without importing it: its data files are all that is wanted.
    spec = find_spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise LexiconError(f"The package {_PACKAGE} is not installed.", remedy=f"Run: pip install {_PACKAGE}==3.3.2")
    return read_lexicon(Path(spec.submodule_search_locations[0]))


def read_lexicon(folder: Path) -> Lexicon:
    """The lexicon in a folder laid out as the package's: tab-separated, term then valence, emoji then description.

    Where a term is repeated the last line counts.

    Raises:
        LexiconError: a file is missing or malformed; the message names it and the line.
    """
    valences: dict[str, float] = {}
    path = folder / "vader_lexicon.txt"
    for number, term, value in _rows(path):
        try:
            valences[term] = float(value)
        except ValueError as error:
            raise _malformed(path, number) from error
    return Lexicon(valences, {emoji: name for _, emoji, name in _rows(folder / "emoji_utf8_lexicon.txt")})


def _rows(path: Path) -> Iterator[tuple[int, str, str]]:
    try:
        content = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise LexiconError(f"{path} cannot be read: {error}.", remedy=f"Reinstall {_PACKAGE}==3.3.2.") from error
    # Not splitlines(), which also cuts at characters that may stand inside a line.
    for number, line in enumerate(content.split("\n"), start=1):
        if not line.strip():
            continue
        columns = line.strip().split("\t")
        if len(columns) < 2:
            raise _malformed(path, number)
        yield number, columns[0], columns[1]


def _malformed(path: Path, number: int) -> LexiconError:
    return LexiconError(f"Line {number} of {path} is malformed.", remedy=f"Reinstall {_PACKAGE}==3.3.2.")
