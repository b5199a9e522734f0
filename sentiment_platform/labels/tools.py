"""Readers of what labelling tools export: Label Studio, doccano, Prodigy. Each annotator's word is a label of its own.

A tool's CSV needs no reader of its own: `plain` takes any column names by a map.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sentiment_platform.errors import PermanentError
from sentiment_platform.labels.importers import UNREADABLE
from sentiment_platform.labels.label_files import json_document, json_lines, time_of
from sentiment_platform.labels.report import ImportReport, Reading
from sentiment_platform.times.assumed import AssumedClock
from sentiment_platform.times.reading import UNSTATED


def label_studio(
    path: Path,
    label_set: str | None = None,
    licence: str = "unstated",
    clock: AssumedClock | None = None,
    said: Mapping[str, str] | None = None,
) -> ImportReport:
    """Label Studio's JSON export of a choices project: `data.text`, `annotations[].result[].value.choices`.

    annotator: `completed_by` (an id, or an object with one). labelled_at: `updated_at`, else `created_at`. id: the task's `id`.
    Skipped annotations (`was_cancelled`) and tasks that nobody has done are left out.
    Source: labelstud.io/guide/task_format.
    """
    reading = Reading(path, "label_studio", label_set or path.stem, licence, said=said)
    document = json_document(path)
    if not isinstance(document, list):
        raise PermanentError(f"{path} is no list of tasks.", remedy="Export the project as JSON.")
    for task in document:
        annotations = task.get("annotations") if isinstance(task, dict) else None
        data = task.get("data") if isinstance(task, dict) else None
        if not isinstance(annotations, list) or not isinstance(data, dict):
            reading.unreadable("the task has no data and annotations", _payload(task))
            continue
        if not annotations:
            reading.leave_out("nobody has labelled it")
        for one in annotations:
            _label_studio_annotation(reading, task, data, one, clock)
    return reading.finish("tasks with data.text and annotations with one choice each")


def _label_studio_annotation(
    reading: Reading, task: Mapping[str, Any], data: Mapping[str, Any], one: Any, clock: AssumedClock | None
) -> None:
    payload = {"task": task.get("id"), "data": dict(data), "annotation": one}
    if not isinstance(one, dict):
        reading.unreadable("the annotation is no object", payload)
        return
    if one.get("was_cancelled"):
        reading.leave_out("the annotator skipped it")
        return
    who = one.get("completed_by")
    who = who.get("id") or who.get("email") if isinstance(who, dict) else who
    try:
        results = one.get("result") or []
        choices = [choice for result in results for choice in (result.get("value") or {}).get("choices") or []]
        labelled_at = time_of(one.get("updated_at") or one.get("created_at"), clock.stated if clock else UNSTATED, clock)
    except (*UNREADABLE, AttributeError) as error:
        reading.unreadable(f"the annotation cannot be read: {error}", payload)
        return
    _one_choice(reading, data.get("text"), choices, who, payload, task.get("id"), labelled_at=labelled_at)


def doccano(
    path: Path,
    label_set: str | None = None,
    licence: str = "unstated",
    annotator: str | None = None,
    said: Mapping[str, str] | None = None,
) -> ImportReport:
    """doccano's JSONL export of a text classification: `text`, `label` (a list, or one name), `id`.

    annotator: the file's name, since doccano writes a file for each user; `annotator` says otherwise. The export has no time.
    Rows without a label are left out. Source: doccano.github.io/doccano, "Export dataset", JSONL.
    """
    reading = Reading(path, "doccano", label_set or path.stem, licence, said=said)
    for row in json_lines(path):
        label = row.get("label", row.get("labels"))
        choices = [label] if isinstance(label, str) else label if isinstance(label, list) else []
        if not choices:
            reading.leave_out("nobody has labelled it")
            continue
        _one_choice(reading, row.get("text"), choices, annotator or path.stem, row, row.get("id"))
    return reading.finish("objects with text and one label each")


def prodigy(
    path: Path,
    label_set: str | None = None,
    licence: str = "unstated",
    clock: AssumedClock | None = None,
    said: Mapping[str, str] | None = None,
) -> ImportReport:
    """Prodigy's `db-out` JSONL of a text classification: `accept` (choice) or `label` (binary), with `answer`.

    annotator: `_annotator_id`, else `_session_id`. labelled_at: `_timestamp` (seconds). id: `_input_hash`. Ignored rows are left out,
    and so are rejected ones: that a text is not positive does not say what it is. Source: prodi.gy/docs/api-interfaces.
    """
    reading = Reading(path, "prodigy", label_set or path.stem, licence, said=said)
    for row in json_lines(path):
        answer = row.get("answer", "accept")
        if answer != "accept":
            reading.leave_out(f"the answer is {str(answer)[:20]}")
            continue
        try:
            labelled_at = time_of(row.get("_timestamp"), clock.stated if clock else UNSTATED, clock)
        except UNREADABLE as error:
            reading.unreadable(f"the time cannot be read: {error}", row)
            continue
        accepted = row.get("accept", row.get("label"))
        choices = [accepted] if isinstance(accepted, str) else accepted if isinstance(accepted, list) else []
        who = row.get("_annotator_id") or row.get("_session_id") or "prodigy"
        _one_choice(reading, row.get("text"), choices, who, row, row.get("_input_hash"), labelled_at=labelled_at)
    return reading.finish("objects with text, answer and accept or label")


def _one_choice(
    reading: Reading, text: object, choices: list[Any], who: object, payload: Mapping[str, Any], item: object, **more: Any
) -> None:
    if len(choices) != 1:
        reading.unreadable(f"there are {len(choices)} labels where one is expected", payload)
        return
    annotator = "" if who is None else str(who)
    name = None if item is None else str(item)
    words = text if isinstance(text, str) else ""
    reading.add(words, str(choices[0]), annotator, payload, external_id=name, **more)


def _payload(row: object) -> dict[str, Any]:
    return {"row": row}
