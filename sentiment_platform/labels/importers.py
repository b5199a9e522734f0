"""Readers of labelled data sets: Financial PhraseBank, SEntFiN, Twitter Financial News, and plain CSV or JSON lines.

Each yields `LabelledExample`s in file order. Rows that cannot be read are counted in `ImportReport.skipped` with the reason; a file
of the wrong shape is refused whole.
"""

import ast
import csv
import io
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path
from typing import Any

from sentiment_platform.errors import PermanentError
from sentiment_platform.labels.examples import SPELLINGS, LabelledExample, read_label
from sentiment_platform.text.normalise import normalise, text_hash

_LINK = re.compile(r"https?://\S+")
# Not str.splitlines, which also cuts at characters that may stand inside a sentence (U+0085, U+2028, form feed).
_LINE_END = re.compile(r"\r\n|\n|\r")


@dataclass
class ImportReport:
    """What an importer read: the examples, and how many rows it had to skip for which reason."""

    examples: list[LabelledExample] = field(default_factory=list[LabelledExample])
    skipped: Counter[str] = field(default_factory=Counter[str])


def read_text(path: Path) -> str:
    """The file's text: UTF-8 with or without a byte order mark, else Latin-1 (as PhraseBank was published)."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise PermanentError(f"{path} cannot be read: {error.strerror}.", remedy="Check the path.") from error
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def phrasebank(path: Path) -> ImportReport:
    """`sentence@label` lines. Source: Malo et al. 2014, Financial PhraseBank 1.0, CC BY-NC-SA 3.0."""
    report = ImportReport()
    label_set = "phrasebank-" + path.stem.removeprefix("Sentences_").lower()
    for line in _LINE_END.split(read_text(path)):
        if not line.strip():
            continue
        sentence, separator, label = line.rpartition("@")
        if not separator:
            report.skipped["line without @"] += 1
            continue
        _add(report, label_set, sentence, read_label(label), "annotator-majority", "CC-BY-NC-SA-3.0")
    return _not_empty(report, path, "lines of the form sentence@label")


def sentfin(path: Path) -> ImportReport:
    """SEntFiN 1.0: a Python dictionary of entity labels per title; titles whose entities disagree have no one label.

    Source: Sinha et al. 2022, SEntFiN 1.0, MIT.
    """
    report = ImportReport()
    for row in _rows(path, {"Title", "Decisions"}):
        try:
            decisions: Any = ast.literal_eval(row["Decisions"])
        except (ValueError, TypeError, SyntaxError, RecursionError):
            report.skipped["entity labels cannot be parsed"] += 1
            continue
        labels = {str(value) for value in decisions.values()} if isinstance(decisions, dict) else set[str]()
        if len(labels) != 1:
            report.skipped["entities disagree"] += 1
            continue
        _add(report, "sentfin", row["Title"], read_label(labels.pop()), "annotator", "MIT")
    return _not_empty(report, path, "columns Title and Decisions")


def tfns(path: Path) -> ImportReport:
    """Twitter Financial News Sentiment: 0 bearish, 1 bullish, 2 neutral; links are removed. Licence as published: MIT."""
    spellings = {"0": "negative", "1": "positive", "2": "neutral"}
    report = ImportReport()
    for row in _rows(path, {"text", "label"}):
        _add(report, "tfns", _LINK.sub("", row["text"]), read_label(row["label"], spellings), "annotator", "MIT")  # type: ignore[arg-type]
    return _not_empty(report, path, "columns text and label")


def plain(path: Path, label_set: str | None = None, licence: str = "unstated") -> ImportReport:
    """CSV with a header, or JSON lines: `text` or `title`, `label`, and optionally `id`, `published_at`, `url`, `annotator`, `weight`.

    A time without an offset is UTC; a weight is above 0.
    """
    report = ImportReport()
    name = label_set or path.stem
    rows = _json_lines(path) if path.suffix in (".jsonl", ".ndjson") else _rows(path, {"label"})
    for row in rows:
        cell = {name: "" if value is None else str(value) for name, value in row.items()}
        text = cell.get("text") or cell.get("title") or ""
        try:
            published_at = _time(cell.get("published_at", ""))
            label = read_label(cell.get("label", ""), SPELLINGS)
            weight = _weight(cell.get("weight", ""))
        except (ValueError, OverflowError, PermanentError) as error:
            report.skipped[f"row cannot be read: {error}"] += 1
            continue
        _add(
            report,
            name,
            text,
            label,
            cell.get("annotator") or "imported",
            licence,
            external_id=cell.get("id") or None,
            weight=weight,
            published_at=published_at,
            url=cell.get("url") or None,
        )
    return _not_empty(report, path, "columns text (or title) and label")


IMPORTERS: Mapping[str, Callable[[Path], ImportReport]] = {
    "phrasebank": phrasebank,
    "sentfin": sentfin,
    "tfns": tfns,
    "plain": plain,
}


def _add(
    report: ImportReport,
    label_set: str,
    text: str,
    label: Any,
    annotator: str,
    licence: str,
    *,
    external_id: str | None = None,
    **more: Any,
) -> None:
    text = normalise(text)
    if not text:
        report.skipped["empty text"] += 1
        return
    report.examples.append(
        LabelledExample(label_set, external_id or text_hash(text)[:32], text, label, annotator, licence, **more)
    )


def _time(value: str) -> datetime | None:
    if not value:
        return None
    at = datetime.fromisoformat(value)
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)


def _weight(value: str) -> float:
    weight = float(value or 1.0)
    if not (isfinite(weight) and weight > 0):
        raise ValueError(f"weight {value} is not above 0")
    return weight


def _rows(path: Path, needed: set[str]) -> Iterator[dict[str, str]]:
    """The rows with every cell a text; what a short row lacks is empty, what a long row has too much is dropped."""
    reader = csv.DictReader(io.StringIO(read_text(path), newline=""), restval="")
    try:
        missing = needed - set(reader.fieldnames or ())
        if missing:
            raise PermanentError(
                f"{path} has no column {', '.join(sorted(missing))}.", remedy=f"Its columns are {reader.fieldnames}."
            )
        for row in reader:
            yield {name: value for name, value in row.items() if isinstance(value, str)}
    except csv.Error as error:
        raise PermanentError(f"{path}:{reader.line_num} is not CSV: {error}.", remedy="Check its quotes.") from error


def _json_lines(path: Path) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(_LINE_END.split(read_text(path)), 1):
        if line.strip():
            try:
                row = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise PermanentError(f"{path}:{number} is not JSON: {error}.", remedy="Give one JSON object a line.") from error
            if not isinstance(row, dict):
                raise PermanentError(f"{path}:{number} is not a JSON object.", remedy="Give one JSON object a line.")
            yield row


def _not_empty(report: ImportReport, path: Path, shape: str) -> ImportReport:
    if not report.examples:
        raise PermanentError(f"{path} has no labelled text.", remedy=f"Expected {shape}.")
    return report
