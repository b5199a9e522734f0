"""Readers of published data sets, and of plain files: Financial PhraseBank, SEntFiN, Twitter Financial News, FiQA, CSV, JSON lines.

Each gives an `ImportReport` in file order. Rows that break the contract are refused one by one; a file of the wrong shape is
refused whole. Files of labelling tools are read in `tools`.
"""

import ast
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from sentiment_platform.errors import PermanentError
from sentiment_platform.labels.examples import LabelKind, label_of_score
from sentiment_platform.labels.label_files import csv_rows, json_document, json_rows, read_lines, read_score, time_of
from sentiment_platform.labels.report import ImportReport, Reading
from sentiment_platform.labels.spelling import require_signed
from sentiment_platform.text.normalise import normalise
from sentiment_platform.text_files.maps import parse_map
from sentiment_platform.text_files.written import Written
from sentiment_platform.times.assumed import AssumedClock
from sentiment_platform.times.reading import UNSTATED

_LINK = re.compile(r"https?://\S+")
_PHRASEBANK_AGREEMENT = {"50agree": 0.5, "66agree": 0.66, "75agree": 0.75, "allagree": 1.0}
_TWEET_LABELS = {"0": "negative", "1": "positive", "2": "neutral"}
PLAIN_FIELDS = ("text", "label", "score", "id", "annotator", "weight", "labelled_at", "published_at", "url")
UNREADABLE = (ValueError, OverflowError, OSError, TypeError)


def phrasebank(path: Path, said: Mapping[str, str] | None = None, written: Written | None = None) -> ImportReport:
    """`sentence@label` lines. Source: Malo et al. 2014, Financial PhraseBank 1.0, CC BY-NC-SA 3.0.

    The four files are four cuts of one annotation by agreement (at least 50, 66, 75 %, or all of 5 to 8 annotators), so they share
    one annotator, the majority, and a sentence that stands in several of them is heard once.
    """
    name = path.name.split(".")[0].removeprefix("Sentences_").lower()
    reading = Reading(path, "phrasebank", f"phrasebank-{name}", "CC-BY-NC-SA-3.0", said=said)
    as_published = replace(written or Written(), otherwise="latin-1")
    for line in read_lines(path, as_published):
        sentence, separator, label = line.rpartition("@")
        if separator:
            agreement = _PHRASEBANK_AGREEMENT.get(name)
            reading.add(sentence, label, "phrasebank-majority", {"line": line}, agreement=agreement)
        else:
            reading.unreadable("the line has no @", {"line": line})
    return reading.finish("lines of the form sentence@label")


def sentfin(path: Path, said: Mapping[str, str] | None = None, written: Written | None = None) -> ImportReport:
    """SEntFiN 1.0: a Python dictionary of entity labels a title; titles whose entities disagree have no one label.

    Source: Sinha et al. 2022, SEntFiN 1.0, MIT. Published dictionaries with an apostrophe inside of a name cannot be parsed.
    """
    reading = Reading(path, "sentfin", "sentfin", "MIT", said=said)
    for row in csv_rows(path, {"Title", "Decisions"}, written):
        try:
            decisions: Any = ast.literal_eval(row["Decisions"])
        except (ValueError, TypeError, SyntaxError, RecursionError):
            reading.unreadable("the entity labels cannot be parsed", row)
            continue
        if not isinstance(decisions, dict) or not decisions:
            reading.unreadable("there are no entity labels", row)
            continue
        labels = {str(value) for value in decisions.values()}
        if len(labels) > 1:
            reading.leave_out("entities disagree")
        else:
            reading.add(row["Title"], labels.pop(), "sentfin-annotators", row)
    return reading.finish("columns Title and Decisions")


def tfns(path: Path, said: Mapping[str, str] | None = None, written: Written | None = None) -> ImportReport:
    """Twitter Financial News Sentiment: 0 bearish, 1 bullish, 2 neutral; links are removed. Licence as published: MIT."""
    reading = Reading(path, "tfns", "tfns", "MIT", said={**_TWEET_LABELS, **(said or {})})
    for row in csv_rows(path, {"text", "label"}, written):
        # What is left of a tweet that is nothing but a link is no text.
        text = _LINK.sub("", row["text"])
        if text.strip():
            reading.add(text, row["label"], "tfns-annotators", row)
        else:
            reading.leave_out("nothing but a link")
    return reading.finish("columns text and label")


