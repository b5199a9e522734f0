"""Files of labels into rows: text in whatever encoding it came, CSV, JSON, JSON lines; and how cells are read.

Not here: what the rows mean (`importers`, `tools`).
"""

import csv
import io
import json
import re
from collections.abc import Iterator
from datetime import datetime
from math import isfinite
from pathlib import Path
from typing import Any

from sentiment_platform.errors import PermanentError
from sentiment_platform.times.assumed import AssumedClock
from sentiment_platform.times.reading import read_time
from sentiment_platform.times.stated import Stated

SHOWN_CHARACTERS = 60

# Not str.splitlines, which also cuts at characters that may stand inside a sentence (U+0085, U+2028, form feed).
_LINE_END = re.compile(r"\r\n|\n|\r")


def read_bytes(path: Path) -> bytes:
    """The file's bytes.

    Raises:
        PermanentError: it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise PermanentError(f"{path} cannot be read: {error.strerror}.", remedy="Check the path.") from error


def read_text(path: Path) -> str:
    """The file's text: UTF-8 with or without a byte order mark, else Latin-1 (as PhraseBank was published)."""
    raw = read_bytes(path)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def read_lines(path: Path) -> list[str]:
    """The lines that are not blank."""
    return [line for line in _LINE_END.split(read_text(path)) if line.strip()]


def csv_rows(path: Path, needed: set[str]) -> Iterator[dict[str, str]]:
    """The rows with every cell a text; what a short row lacks is empty, what a long row has too much is dropped.

    Raises:
        PermanentError: a column is missing, or the file is no CSV.
    """
    reader = csv.DictReader(io.StringIO(read_text(path), newline=""), restval="")
    try:
        missing = needed - set(reader.fieldnames or ())
        if missing:
            raise PermanentError(
                f"{path} has no column {', '.join(sorted(missing))}.",
                remedy=f"Its columns are {', '.join(reader.fieldnames or ()) or 'none'}.",
            )
        for row in reader:
            yield {name: value for name, value in row.items() if isinstance(value, str)}
    except csv.Error as error:
        raise PermanentError(f"{path}:{reader.line_num} is not CSV: {error}.", remedy="Check its quotes.") from error


def json_lines(path: Path) -> Iterator[dict[str, Any]]:
    """One object a line.

    Raises:
        PermanentError: a line is no JSON object.
    """
    for number, line in enumerate(_LINE_END.split(read_text(path)), 1):
        if line.strip():
            try:
                row = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise PermanentError(f"{path}:{number} is not JSON: {error}.", remedy="Give one JSON object a line.") from error
            if not isinstance(row, dict):
                raise PermanentError(f"{path}:{number} is not a JSON object.", remedy="Give one JSON object a line.")
            yield row


def json_rows(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of a file: one a line, or one list of them.

    Raises:
        PermanentError: it is neither.
    """
    if path.suffix.lower() != ".json":
        yield from json_lines(path)
        return
    document = json_document(path) if read_text(path).lstrip()[:1] == "[" else None
    if document is None:
        yield from json_lines(path)
        return
    for number, row in enumerate(document, 1):
        if not isinstance(row, dict):
            raise PermanentError(f"Row {number} of {path} is not a JSON object.", remedy="Give a list of objects.")
        yield row


def json_document(path: Path) -> Any:
    """The whole file as one JSON value.

    Raises:
        PermanentError: it is none.
    """
    try:
        return json.loads(read_text(path))
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
    number = float(str(value))
    if not isfinite(number):
        raise ValueError(f"{value} is no finite number")
    return number
