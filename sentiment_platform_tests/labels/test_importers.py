import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sentiment_platform.errors import PermanentError
from sentiment_platform.labels.examples import read_label
from sentiment_platform.labels.importers import IMPORTERS, phrasebank, plain, sentfin, tfns
from sentiment_platform.text.normalise import text_key


def file(folder: Path, content: str, name: str = "made.csv", encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes(content.encode(encoding))
    return path


def test_phrasebank_lines_in_every_published_form_give_the_same_examples(tmp_path: Path) -> None:
    lines = ["Säles rose at a@b.com@positive", "Nothing changed .@neutral"]
    forms = [
        file(tmp_path, "\n".join(lines), "Sentences_MineAgree.txt", "latin-1"),
        file(tmp_path, "\r\n".join([*lines, "", ""]), "Sentences_MineAgree.utf8.txt", "utf-8-sig"),
    ]
    reports = [phrasebank(path) for path in forms]
    one, two = ([(e.text, e.label, e.external_id) for e in report.examples] for report in reports)
    assert one == two
    first = reports[0].examples[0]
    assert (first.label_set, first.text, first.label) == ("phrasebank-mineagree", "Säles rose at a@b.com", "positive")
    assert [report.skipped for report in reports] == [Counter(), Counter()]


def test_a_line_is_cut_at_line_ends_only(tmp_path: Path) -> None:
    inside = "\x85\u2028\u2029\x0b\x0c\x1c"
    report = phrasebank(file(tmp_path, f"Sales{inside}rose@positive\nSales fell@negative\n", "Sentences_X.txt"))
    assert [example.label for example in report.examples] == ["positive", "negative"]
    report = plain(file(tmp_path, f'text,label\nSales{inside}rose,positive\n"Sales\nfell",negative\n'))
    assert [(example.text.split()[0], example.label) for example in report.examples] == [
        ("Sales", "positive"),
        ("Sales", "negative"),
    ]
    json_lines = "".join(json.dumps({"text": f"Sales{inside}{n}", "label": "0"}, ensure_ascii=False) + "\n" for n in range(2))
    assert len(plain(file(tmp_path, json_lines, "x.jsonl")).examples) == 2


def test_a_line_without_label_is_counted_and_a_wrong_label_refuses_the_file(tmp_path: Path) -> None:
    report = phrasebank(file(tmp_path, "no label here\n @neutral\nSales rose@positive", "Sentences_X.txt"))
    assert (len(report.examples), dict(report.skipped)) == (1, {"line without @": 1, "empty text": 1})
    with pytest.raises(PermanentError, match="'great' is not a label"):
        phrasebank(file(tmp_path, "Sales rose@great", "Sentences_X.txt"))


def test_titles_whose_entities_disagree_or_cannot_be_parsed_are_counted(tmp_path: Path) -> None:
    rows = [
        "1,Both rise,\"{'A': 'positive', 'B': 'positive'}\",2",
        "2,One falls,\"{'A': 'positive', 'B': 'negative'}\",2",
        "3,Broken,\"{'A's': 'neutral'}\",1",
        "4,Unhashable,\"{[]: 'neutral'}\",1",
        "5,A list,\"['neutral']\",1",
        "6,Short row",
    ]
    report = sentfin(file(tmp_path, "S No.,Title,Decisions,Words\n" + "\n".join(rows)))
    assert [(example.text, example.label) for example in report.examples] == [("Both rise", "positive")]
    assert dict(report.skipped) == {"entities disagree": 2, "entity labels cannot be parsed": 3}


def test_links_are_no_part_of_a_tweet(tmp_path: Path) -> None:
    report = tfns(file(tmp_path, "text,label\n$EXM up!https://t.co/x,1\nhttp://t.co/y,2\n$EXM down,0\n$EXM flat,2\n"))
    assert [(example.text, example.label) for example in report.examples] == [
        ("$EXM up!", "positive"),
        ("$EXM down", "negative"),
        ("$EXM flat", "neutral"),
    ]
    assert dict(report.skipped) == {"empty text": 1}


def test_a_plain_file_says_what_it_knows(tmp_path: Path) -> None:
    header = "id,title,label,published_at,url,annotator,weight\n"
    rows = [
        "a,Sales rose,Bullish,2025-01-06T12:00:00+02:00,https://e.example/1,ada,0.5",
        "b,Sales fell, NEG ,2025-01-06 12:00:00,,,",
        ",Sales stood,0,,,,",
    ]
    report = plain(file(tmp_path, header + "\n".join(rows)), "mine", "CC0-1.0")
    a, b, c = report.examples
    assert (a.external_id, a.label, a.annotator, a.weight, a.url) == ("a", "positive", "ada", 0.5, "https://e.example/1")
    assert a.published_at == datetime(2025, 1, 6, 10, tzinfo=UTC)
    # Without an offset a time is UTC, on every machine.
    assert (b.label, b.published_at, b.annotator, b.weight) == ("negative", datetime(2025, 1, 6, 12, tzinfo=UTC), "imported", 1.0)
    assert (c.label, c.published_at, len(c.external_id), c.label_set, c.licence) == ("neutral", None, 32, "mine", "CC0-1.0")


@pytest.mark.parametrize(
    "row",
    [
        {"text": "x", "label": "great"},
        {"text": "x"},
        {"text": "x", "label": "0", "published_at": "yesterday"},
        {"text": "x", "label": "0", "published_at": 7},
        {"text": "x", "label": "0", "weight": "-1"},
        {"text": "x", "label": "0", "weight": "nan"},
        {"text": "x", "label": "0", "weight": "1e999"},
        {"text": "  ", "label": "0"},
        {"label": "0"},
    ],
)
def test_a_row_that_cannot_be_read_is_counted_with_its_reason(tmp_path: Path, row: dict[str, object]) -> None:
    good = {"id": 7, "text": "Sales rose", "label": 1}
    report = plain(file(tmp_path, "\n".join(json.dumps(r) for r in (row, good)), "x.jsonl"))
    assert [(example.external_id, example.label) for example in report.examples] == [("7", "positive")]
    assert sum(report.skipped.values()) == 1


@pytest.mark.parametrize(
    ("kind", "content", "name", "reason"),
    [
        ("tfns", "tweet,label\nx,1\n", "a.csv", "no column text"),
        ("sentfin", "", "a.csv", "no column"),
        ("plain", "text,label\n", "a.csv", "no labelled text"),
        ("plain", "{", "a.jsonl", "a.jsonl:1 is not JSON"),
        ("plain", '{"text": "x", "label": "0"}\n[1]', "a.jsonl", "a.jsonl:2 is not a JSON object"),
        ("plain", 'text,label\n"' + "x" * (1 << 21) + '",0\n', "a.csv", "is not CSV"),
        ("phrasebank", "", "Sentences_X.txt", "no labelled text"),
    ],
)
def test_a_file_of_another_shape_is_refused_whole(tmp_path: Path, kind: str, content: str, name: str, reason: str) -> None:
    with pytest.raises(PermanentError, match=reason):
        IMPORTERS[kind](file(tmp_path, content, name))


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match="cannot be read: No such file"):
        plain(tmp_path / "absent.csv")