def fiqa(path: Path, written: Written | None = None) -> ImportReport:
    """FiQA task 1: sentences with a score from -1 to 1 for each target; the score is kept, the label is that of `label_of_score`.

    Reads the published JSON (id -> sentence and `info` with `sentiment_score`) and CSV with `sentence` and `score`. A sentence whose
    targets get different labels has no one label. Source: Maia et al. 2018, WWW'18 Open Challenge (FiQA); no licence is stated.
    """
    reading = Reading(path, "fiqa", "fiqa", "unstated")
    for name, sentence, scores, row in _fiqa_rows(path, written):
        try:
            numbers = [number for value in scores if (number := read_score(value)) is not None]
        except ValueError as error:
            reading.unreadable(str(error), row)
            continue
        labels = {label_of_score(number) for number in numbers}
        if len(labels) > 1:
            reading.leave_out("targets disagree")
            continue
        score = sum(numbers) / len(numbers) if numbers else None
        reading.add(sentence, labels.pop() if labels else None, "fiqa-annotators", row, external_id=name, score=score)
    return reading.finish("JSON objects with sentence and info, or columns sentence and score")


def _fiqa_rows(path: Path, written: Written | None) -> list[tuple[str | None, str, list[Any], dict[str, Any]]]:
    if path.suffix == ".csv":
        return [
            (row.get("_id") or None, row["sentence"], [row["score"]], dict(row))
            for row in csv_rows(path, {"sentence", "score"}, written, names=["_id"])
        ]
    document = json_document(path, written)
    if not isinstance(document, dict):
        raise PermanentError(f"{path} is no JSON object.", remedy="Expected id -> sentence and info.")
    rows: list[tuple[str | None, str, list[Any], dict[str, Any]]] = []
    for name, row in document.items():
        fields = row if isinstance(row, dict) else {"row": row}
        info = fields.get("info")
        scores = [one.get("sentiment_score") for one in info if isinstance(one, dict)] if isinstance(info, list) else []
        rows.append((str(name), str(fields.get("sentence") or ""), scores, fields))
    return rows


def plain(
    path: Path,
    label_set: str | None = None,
    licence: str = "unstated",
    kind: LabelKind = "human",
    columns: Mapping[str, str] | None = None,
    clock: AssumedClock | None = None,
    said: Mapping[str, str] | None = None,
    written: Written | None = None,
) -> ImportReport:
    """CSV with a header, or JSON lines: `text` or `title`, `label` or `score`, and optionally the other fields of PLAIN_FIELDS.

    A weight is above 0. `columns` names the columns that are not called as their field. `clock`: of times without an offset, counted
    there; UTC without it. `said`: what labels mean that are no words, as `spelling.parse_labels` gives it. `written`: encoding
    and delimiter.
    """
    named, stated = dict(columns or {}), clock.stated if clock else UNSTATED
    reading = Reading(path, "plain", label_set or path.stem, licence, kind, said=said)
    scores: list[float] = []
    names = [*(named.get(field, field) for field in PLAIN_FIELDS), *([] if "text" in named else ["title"])]
    one_of = [named.get(field, field) for field in ("label", "score") if field in named or not named.keys() & {"label", "score"}]
    is_json = path.suffix.lower() in (".jsonl", ".ndjson", ".json")
    rows = json_rows(path, written, names=names) if is_json else csv_rows(path, set(), written, names=names, one_of=one_of)
    for row in rows:
        cell = {field: _cell(row.get(named.get(field, field))) for field in PLAIN_FIELDS}
        try:
            score = read_score(cell["score"])
            more = {
                "weight": float(cell["weight"] or 1.0),
                "labelled_at": time_of(cell["labelled_at"], stated, clock),
                "published_at": time_of(cell["published_at"], stated, clock),
            }
        except UNREADABLE as error:
            reading.unreadable(str(error), row)
            continue
        label = cell["label"]
        if not label and score is not None:
            scores.append(score)
            label = label_of_score(score)
        reading.add(
            cell["text"] or _cell(row.get("title")),
            label,
            cell["annotator"] or "imported",
            row,
            external_id=cell["id"] or None,
            score=score,
            url=normalise(cell["url"]) or None,
            **more,
        )
    require_signed(path, scores, said or {})
    return reading.finish(
        "columns text (or title) and label (or score): --map names others, --format the tool that wrote the file"
    )


def parse_columns(text: str) -> dict[str, str]:
    """`label=sentiment,annotator=who`: field -> column.

    Raises:
        PermanentError: an unknown or repeated field.
    """
    try:
        return parse_map(text, PLAIN_FIELDS)
    except ValueError as error:
        raise PermanentError(
            f"The column map cannot use {str(error)!r}.", remedy=f"Fields are {', '.join(PLAIN_FIELDS)}."
        ) from error


def _cell(value: object) -> str:
    return "" if value is None else str(value)
