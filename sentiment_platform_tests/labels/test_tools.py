import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sentiment_platform.errors import PermanentError
from sentiment_platform.labels.report import ImportReport
from sentiment_platform.labels.tools import doccano, label_studio, prodigy


def file(folder: Path, content: object, name: str) -> Path:
    path = folder / name
    rows = "\n".join(json.dumps(row) for row in content) if name.endswith(".jsonl") else json.dumps(content)  # type: ignore[attr-defined]
    path.write_text(rows)
    return path


def words(report: ImportReport) -> list[tuple[str, str, str, str]]:
    return [(example.external_id, example.annotator, example.text, example.label) for example in report.examples]


def fates(report: ImportReport) -> tuple[dict[str, int], dict[str, int]]:
    return dict(Counter(refused.rule for refused in report.refused)), dict(report.left_out)


def choice(*names: str) -> list[dict[str, object]]:
    return [{"from_name": "tone", "to_name": "text", "type": "choices", "value": {"choices": list(names)}}]


def test_label_studio_gives_each_annotators_word_with_its_time(tmp_path: Path) -> None:
    at = "2025-01-06T12:00:00.123456Z"
    tasks = [
        {
            "id": 7,
            "data": {"text": "Sales rose"},
            "annotations": [
                {"id": 1, "completed_by": 3, "result": choice("Positive"), "created_at": at, "updated_at": at},
                {"id": 2, "completed_by": {"id": 4, "email": "a@e.example"}, "result": choice("Neutral"), "created_at": at},
                {"id": 3, "completed_by": 5, "result": [], "was_cancelled": True},
                {"id": 4, "completed_by": 6, "result": choice("Positive", "Neutral")},
                {"id": 5, "completed_by": 6, "result": []},
                {"id": 6, "completed_by": 8, "result": choice("Great")},
                {"id": 7, "completed_by": None, "result": choice("Positive")},
                {"id": 8, "completed_by": 9, "result": choice("Positive"), "created_at": "soon"},
                {"id": 9, "completed_by": 9, "result": ["choice"]},
                "no object",
            ],
        },
        {"id": 8, "data": {"text": "Nobody cared"}, "annotations": []},
        {"id": 9, "data": {"headline": "Sales fell"}, "annotations": [{"completed_by": 3, "result": choice("Negative")}]},
        {"id": 10, "annotations": None},
        "no task",
    ]
    report = label_studio(file(tmp_path, tasks, "project.json"), "desk", "CC0-1.0")
    assert words(report) == [("7", "3", "Sales rose", "positive"), ("7", "4", "Sales rose", "neutral")]
    assert report.examples[0].labelled_at == datetime(2025, 1, 6, 12, 0, 0, 123456, tzinfo=UTC)
    assert {(example.label_set, example.licence) for example in report.examples} == {("desk", "CC0-1.0")}
    assert fates(report) == (
        {"row_is_readable": 7, "label_is_known": 1, "annotator_is_named": 1, "text_is_present": 1},
        {"the annotator skipped it": 1, "nobody has labelled it": 1},
    )


def test_doccano_writes_a_file_for_each_user(tmp_path: Path) -> None:
    rows = [
        {"id": 1, "text": "Sales rose", "label": ["positive"]},
        {"id": 2, "text": "Sales fell", "label": "negative"},
        {"id": 3, "text": "Sales stood", "label": []},
        {"id": 4, "text": "Sales turned", "label": ["positive", "negative"]},
        {"id": 5, "text": ["Sales"], "label": ["neutral"]},
    ]
    report = doccano(file(tmp_path, rows, "ada.jsonl"), "desk")
    assert words(report) == [("1", "ada", "Sales rose", "positive"), ("2", "ada", "Sales fell", "negative")]
    assert fates(report) == ({"row_is_readable": 1, "text_is_present": 1}, {"nobody has labelled it": 1})
    assert {example.annotator for example in doccano(tmp_path / "ada.jsonl", annotator="bob").examples} == {"bob"}


def test_prodigy_counts_what_was_accepted_and_guesses_nothing_from_what_was_not(tmp_path: Path) -> None:
    base = {"text": "Sales rose", "_input_hash": -7, "_timestamp": 1736164800}
    rows = [
        {**base, "accept": ["positive"], "answer": "accept", "_annotator_id": "ada", "_session_id": "desk-ada"},
        {**base, "label": "POSITIVE", "answer": "accept", "_session_id": "desk-bob"},
        {**base, "label": "negative", "answer": "reject", "_session_id": "desk-eve"},
        {**base, "accept": [], "answer": "ignore"},
        {**base, "accept": [], "answer": "accept"},
        {**base, "accept": ["neutral"], "answer": "accept", "_timestamp": "soon"},
    ]
    report = prodigy(file(tmp_path, rows, "out.jsonl"), "desk")
    assert words(report) == [("-7", "ada", "Sales rose", "positive"), ("-7", "desk-bob", "Sales rose", "positive")]
    assert report.examples[0].labelled_at == datetime(2025, 1, 6, 12, tzinfo=UTC)
    assert fates(report) == ({"row_is_readable": 2}, {"the answer is reject": 1, "the answer is ignore": 1})


def test_an_export_of_another_shape_is_refused_whole(tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match="no list of tasks"):
        label_studio(file(tmp_path, {"tasks": []}, "a.json"))
    for reader in (doccano, prodigy):
        with pytest.raises(PermanentError, match="has no labelled text"):
            reader(file(tmp_path, [{"text": "Sales rose"}], "a.jsonl"))
