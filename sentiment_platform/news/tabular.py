"""Rows of archive files: CSV in whatever encoding it came, JSON lines, Parquet. Streams; never holds a whole file.

Here: files into cells. Not here: what the cells mean (`news.archive`).
"""

import codecs
import csv
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from sentiment_platform.news.errors import ArchiveError

_PARQUET_ROWS = 10_000
_CHUNK_BYTES = 1 << 20

Column = str | int
"""A column by the name in the header, or by its position from 0 in a file without header."""


def read_rows(path: Path, columns: Sequence[Column]) -> Iterator[tuple[object, ...]]:
    """The cells of `columns`, row by row; a cell that a row lacks is None.

    Raises:
        ArchiveError: unknown kind of file, a column that is not there, or a file that cannot be read to its end.
    """
    readers = {".csv": _csv, ".tsv": _csv, ".jsonl": _json_lines, ".ndjson": _json_lines, ".parquet": _parquet}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise ArchiveError(f"{path.name}: unknown kind of archive.", remedy=f"Known endings are {', '.join(readers)}.")
    if not path.is_file():
        raise ArchiveError(f"{path} is not a file.", remedy="Check the path.")
    return reader(path, columns)


def detect_encoding(path: Path) -> str:
    """`utf-8-sig`, `utf-16` or, where the bytes are not valid UTF-8, `cp1252`; found by decoding the whole file once."""
    with path.open("rb") as file:
        if file.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
            return "utf-16"
        for encoding in ("utf-8-sig", "cp1252"):
            file.seek(0)
            decoder = codecs.getincrementaldecoder(encoding)()
            try:
                while chunk := file.read(_CHUNK_BYTES):
                    decoder.decode(chunk)
                decoder.decode(b"", final=True)
            except UnicodeDecodeError:
                continue
            return encoding
    raise ArchiveError(f"{path.name} is neither UTF-8, UTF-16 nor cp1252.", remedy="Convert it to UTF-8.")


def _csv(path: Path, columns: Sequence[Column]) -> Iterator[tuple[object, ...]]:
    delimiter = "\t" if path.suffix.lower() == ".tsv" else ","
    with path.open(encoding=detect_encoding(path), newline="") as file:
        reader = csv.reader(file, delimiter=delimiter)
        try:
            positions = _positions(path, columns, [] if _are_positions(columns) else next(reader, []))
            for row in reader:
                yield tuple(row[position] if position < len(row) else None for position in positions)
        except csv.Error as error:
            raise ArchiveError(
                f"{path.name}, line {reader.line_num}: {error}.", remedy="Usually a quotation mark that is never closed."
            ) from error


def _are_positions(columns: Sequence[Column]) -> bool:
    return all(isinstance(column, int) for column in columns)


def _positions(path: Path, columns: Sequence[Column], header: Sequence[str]) -> list[int]:
    if not header and _are_positions(columns):
        return [column for column in columns if isinstance(column, int)]
    names = [name.strip() for name in header]
    missing = [str(column) for column in columns if column not in names]
    if missing:
        raise ArchiveError(
            f"{path.name} has no column {', '.join(missing)}.",
            remedy=f"Its columns are {', '.join(names) or 'none'}. A file without header takes positions from 0, and only these.",
        )
    return [names.index(str(column)) for column in columns]


def _json_lines(path: Path, columns: Sequence[Column]) -> Iterator[tuple[object, ...]]:
    with path.open(encoding=detect_encoding(path)) as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                document: Any = json.loads(line)
            except (json.JSONDecodeError, RecursionError) as error:
                raise ArchiveError(f"{path.name}, line {number}: {error}.", remedy="Each line is one JSON object.") from error
            if not isinstance(document, dict):
                raise ArchiveError(f"{path.name}, line {number} is no object.", remedy="Each line is one JSON object.")
            yield tuple(document.get(column) for column in columns)


def _parquet(path: Path, columns: Sequence[Column]) -> Iterator[tuple[object, ...]]:
    import polars as pl
    from polars.exceptions import PolarsError

    try:
        table = pl.scan_parquet(path)
        header = table.collect_schema().names()
        names = [header[column] if isinstance(column, int) and column < len(header) else column for column in columns]
        table = table.select([header[position] for position in _positions(path, names, header)])
        offset = 0
        while len(page := table.slice(offset, _PARQUET_ROWS).collect()):
            yield from page.iter_rows()
            offset += len(page)
    except PolarsError as error:
        raise ArchiveError(f"{path.name} cannot be read: {error}", remedy="Write it again as Parquet.") from error
