import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sentiment_platform.errors import PermanentError
from sentiment_platform.labels.importers import plain
from sentiment_platform.labels.label_studio import label_studio
from sentiment_platform.labels.report import ImportReport
from sentiment_platform.labels.tools import doccano, prodigy


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
        {"row_is_readable": 6, "label_is_known": 1, "annotator_is_named": 1, "text_is_present": 1},
        {"the annotator skipped it": 1, "nobody has labelled it": 1, "nobody answered tone": 1},
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
    assert fates(report) == (
        {"row_is_readable": 1},
        {"the answer is reject": 1, "the answer is ignore": 1, "nobody has labelled it": 1},
    )


def test_an_export_of_another_shape_is_refused_whole(tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match="no list of tasks"):
        label_studio(file(tmp_path, {"tasks": []}, "a.json"))
    for reader in (doccano, prodigy):
        with pytest.raises(PermanentError, match="has no labelled text"):
            reader(file(tmp_path, [{"text": "Sales rose"}], "a.jsonl"))


def answered(*annotations: dict[str, object], **data: str) -> list[dict[str, object]]:
    return [{"id": 1, "data": data or {"text": "Kettle maker cuts jobs"}, "annotations": list(annotations)}]


def annotation(*answers: tuple[str, dict[str, object]], who: int = 3, at: str = "2025-01-06T12:00:00Z") -> dict[str, object]:
    return {"completed_by": who, "updated_at": at, "result": [{"from_name": name, "value": value} for name, value in answers]}


def test_a_project_with_several_controls_is_refused_with_their_names_until_one_is_named(tmp_path: Path) -> None:
    both = annotation(("topic", {"choices": ["Jobs"]}), ("note", {"text": ["sure"]}), ("tone", {"choices": ["Negative"]}))
    path = file(tmp_path, answered(both), "project.json")
    with pytest.raises(PermanentError, match=r"2 controls: tone, topic.*--control"):
        label_studio(path)
    assert [row.label for row in label_studio(path, control="tone").examples] == ["negative"]
    with pytest.raises(PermanentError, match="nobody answered mood; there are answers to: tone, topic"):
        label_studio(path, control="mood")


def test_who_did_not_answer_the_named_control_is_left_out_whatever_else_they_said(tmp_path: Path) -> None:
    said = annotation(("tone", {"choices": ["neutral"]}))
    other = annotation(("relevant", {"choices": ["Positive"]}), who=4)
    report = label_studio(file(tmp_path, answered(said, other), "project.json"), control="tone")
    assert (words(report), fates(report)) == (
        [("1", "3", "Kettle maker cuts jobs", "neutral")],
        ({}, {"nobody answered tone": 1}),
    )
    alone = file(tmp_path, answered(other), "project.json")
    with pytest.raises(PermanentError, match="nobody answered tone"):
        label_studio(alone, control="tone")
    # What an only control asks, its name says; else a person does.
    with pytest.raises(PermanentError, match=r"one control, relevant,.*--control relevant"):
        label_studio(alone)
    assert [row.label for row in label_studio(alone, control="relevant").examples] == ["positive"]


def test_a_text_under_another_key_is_named_by_a_map(tmp_path: Path) -> None:
    path = file(tmp_path, answered(annotation(("tone", {"choices": ["neg"]})), headline="Rope frays"), "project.json")
    with pytest.raises(PermanentError, match="--map text=NAME; its names are: headline"):
        label_studio(path)
    assert words(label_studio(path, columns={"text": "headline"})) == [("1", "3", "Rope frays", "negative")]
    rows = [{"id": 5, "body": "Rope frays", "tone": "neg", "answer": "accept"}]
    for reader in (doccano, prodigy):
        (row,) = reader(file(tmp_path, rows, "a.jsonl"), columns={"text": "body", "label": "tone"}).examples
        assert (row.text, row.label) == ("Rope frays", "negative")


def test_ratings_are_numbers_and_numbers_are_named(tmp_path: Path) -> None:
    path = file(tmp_path, answered(annotation(("stars", {"rating": 1}))), "project.json")
    with pytest.raises(PermanentError, match="labels that are numbers"):
        label_studio(path)
    assert [row.label for row in label_studio(path, said={"1": "negative"}).examples] == ["negative"]


