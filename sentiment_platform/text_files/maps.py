"""`field=column,...`: which column of a file holds what, as a person writes it on the command line."""

import re
import unicodedata
from collections.abc import Collection, Sequence

from sentiment_platform.text_files.written import TextFileError

_PART = re.compile(r'((?:"(?:[^"]|"")*"|[^,"]|"(?![^"]*"))*)(?:,|$)')


def parse_map(text: str, known: Collection[str]) -> dict[str, str]:
    """Field -> column. A name with a comma is taken as it is where no field follows; one with `,x=` stands in double quotes.

    Raises:
        ValueError: with the part that is no pair of a known field, used once, and a column.
    """
    pairs: list[str] = []
    for part in filter(str.strip, (match[1] for match in _PART.finditer(text))):
        if "=" in part or not pairs:
            pairs.append(part)
        else:
            pairs[-1] += f",{part}"
    columns: dict[str, str] = {}
    for pair in pairs:
        field, _, column = (part.strip() for part in pair.partition("="))
        if len(column) > 1 and column[0] == column[-1] == '"':
            column = column[1:-1].replace('""', '"')
        if field not in known or not column or field in columns:
            raise ValueError(pair.strip())
        columns[field] = column
    return columns


def column_of(header: Sequence[str], name: str, file: str) -> int | None:
    """The place of a column: by its very name, else without regard to case and blanks; None where there is none.

    Raises:
        TextFileError: several columns are called so.
    """
    exact = [place for place, column in enumerate(header) if column.strip() == name.strip()]
    alike = exact or [place for place, column in enumerate(header) if _folded(column) == _folded(name)]
    if len(alike) > 1:
        one = "Take one of them out." if exact else "Name one of them in the map exactly as it is written."
        raise TextFileError(
            f"{file} has {len(alike)} columns called {name}: {', '.join(header[place] for place in alike)}.", remedy=one
        )
    return alike[0] if alike else None


def _folded(name: str) -> str:
    seen = "".join(character for character in unicodedata.normalize("NFKC", name) if unicodedata.category(character) != "Cf")
    return " ".join(seen.split()).casefold()