def test_labels_are_not_guessed() -> None:
    assert [read_label(word) for word in (" Positive", "BEARISH", "-1", "neu")] == ["positive", "negative", "negative", "neutral"]
    for word in ("", "2", "good", "positive?"):
        with pytest.raises(PermanentError, match="is not a label"):
            read_label(word)


@pytest.mark.shared_data
@pytest.mark.parametrize(("part", "rows"), [("50", 4846), ("66", 4217), ("75", 3453), ("All", 2264)])
def test_financial_phrasebank_is_read_completely(shared_data: Path, part: str, rows: int) -> None:
    report = phrasebank(shared_data / f"labelled/phrasebank/Sentences_{part}Agree.txt")
    assert (len(report.examples), sum(report.skipped.values())) == (rows, 0)
    if part == "50":
        assert Counter(example.label for example in report.examples) == {"neutral": 2879, "positive": 1363, "negative": 604}
        variant = phrasebank(shared_data / "labelled/phrasebank/utf8_variant/Sentences_50Agree.utf8bom_crlf.txt")
        assert [(e.text, e.label) for e in variant.examples] == [(e.text, e.label) for e in report.examples]


@pytest.mark.shared_data
def test_sentfin_and_the_tweets_are_read_completely(shared_data: Path) -> None:
    headlines = sentfin(shared_data / "labelled/sentfin/SEntFiN.csv")
    assert len(headlines.examples) + sum(headlines.skipped.values()) == 10_753
    assert (len(headlines.examples), headlines.skipped["entity labels cannot be parsed"]) == (9_514, 13)
    tweets = tfns(shared_data / "labelled/tfns/tfns_train_9543.csv")
    assert len(tweets.examples) + sum(tweets.skipped.values()) == 9_543
    assert abs(len({text_key(example.text) for example in tweets.examples}) - 9_413) <= 1
    assert not any("http" in example.text for example in tweets.examples)