def test_the_last_word_of_an_annotator_counts_in_every_tool(tmp_path: Path) -> None:
    first = annotation(("tone", {"choices": ["positive"]}), at="2025-01-06T12:00:00Z")
    last = annotation(("tone", {"choices": ["negative"]}), at="2025-01-06T15:00:00+02:00")
    other = annotation(("tone", {"choices": ["neutral"]}), who=4, at="2024-01-01")
    studio = label_studio(file(tmp_path, answered(last, first, other), "project.json"))
    assert [(annotator, label) for _, annotator, _, label in words(studio)] == [("3", "negative"), ("4", "neutral")]
    base = {"text": "Rope frays", "_input_hash": 7, "_session_id": "ada"}
    rows = [{**base, "accept": ["negative"], "_timestamp": 1736164900}, {**base, "accept": ["neutral"], "_timestamp": 1736164800}]
    report = prodigy(file(tmp_path, rows, "out.jsonl"))
    assert ([row.label for row in report.examples], report.left_out) == (["negative"], {"the annotator spoke again later": 1})
    lines = "id,text,label,annotator,labelled_at\n1,Rope frays,neu,ada,2025-01-07\n1,Rope frays,neg,ada,2025-01-06\n"
    (tmp_path / "plain.csv").write_text(lines)
    assert [row.label for row in plain(tmp_path / "plain.csv").examples] == ["neutral"]
    # Two words at one time have no last one.
    (tmp_path / "plain.csv").write_text(lines.replace("-07", "-06") + "2,Rope holds,pos,ada,\n")
    assert fates(plain(tmp_path / "plain.csv")) == ({"annotator_says_one_thing": 2}, {})


def test_doccano_as_its_releases_write_it(tmp_path: Path) -> None:
    rows = [
        {"id": 1, "data": "Rope frays", "label": ["negative"]},
        {"id": 2, "text": "Rope holds", "label": ["positive", "positive"]},
        {"id": 3, "text": "Rope stands", "labels": "neutral"},
        {"id": 4, "text": "Rope turns", "annotations": [{"label": "neg", "user": 1}, {"label": "pos", "user": 2}]},
        {"id": 5, "text": "Rope lies", "annotations": []},
    ]
    expected = [
        ("1", "ada", "Rope frays", "negative"),
        ("2", "ada", "Rope holds", "positive"),
        ("3", "ada", "Rope stands", "neutral"),
        ("4", "1", "Rope turns", "negative"),
        ("4", "2", "Rope turns", "positive"),
    ]
    for path in (file(tmp_path, rows, "ada.jsonl"), file(tmp_path, rows, "ada.json")):
        assert (words(doccano(path)), fates(doccano(path))) == (expected, ({}, {"nobody has labelled it": 1}))


def test_an_option_of_prodigy_that_is_numbered_is_its_words(tmp_path: Path) -> None:
    options = [{"id": 0, "text": "Positive"}, {"id": 1, "text": "Negative"}]
    path = file(tmp_path, [{"text": "Rope frays", "accept": [1], "options": options, "answer": "accept"}], "out.jsonl")
    assert [row.label for row in prodigy(path).examples] == ["negative"]


def test_who_took_a_label_back_later_said_nothing(tmp_path: Path) -> None:
    rows = [
        {
            "text": "Kettles rise",
            "_input_hash": 1,
            "accept": ["positive"],
            "answer": "accept",
            "_session_id": "ada",
            "_timestamp": 1719914400,
        },
        {
            "text": "Kettles rise",
            "_input_hash": 1,
            "accept": [],
            "answer": "ignore",
            "_session_id": "ada",
            "_timestamp": 1719914500,
        },
        {
            "text": "Kettles rise",
            "_input_hash": 1,
            "accept": ["positive"],
            "answer": "accept",
            "_session_id": "bob",
            "_timestamp": 1719914400,
        },
        {
            "text": "Ropes fall",
            "_input_hash": 2,
            "accept": [],
            "answer": "ignore",
            "_session_id": "ada",
            "_timestamp": 1719914400,
        },
        {
            "text": "Ropes fall",
            "_input_hash": 2,
            "accept": ["negative"],
            "answer": "accept",
            "_session_id": "ada",
            "_timestamp": 1719914500,
        },
    ]
    report = prodigy(file(tmp_path, rows, "out.jsonl"))
    assert words(report) == [("1", "bob", "Kettles rise", "positive"), ("2", "ada", "Ropes fall", "negative")]
    assert fates(report) == ({}, {"the answer is ignore": 2, "the annotator took it back later": 1})
    said = {"completed_by": 3, "result": choice("positive"), "updated_at": "2025-01-06T12:00:00Z"}
    skipped = {"completed_by": 3, "result": [], "was_cancelled": True, "updated_at": "2025-01-07T12:00:00Z"}
    tasks = [
        {"id": 1, "data": {"text": "Kettles rise"}, "annotations": [said, skipped]},
        {"id": 2, "data": {"text": "Ropes fall"}, "annotations": [said]},
    ]
    assert words(label_studio(file(tmp_path, tasks, "project.json"))) == [("2", "3", "Ropes fall", "positive")]


def test_the_end_of_a_path_of_choices_is_the_answer(tmp_path: Path) -> None:
    tasks = [{"id": 1, "data": {"text": "Ropes fall"}, "annotations": [{"completed_by": 3, "result": choice()}]}]
    tasks[0]["annotations"][0]["result"][0]["value"] = {"choices": [["Tone", "negative"]]}  # type: ignore[index]
    assert words(label_studio(file(tmp_path, tasks, "project.json"))) == [("1", "3", "Ropes fall", "negative")]
