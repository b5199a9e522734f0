"""CSV as people have it: any delimiter, a header in any case, cells of any length. Streams; never holds a whole file."""

import csv
import re
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import NamedTuple

from sentiment_platform.text_files.encodings import encoding_of
from sentiment_platform.text_files.maps import column_of
from sentiment_platform.text_files.swallowed_rows import swallowed
from sentiment_platform.text_files.written import TextFileError, Written

LARGEST_CELL = 1 << 26
"""Characters of a cell, beyond which a quotation mark was surely never closed."""
_HEAD_CHARACTERS, _HEAD_ROWS = 1 << 16, 20
_COMPARED_ROWS, _SHOWN = 50, 60
_STATED_INSIDE = re.compile(r'\ufeff?"?sep=(.)"?\s*\Z', re.IGNORECASE)
_JSON = re.compile(r'\ufeff?\s*(?:\[\s*)?\{\s*"')


@dataclass(frozen=True, slots=True)
class Table:
    """`header`: its names, stripped; empty in a file without header. `rows`: the cells of each row that is not blank, but for a header that
    stands there again."""

    header: tuple[str, ...]
    rows: Iterator[list[str]]


def open_table(path: Path, names: Collection[str], written: Written, *, positions: int | None = None) -> Table:
    """The table of a CSV file in which columns of these names are looked for, or the place `positions` and those before it.

    Raises:
        TextFileError: it cannot be read; raised again at the place where it turns out to be no CSV.
    """
    encoding = encoding_of(path, written)
    shape = _shape(path, encoding, names, written, positions)
    rows = _rows(path, encoding, shape)
    if positions is not None:
        return Table((), rows)
    first = next(rows, [])
    return Table(tuple(name.strip().strip("\ufeff") for name in first), (row for row in rows if row != first))


def more_than_header(header: Sequence[str], row: Sequence[str]) -> bool:
    """Whether a row has more cells than the header: a delimiter stands in one of them, and nobody can say in which."""
    return len(row) > len(header) and any(cell.strip() for cell in row[len(header) :])


class _Shape(NamedTuple):
    """The delimiter, and how many lines (`sep=;`) and then how many rows (notes, blanks) stand before the header."""

    delimiter: str
    lines: int
    rows: int


def _shape(path: Path, encoding: str, names: Collection[str], written: Written, positions: int | None) -> _Shape:
    with path.open(encoding=encoding, newline="") as file:
        head = file.read(_HEAD_CHARACTERS)
    first, *_ = re.split(r"[\r\n]", head, maxsplit=1)
    if _JSON.match(head) and positions is None:
        raise TextFileError(f"{path} is JSON, no table.", remedy="Give it the ending .jsonl, with one object a line.")
    stated = _STATED_INSIDE.match(first)
    lines = 1 if stated else 0
    usual = "\t,;|" if path.suffix.lower() == ".tsv" else ",;\t|"
    asked = written.delimiter or (stated[1] if stated else usual)
    head = head.split("\n", lines)[-1]

    def fit(delimiter: str) -> tuple[int, int, int]:
        """How many names or rows fit, how wide the header is, how many rows stand before it."""
        try:
            rows = [row for _, row in zip(range(_HEAD_ROWS), _parsed(head, delimiter), strict=False)]
        except csv.Error:
            return (0, 0, 0)
        if positions is not None:
            return (sum(len(row) > positions for row in rows), 0, 0)
        named = [_names_in(row, names, path.name) for row in rows] or [0]
        place = named.index(max(named))
        return (named[place], len(rows[place]) if rows else 0, place)

    # `max` keeps the first of equals.
    fits = {delimiter: fit(delimiter) for delimiter in asked}
    delimiter = max(asked, key=lambda one: fits[one][:2])
    return _Shape(delimiter, lines, fits[delimiter][2])


def _names_in(row: Sequence[str], names: Collection[str], file: str) -> int:
    return sum(column_of(row, name, file) is not None for name in names)


def _parsed(text: str, delimiter: str) -> Iterator[list[str]]:
    return (row for row in csv.reader(StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=delimiter != " ") if row)


def _rows(path: Path, encoding: str, shape: _Shape) -> Iterator[list[str]]:
    delimiter, skipped, notes = shape
    csv.field_size_limit(LARGEST_CELL)
    with path.open(encoding=encoding, newline="") as file:
        for _ in range(skipped):
            file.readline()
        pending: list[str] = []
        before: deque[list[str]] = deque(maxlen=_COMPARED_ROWS)

        def lines() -> Iterator[str]:
            for line in file:
                pending.append(_with_doubled_quotes(line, delimiter, inside=bool(pending)))
                yield pending[-1]

        reader = csv.reader(lines(), delimiter=delimiter, skipinitialspace=delimiter != " ")
        try:
            for row in reader:
                _require_closed(path, "".join(pending), delimiter, reader.line_num)
                if len(pending) > 1 and (taken := swallowed(pending, before, delimiter)):
                    raise TextFileError(
                        f"{path.name}, line {reader.line_num - len(pending) + 1 + skipped}: a quotation mark opens a cell that takes in "
                        f"the rows after it, such as {taken.strip()[:_SHOWN]!r}.",
                        remedy="Close it, or double it where it belongs to the text.",
                    )
                pending.clear()
                if row and notes:
                    notes -= 1
                elif row:
                    before.append(row)
                    yield row
        except csv.Error as error:
            raise TextFileError(
                f"{path.name}, line {reader.line_num}: {error}.", remedy="Usually a quotation mark that is never closed."
            ) from error


def _with_doubled_quotes(line: str, delimiter: str, *, inside: bool) -> str:
    """The line with `""` for `\\"`, where its quoted cells are written so: text that follows a closing quotation mark would be no CSV."""
    if '\\"' not in line:
        return line
    apart = re.escape(delimiter)
    is_quoted = inside or re.search(rf'(?:\A|{apart})\s*"', line)
    is_escaped = re.search(rf'(?<!\\)\\"(?![\s"]*(?:{apart}|\Z))', line)
    return re.sub(r'(?<!\\)\\"', '""', line) if is_quoted and is_escaped else line


def _require_closed(path: Path, raw: str, delimiter: str, line: int) -> None:
    """A row that ends inside of quotes has swallowed what came after it: the end of the file closed it."""
    if raw.count('"') % 2 and re.search(rf'(?:\A|{re.escape(delimiter)})\s*"', raw) and _is_open(raw, delimiter):
        raise TextFileError(f"{path.name}, line {line}: a quotation mark is never closed.", remedy="Close it, or double it.")


def _is_open(raw: str, delimiter: str) -> bool:
    """Whether one more line would belong to the row."""
    return (
        len(list(csv.reader(StringIO(raw.rstrip("\r\n") + "\nx\n", newline=""), delimiter=delimiter, skipinitialspace=True))) == 1
    )
