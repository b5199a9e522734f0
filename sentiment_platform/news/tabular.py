"""Rows of archive files: CSV, JSON lines, Parquet. Streams; never holds a whole file.

Here: files into cells. Not here: encodings and delimiters (`text_files`), what the cells mean (`news.archive`).
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from sentiment_platform.news.errors import ArchiveError
from sentiment_platform.text_files.encodings import encoding_of
from sentiment_platform.text_files.kinds import require_text
from sentiment_platform.text_files.maps import column_of
from sentiment_platform.text_files.tables import more_than_header, open_table
from sentiment_platform.text_files.written import Written

_PARQUET_ROWS = 10_000
_PEEKED_CHARACTERS = 1_000
_JSON = (".jsonl", ".ndjson", ".json")
_CSV = (".csv", ".tsv", ".txt", ".tab", ".psv")


class MisfitRow(tuple[object, ...]):
    """The cells of a row that has more of them than the header; which is which, nobody can say."""

    __slots__ = ()


Column = str | int
"""A column by the name in the header, or by its position from 0 in a file without header."""


def read_rows(path: Path, columns: Sequence[Column], written: Written | None = None) -> Iterator[tuple[object, ...]]:
    """The cells of `columns`, row by row; a cell that a row lacks is None, and of a row that does not fit its header all cells are given,
    as a `MisfitRow`. `written`: as stated; what is guessed is noted there.

    Raises:
        ArchiveError: unknown kind of file, a column that is not there, or a file that cannot be read to its end.
        TextFileError: its encoding cannot be told, or it is no CSV.
    """
    readers = {**dict.fromkeys(_CSV, _csv), **dict.fromkeys(_JSON, _objects), ".parquet": _parquet}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        if path.is_file():
            require_text(path)
        raise ArchiveError(f"{path.name}: unknown kind of archive.", remedy=f"Known endings are {', '.join(readers)}.")
    if not path.is_file():
        raise ArchiveError(f"{path} is not a file.", remedy="Check the path.")
    return reader(path, columns, written or Written())


def _csv(path: Path, columns: Sequence[Column], written: Written) -> Iterator[tuple[object, ...]]:
    places = [column for column in columns if isinstance(column, int)]
    by_place = len(places) == len(columns)
    names = [str(column) for column in columns if isinstance(column, str)]
    table = open_table(path, names, written, positions=max(places, default=0) if by_place else None)
    places = places if by_place else _places(path, names, table.header)
    for row in table.rows:
        if not by_place and more_than_header(table.header, row):
            yield MisfitRow(row)
        else:
            yield tuple(row[place] if place < len(row) else None for place in places)


def _places(path: Path, names: Sequence[str], header: Sequence[str]) -> list[int]:
    places = [column_of(header, name, path.name) for name in names]
    if missing := [name for name, place in zip(names, places, strict=True) if place is None]:
        one = " If it is cut at the wrong places, name --delimiter." if len(header) <= 1 else ""
        raise ArchiveError(
            f"{path.name} has no column {', '.join(missing)}.",
            remedy=f"Its columns are {', '.join(header) or 'none'}.{one} A file without header takes positions from 0, and only these.",
        )
    return [place for place in places if place is not None]


def _objects(path: Path, columns: Sequence[Column], written: Written) -> Iterator[tuple[object, ...]]:
    """One object a line, or one list of them, which is read as a whole."""
    encoding = encoding_of(path, written)
    with path.open(encoding=encoding) as file:
        is_list = file.read(_PEEKED_CHARACTERS).lstrip("\ufeff \t\r\n").startswith("[")
    if not is_list:
        yield from _json_lines(path, columns, encoding)
        return
    try:
        documents: Any = json.loads(path.read_text(encoding=encoding).lstrip("\ufeff"))
    except (json.JSONDecodeError, RecursionError) as error:
        raise ArchiveError(f"{path.name}: {error}.", remedy="Give one list of objects, or one JSON object a line.") from error
    for number, document in enumerate(documents, start=1):
        if not isinstance(document, dict):
            raise ArchiveError(f"{path.name}, number {number} is no object.", remedy="Give a list of objects.")
        yield tuple(_value(document, column, path.name) for column in columns)


def _json_lines(path: Path, columns: Sequence[Column], encoding: str) -> Iterator[tuple[object, ...]]:
    with path.open(encoding=encoding) as file:
        for number, line in enumerate(file, start=1):
            if not line.strip("\ufeff \t\r\n"):
                continue
            try:
                document: Any = json.loads(line.lstrip("\ufeff").rstrip().removesuffix(","))
            except (json.JSONDecodeError, RecursionError) as error:
                raise ArchiveError(f"{path.name}, line {number}: {error}.", remedy="Each line is one JSON object.") from error
            if not isinstance(document, dict):
                raise ArchiveError(f"{path.name}, line {number} is no object.", remedy="Each line is one JSON object.")
            yield tuple(_value(document, column, path.name) for column in columns)


def _value(document: dict[str, Any], column: Column, file: str) -> object:
    if column in document or isinstance(column, int):
        return document.get(column)  # pyright: ignore[reportArgumentType]  no key is a number
    keys = list(document)
    place = column_of(keys, column, file)
    return None if place is None else document[keys[place]]


def _parquet(path: Path, columns: Sequence[Column], written: Written) -> Iterator[tuple[object, ...]]:
    import polars as pl
    from polars.exceptions import PolarsError

    del written  # A Parquet file says itself how it is written.
    try:
        table = pl.scan_parquet(path)
        header = table.collect_schema().names()
        names = [header[column] if isinstance(column, int) and column < len(header) else str(column) for column in columns]
        table = table.select([header[place] for place in _places(path, names, header)])
        offset = 0
        while len(page := table.slice(offset, _PARQUET_ROWS).collect()):
            yield from page.iter_rows()
            offset += len(page)
    except PolarsError as error:
        raise ArchiveError(f"{path.name} cannot be read: {error}", remedy="Write it again as Parquet.") from error
