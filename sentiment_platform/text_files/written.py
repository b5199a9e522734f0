"""What a person says of how a text file is written, and what its reader had to guess."""

import codecs
from dataclasses import dataclass, field

from sentiment_platform.errors import PermanentError

DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "\\t": "\t", "pipe": "|", "space": " "}
SHOWN_WORDS = 5


class TextFileError(PermanentError):
    """A text file cannot be read, or not for certain."""


@dataclass(slots=True)
class Written:
    """`encoding`, `delimiter`: as stated; empty: found in the file.

    `otherwise`: the encoding of a published set in English, where the file is no Unicode. `guessed`: the words that a guess rests on.
    """

    encoding: str = ""
    delimiter: str = ""
    otherwise: str = ""
    guessed: list[str] = field(default_factory=list[str])

    def note(self) -> str | None:
        """One sentence on what was guessed; None where nothing was."""
        if not self.guessed:
            return None
        words = ", ".join(self.guessed[:SHOWN_WORDS]) + (", ..." if len(self.guessed) > SHOWN_WORDS else "")
        return f"The file is not UTF-8. It was guessed to be cp1252; look at: {words}. If that is wrong, say so with --encoding cp1250, ..."


def written_as(encoding: str = "", delimiter: str = "") -> Written:
    """From the words of a person: an encoding that Python knows, and one character or its name (`tab`, `semicolon`).

    Raises:
        ValueError: no such encoding of text, or no delimiter.
    """
    if encoding:
        try:
            encoding = codecs.lookup(encoding).name
            "".encode(encoding)
        except (LookupError, UnicodeError) as error:
            raise ValueError(f"{encoding!r} is no encoding; write it like utf-8, cp1251, gb18030, shift_jis") from error
    character = DELIMITERS.get(delimiter.lower(), delimiter)
    if len(character) > 1 or character in ('"', "\n", "\r"):
        raise ValueError(f"{delimiter!r} is no delimiter; give one character, or one of {', '.join(DELIMITERS)}")
    return Written(encoding=encoding, delimiter=character)
