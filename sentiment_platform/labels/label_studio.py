"""The reader of what Label Studio exports. A project may ask several questions: which of them is the sentiment, `--control` says."""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from sentiment_platform.errors import PermanentError
from sentiment_platform.labels.importers import UNREADABLE
from sentiment_platform.labels.label_files import json_document, time_of
from sentiment_platform.labels.report import NO_LABEL_YET, ImportReport, Reading
from sentiment_platform.text_files.written import Written
from sentiment_platform.times.assumed import AssumedClock
from sentiment_platform.times.reading import UNSTATED

_OF_SENTIMENT = re.compile(
    "sentiment|tone|polarity|stance|mood|label|class|choice|rating|stars|score|^without a name$", re.IGNORECASE
)
"""Names of a project's only control that need no `--control`; an answer to "relevant?" may be "positive" too."""


def label_studio(
    path: Path,
    label_set: str | None = None,
    licence: str = "unstated",
    clock: AssumedClock | None = None,
    said: Mapping[str, str] | None = None,
    *,
    control: str | None = None,
    columns: Mapping[str, str] | None = None,
    written: Written | None = None,
) -> ImportReport:
    """Label Studio's JSON export of a choices project: `data.text`, `annotations[].result[].value.choices` (or `rating`).

    control: the `from_name` whose answer is the sentiment; needed where the project has several, or one of another
    name. columns: `text` is in another key of
    `data`. annotator: `completed_by` (an id, or an object with one). labelled_at: `updated_at`, else `created_at`. id: the task's `id`.
    Skipped annotations (`was_cancelled`) and those without an answer are left out. Source: labelstud.io/guide/task_format.

    Raises:
        PermanentError: the file is no such export, or has several controls and none is named, or not the one that is.
    """
    reading = Reading(path, "label_studio", label_set or path.stem, licence, said=said)
    document = json_document(path, written)
    if not isinstance(document, list):
        raise PermanentError(f"{path} is no list of tasks.", remedy="Export the project as JSON.")
    asked = _control(path, document, control)
    key = (columns or {}).get("text", "text")
    _require_text(path, document, key)
    for task in document:
        annotations, data = _annotations(task), task.get("data") if isinstance(task, dict) else None
        if not isinstance(annotations, list) or not isinstance(data, dict):
            reading.unreadable(
                "the task has no data and annotations; JSON-MIN is read by --format plain with a --map", {"row": task}
            )
            continue
        if not annotations:
            reading.leave_out(NO_LABEL_YET)
        for one in annotations:
            payload = {"task": task.get("id"), "data": dict(data), "annotation": one}
            _annotation(reading, data.get(key), one, asked, clock, payload)
    return reading.finish(f"tasks with data.{key} and annotations with one choice each")


def _annotation(
    reading: Reading, text: object, one: Any, control: str | None, clock: AssumedClock | None, payload: Mapping[str, Any]
) -> None:
    if not isinstance(one, dict):
        reading.unreadable("the annotation is no object", payload)
        return
    who = one.get("completed_by")
    who = who.get("id") or who.get("email") if isinstance(who, dict) else who
    try:
        answers = [answer for name, answer in _answers(one) if control in (None, name)]
        labelled_at: datetime | None = time_of(
            one.get("updated_at") or one.get("created_at"), clock.stated if clock else UNSTATED, clock
        )
    except (*UNREADABLE, AttributeError) as error:
        reading.unreadable(f"the annotation cannot be read: {error}", payload)
        return
    if one.get("was_cancelled"):
        reading.take_back("the annotator skipped it", text, who, payload["task"], labelled_at=labelled_at)
        return
    reading.add_choice(text, answers, who, payload, payload["task"], question=control or "it", labelled_at=labelled_at)


def _answers(annotation: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Control and answer, one pair for each choice or rating; other controls (spans, comments) say no class."""
    for result in annotation.get("result") or []:
        value = result.get("value") or {}
        choices = value.get("choices")
        for answer in choices if isinstance(choices, list) else [choices or value.get("rating")]:
            if answer is not None:
                # A choice below another one is a path: its end is the answer.
                yield (
                    str(result.get("from_name") or "without a name"),
                    answer[-1] if isinstance(answer, list) and answer else answer,
                )


def _annotations(task: Any) -> Any:
    # `completions` is their name before Label Studio 1.0. A file that goes into a project has neither.
    return task.get("annotations", task.get("completions", [])) if isinstance(task, dict) else None


def _control(path: Path, tasks: list[Any], named: str | None) -> str | None:
    """The control whose answers are labels.

    Raises:
        PermanentError: there are several and none is named, or nobody was asked the one that is.
    """
    names: set[str] = set()
    for one in (one for task in tasks if isinstance(every := _annotations(task), list) for one in every):
        try:
            names.update(name for name, _ in _answers(one))
        except AttributeError:  # Not of this shape: the row is refused where it is read.
            continue
    every_name = ", ".join(sorted(names)) or "none"
    if named is None and len(names) > 1:
        raise PermanentError(
            f"{path} has answers to {len(names)} controls: {every_name}.", remedy="Say which is the sentiment: --control NAME."
        )
    if named is not None and named not in names:
        raise PermanentError(
            f"In {path} nobody answered {named}; there are answers to: {every_name}.",
            remedy="Name the control whose answer is the sentiment, or export again when somebody has answered it.",
        )
    only = next(iter(names), None)
    if named is None and only is not None and not _OF_SENTIMENT.search(only):
        raise PermanentError(
            f"{path} has answers to one control, {only}, whose name does not say that it is the sentiment.",
            remedy=f"If it is: --control {only}.",
        )
    return named or only


def _require_text(path: Path, tasks: list[Any], key: str) -> None:
    every = [task["data"] for task in tasks if isinstance(task, dict) and isinstance(task.get("data"), dict)]
    if every and not any(key in data for data in every):
        names = ", ".join(sorted({str(name) for data in every for name in data})) or "none"
        raise PermanentError(
            f"No task of {path} has {key} in its data.", remedy=f"Name the text with --map text=NAME; its names are: {names}."
        )
