"""Files that are no text at all, whatever their name says: each refused by its own name, with what to do."""

import re
from pathlib import Path

from sentiment_platform.text_files.written import TextFileError

_HEAD_BYTES = 4_096
_SAVE = "Open it and save it as CSV UTF-8."
_UNPACK = "Unpack it first."
_KINDS: tuple[tuple[bytes, str, str], ...] = (
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a workbook of Excel", _SAVE),
    (b"\x1f\x8b", "compressed by gzip", _UNPACK),
    (b"BZh", "compressed by bzip2", _UNPACK),
    (b"\xfd7zXZ\0", "compressed by xz", _UNPACK),
    (b"\x28\xb5\x2f\xfd", "compressed by zstd", _UNPACK),
    (b"7z\xbc\xaf\x27\x1c", "an archive of 7-Zip", _UNPACK),
    (b"Rar!", "an archive of RAR", _UNPACK),
    (b"PAR1", "Parquet", "Give it the ending .parquet; news import reads it."),
    (b"ARROW1", "Arrow", "Write it as Parquet or CSV."),
    (b"Obj\x01", "Avro", "Write it as Parquet or CSV."),
    (b"SQLite format 3\0", "a database of SQLite", "Export the table as CSV."),
    (b"%PDF-", "a PDF", "Export its table as CSV."),
    (b"\x89PNG", "a picture", "Give the file with the text."),
)
_PAGE = re.compile(rb"(?:\xef\xbb\xbf)?\s*<(?:!doctype html|html|head|body)\b", re.IGNORECASE)
_XML = re.compile(rb"(?:\xef\xbb\xbf)?\s*<(?:\?xml|rss|feed)\b", re.IGNORECASE)


def require_text(path: Path) -> None:
    """Judge a file by its first bytes.

    Raises:
        TextFileError: it is a workbook, an archive, a page, or another kind that holds no table of text.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    kind, remedy = next(((name, remedy) for mark, name, remedy in _KINDS if head.startswith(mark)), ("", ""))
    if head.startswith(b"PK\x03\x04"):
        is_workbook = any(name in head for name in (b"[Content_Types].xml", b"xl/", b"opendocument"))
        kind, remedy = ("a workbook of a spreadsheet", _SAVE) if is_workbook else ("a zip archive", _UNPACK)
    elif _PAGE.match(head):
        kind, remedy = "a page of HTML", "What was saved is usually a message of the site; fetch the file again."
    elif _XML.match(head):
        kind, remedy = "XML", "A feed is a source of its own: see `sentiment-platform news sources`."
    if kind:
        raise TextFileError(f"{path} is {kind}, no text with rows.", remedy=remedy)
