import json
from pathlib import Path

import pytest

from sentiment_platform.errors import PermanentError
from sentiment_platform.labels.formats import FORMATS, LabelFile
from sentiment_platform.text_files.written import Written, written_as

TEXT = "Канатный цех снизил прогноз на год"
CHOICE = [{"from_name": "tone", "value": {"choices": ["negative"]}}]
FILES = {
    "plain": ("desk.csv", f"text,label\n{TEXT},negative\n"),
    "phrasebank": ("Sentences_AllAgree.txt", f"{TEXT}@negative\n"),
    "sentfin": ("entities.csv", f"Title,Decisions\n{TEXT},\"{{'K': 'negative'}}\"\n"),
    "tfns": ("tweets.csv", f"text,label\n{TEXT},0\n"),
    "fiqa": ("fiqa.csv", f"sentence,score\n{TEXT},-0.5\n"),
    "label-studio": (
        "project.json",
        json.dumps(
            [{"id": 1, "data": {"text": TEXT}, "annotations": [{"completed_by": 7, "result": CHOICE}]}], ensure_ascii=False
        ),
    ),
    "doccano": ("ada.jsonl", json.dumps({"text": TEXT, "label": ["negative"]}, ensure_ascii=False)),
    "prodigy": ("out.jsonl", json.dumps({"text": TEXT, "accept": ["negative"], "answer": "accept"}, ensure_ascii=False)),
}


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_read_in_the_encoding_that_is_named(tmp_path: Path, name: str) -> None:
    file, content = FILES[name]
    path = tmp_path / file
    path.write_bytes(content.encode("cp1251"))
    report = FORMATS[name].read(LabelFile(path=path, written=written_as("cp1251")))
    assert [(example.text, example.label) for example in report.examples] == [(TEXT, "negative")]
    if name != "phrasebank":  # published in Latin-1
        with pytest.raises(PermanentError, match="--encoding"):
            FORMATS[name].read(LabelFile(path=path, written=Written()))


def half_labelled(blank: str | None) -> dict[str, tuple[str, str]]:
    """Files with one text that is labelled and one that is not."""
    rows = [{"text": TEXT, "label": "negative"}, {"text": f"{TEXT} 2", "label": blank}]
    choice = {"from_name": "tone", "value": {"choices": [blank]}}
    answers = [{"completed_by": 7, "result": CHOICE}, {"completed_by": 7, "result": [choice] if blank else []}]
    tasks = [{"id": n, "data": {"text": f"{TEXT} {n}"}, "annotations": [one]} for n, one in enumerate(answers)]
    return {
        "csv": ("plain", f"text,label\n{TEXT},negative\n{TEXT} 2,{blank or ''}\n"),
        "json": ("plain", json.dumps(rows)),
        "jsonl": ("doccano", "\n".join(map(json.dumps, rows))),
        "studio.json": ("label-studio", json.dumps(tasks)),
    }


@pytest.mark.parametrize("blank", [None, "", "  ", "\u00a0"])
@pytest.mark.parametrize("name", half_labelled(None))
def test_a_text_without_a_label_waits_for_one_and_is_not_refused(tmp_path: Path, name: str, blank: str | None) -> None:
    form, content = half_labelled(blank)[name]
    path = tmp_path / f"desk.{name}"
    path.write_text(content, "utf-8")
    report = FORMATS[form].read(LabelFile(path=path, control="tone" if form == "label-studio" else None))
    assert [example.label for example in report.examples] == ["negative"]
    assert (sum(report.left_out.values()), report.refused) == (1, ())


@pytest.mark.parametrize(
    ("form", "name", "content"),
    [
        ("plain", "desk.csv", f"text,label\n{TEXT},\nCaf\u00c3\u00a9 rises, \n"),
        ("plain", "desk.json", json.dumps([{"text": TEXT, "label": None}, {"text": "17 %"}])),
        ("label-studio", "tasks.json", json.dumps([{"data": {"text": TEXT}}, {"data": {"text": "17 %"}, "annotations": []}])),
    ],
)
def test_a_file_without_any_label_says_so(tmp_path: Path, form: str, name: str, content: str) -> None:
    path = tmp_path / name
    path.write_text(content, "utf-8")
    with pytest.raises(PermanentError, match=r"no row has a label yet \(rows: 2\)") as refusal:
        FORMATS[form].read(LabelFile(path=path))
    assert "Label some of them" in str(refusal.value.remedy)
