"""Files of labels into rows: CSV, JSON, JSON lines; and how cells are read.

Not here: encodings and delimiters (`text_files`), what the rows mean (`importers`, `tools`).
"""

import json
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from math import isfinite
from pathlib import Path
from typing import Any

from sentiment_platform.errors import PermanentError
from sentiment_platform.text_files.encodings import encoding_of
from sentiment_platform.text_files.maps import column_of
from sentiment_platform.text_files.numbers import number_of
from sentiment_platform.text_files.tables import more_than_header, open_table
from sentiment_platform.text_files.written import Written
from sentiment_platform.times.assumed import AssumedClock
from sentiment_platform.times.reading import read_time
from sentiment_platform.times.stated import Stated

SHOWN_CHARACTERS = 60

# Not str.splitlines, which also cuts at characters that may stand inside a sentence (U+0085, U+2028, form feed).
_LINE_END = re.compile(r"\r\n|\n|\r")


class MisfitRow(dict[str, str]):
    """A row with more cells than the header; which is which, nobody can say."""


def read_bytes(path: Path) -> bytes:
    """The file's bytes.

    Raises:
        PermanentError: it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise PermanentError(f"{path} cannot be read: {error.strerror}.", remedy="Check the path.") from error


def read_text(path: Path, written: Written | None = None) -> str:
    """The file's text. `written`: its encoding as stated; what is guessed is noted there.

    Raises:
        PermanentError: it cannot be read, or its encoding cannot be told.
    """
    return read_bytes(path).decode(encoding_of(path, written or Written())).removeprefix("\ufeff")


def read_lines(path: Path, written: Written | None = None) -> list[str]:
    """The lines that are not blank."""
    return [line for line in _LINE_END.split(read_text(path, written)) if line.strip()]


def csv_rows(
    path: Path, needed: set[str], written: Written | None = None, *, names: Collection[str] = (), one_of: Sequence[str] = ()
) -> Iterator[dict[str, str]]:
    """The rows with every cell a text; what a short row lacks is empty, a row with more cells than the header is a `MisfitRow`.

    Columns in `needed` and `names` have these names in the rows, however the header writes them. `one_of`: one of them has to be there.

    Raises:
        PermanentError: a column is missing, or the file is no CSV.
    """
    wanted = dict.fromkeys((*needed, *names))
    table = open_table(path, list(wanted), written or Written())
    places = {name: column_of(table.header, name, path.name) for name in wanted}
    missing = sorted(name for name in needed if places[name] is None)
    if one_of and all(places[name] is None for name in one_of):
        missing.append(" or ".join(one_of))
    if missing:
        raise PermanentError(
            f"{path} has no column {', '.join(missing)}.", remedy=f"Its columns are {', '.join(table.header) or 'none'}."
        )
    header = list(table.header)
    for name, place in places.items():
        if place is not None:
            header[place] = name
    for row in table.rows:
        cells = dict(zip(header, [*row, *[""] * (len(header) - len(row))], strict=False))
        yield MisfitRow(cells | {"more": " | ".join(row[len(header) :])}) if more_than_header(header, row) else cells


def json_lines(path: Path, written: Written | None = None) -> Iterator[dict[str, Any]]:
    """One object a line.

    Raises:
        PermanentError: a line is no JSON object.
    """
    for number, line in enumerate(_LINE_END.split(read_text(path, written)), 1):
        if line.strip():
            try:
                row = json.loads(line.rstrip().removesuffix(","))
            except (ValueError, RecursionError) as error:
                raise PermanentError(f"{path}:{number} is not JSON: {error}.", remedy="Give one JSON object a line.") from error
            if not isinstance(row, dict):
                raise PermanentError(f"{path}:{number} is not a JSON object.", remedy="Give one JSON object a line.")
            yield row


def json_rows(path: Path, written: Written | None = None, *, names: Collection[str] = ()) -> Iterator[dict[str, Any]]:
    """The objects of a file: one a line, or one list of them. Keys in `names` have these names, in whatever case they stand there.

    Raises:
        PermanentError: it is neither.
    """
    if read_text(path, written).lstrip()[:1] == "[":
        rows: Iterable[Any] = json_document(path, written)
    else:
        rows = json_lines(path, written)
    for number, row in enumerate(rows, 1):
        if not isinstance(row, dict):
            raise PermanentError(f"Row {number} of {path} is not a JSON object.", remedy="Give a list of objects.")
        keys = list(row)
        places = {name: column_of(keys, name, path.name) for name in names if name not in row}
        yield row | {name: row[keys[place]] for name, place in places.items() if place is not None}


def json_document(path: Path, written: Written | None = None) -> Any:
    """The whole file as one JSON value.

    Raises:
        PermanentError: it is none.
    """
    try:
        return json.loads(read_text(path, written))
    except (ValueError, RecursionError) as error:
        raise PermanentError(f"{path} is not JSON: {error}.", remedy="Export it again as JSON.") from error


def time_of(value: object, stated: Stated, assumed: AssumedClock | None = None) -> datetime | None:
    """A time as `times.reading` reads it, in aware UTC; None for an empty cell. `assumed` counts those that name no clock.

    Raises:
        ValueError: it is no time, or none that is known for certain.
    """
    if value is None or value == "":
        return None
    read = read_time(value, stated)
    if read is None:
        raise ValueError(
            f"{str(value)[:SHOWN_CHARACTERS]!r} is no time that reads one way; say with --date-format how it is written"
        )
    if assumed:
        assumed.add(read)
    return read.at


def read_score(value: object) -> float | None:
    """A finite number; None for an empty cell.

    Raises:
        ValueError: it is none.
    """
    if value is None or value == "":
        return None
    number = number_of(value) if isinstance(value, str) else float(str(value))
    if number is None or not isfinite(number):
        raise ValueError(f"{str(value)[:SHOWN_CHARACTERS]} is no finite number")
    return number
