"""Readers of what doccano and Prodigy export. Each annotator's word is a label of its own.

A tool's CSV needs no reader of its own: `plain` takes any column names by a map. Label Studio is read in `label_studio`.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sentiment_platform.labels.importers import UNREADABLE
from sentiment_platform.labels.label_files import json_rows, time_of
from sentiment_platform.labels.report import ImportReport, Reading
from sentiment_platform.labels.spelling import WORDS
from sentiment_platform.text_files.written import Written
from sentiment_platform.times.assumed import AssumedClock
from sentiment_platform.times.reading import UNSTATED


def doccano(
    path: Path,
    label_set: str | None = None,
    licence: str = "unstated",
    annotator: str | None = None,
    said: Mapping[str, str] | None = None,
    *,
    columns: Mapping[str, str] | None = None,
    written: Written | None = None,
) -> ImportReport:
    """doccano's JSONL or JSON export of a text classification: `text` (or `data`), `label` (a list, or one name), `id`.

    annotator: the file's name, since doccano writes a file for each user; `annotator` says otherwise. Older releases write
    `annotations`, each with its `user` and the number of its label. columns: fields that have another name. The export has no time.
    Rows without a label are left out. Source: doccano.github.io/doccano, "Export dataset", JSONL.
    """
    reading = Reading(path, "doccano", label_set or path.stem, licence, said=said)
    named = columns or {}
    for row in json_rows(path, written):
        text = _first(row, named.get("text"), "text", "data")
        item = _first(row, named.get("id"), "id")
        voices = list(_doccano_voices(row, named)) if "annotations" in row else []
        if voices:
            for who, choices in voices:
                reading.add_choice(text, choices, who, row, item)
            continue
        label = _first(row, named.get("label"), "label", "labels", "cats")
        who = annotator or _first(row, named.get("annotator")) or path.stem
        reading.add_choice(text, _as_list(label), who, row, item)
    return reading.finish("objects with text (or data; --map text=NAME) and one label each")


def _doccano_voices(row: Mapping[str, Any], named: Mapping[str, str]) -> Iterator[tuple[object, list[Any]]]:
    """Each user of an older export with the labels that they gave."""
    by_user: dict[object, list[Any]] = {}
    annotations = row["annotations"]
    for one in annotations if isinstance(annotations, list) else []:
        if isinstance(one, dict):
            user = _first(one, named.get("annotator"), "user")
            by_user.setdefault(str(user) if user is not None else None, []).extend(_as_list(one.get("label")))
    yield from by_user.items()


def prodigy(
    path: Path,
    label_set: str | None = None,
    licence: str = "unstated",
    clock: AssumedClock | None = None,
    said: Mapping[str, str] | None = None,
    *,
    columns: Mapping[str, str] | None = None,
    written: Written | None = None,
) -> ImportReport:
    """Prodigy's `db-out` JSONL of a text classification: `accept` (choice) or `label` (binary), with `answer`.

    annotator: `_annotator_id`, else `_session_id`. labelled_at: `_timestamp` (seconds). id: `_input_hash`. columns: fields that have
    another name. Ignored rows are left out, and so are rejected ones: that a text is not positive does not say what it is. Where the
    options are numbered, a choice is the option's text. Source: prodi.gy/docs/api-interfaces.
    """
    reading = Reading(path, "prodigy", label_set or path.stem, licence, said=said)
    named = columns or {}
    for row in json_rows(path, written):
        answer = row.get("answer", "accept")
        try:
            labelled_at = time_of(_first(row, named.get("labelled_at"), "_timestamp"), clock.stated if clock else UNSTATED, clock)
        except UNREADABLE as error:
            reading.unreadable(f"the time cannot be read: {error}", row)
            continue
        who = _first(row, named.get("annotator"), "_annotator_id", "_session_id") or "prodigy"
        text, item = _first(row, named.get("text"), "text"), _first(row, named.get("id"), "_input_hash")
        if answer != "accept":
            reading.take_back(f"the answer is {str(answer)[:20]}", text, who, item, labelled_at=labelled_at)
            continue
        choices = [_option(row, choice) for choice in _as_list(_first(row, named.get("label"), "accept", "label"))]
        reading.add_choice(text, choices, who, row, item, labelled_at=labelled_at)
    return reading.finish("objects with text, answer and accept or label")


def _option(row: Mapping[str, Any], choice: Any) -> Any:
    """The words of a chosen option whose id says nothing."""
    options = row.get("options")
    if str(choice).strip().lower() in WORDS or not isinstance(options, list):
        return choice
    texts = [one.get("text") for one in options if isinstance(one, dict) and one.get("id") == choice]
    return texts[0] if texts and isinstance(texts[0], str) else choice


def _first(row: Mapping[str, Any], *names: str | None) -> Any:
    """What stands under the first of these names that the row has; a name that was mapped is the only one that counts."""
    if names[0] is not None:
        return row.get(names[0])
    return next((row[name] for name in names if name is not None and row.get(name) is not None), None)


def _as_list(value: Any) -> list[Any]:
    return [] if value is None or value == "" else value if isinstance(value, list) else [value]
