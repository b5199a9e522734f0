"""Texts for people to label, as files that labelling tools take. The model's answer is not among them: it would lead the annotator."""

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # The command's help needs the formats, and no database library.
    from sentiment_platform.store.audit_sample import LabellingTask


def _as_csv(tasks: Sequence["LabellingTask"]) -> str:
    content = io.StringIO()
    rows = csv.writer(content)
    rows.writerow(("id", "text", "label"))
    rows.writerows((task.id, task.text, "") for task in tasks)
    return content.getvalue()


def _for_label_studio(tasks: Sequence["LabellingTask"]) -> str:
    return json.dumps([{"data": {"text": task.text, "id": task.id}} for task in tasks], ensure_ascii=False, indent=1)


TASK_FORMATS: Mapping[str, Callable[[Sequence["LabellingTask"]], str]] = {"csv": _as_csv, "label-studio": _for_label_studio}
"""Name of a format -> the content of the file. A CSV has an empty column `label` to fill in."""
