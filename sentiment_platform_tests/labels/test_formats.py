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
