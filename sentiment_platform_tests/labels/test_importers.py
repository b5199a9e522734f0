import json
from collections import Counter
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest

from sentiment_platform.errors import PermanentError
from sentiment_platform.labels.importers import fiqa, parse_columns, phrasebank, plain, sentfin, tfns
from sentiment_platform.labels.report import ImportReport
from sentiment_platform.text.normalise import text_key


def file(folder: Path, content: str, name: str = "made.csv", encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes(content.encode(encoding))
    return path


def rules(report: ImportReport) -> dict[str, int]:
    return dict(Counter(refused.rule for refused in report.refused))


def test_phrasebank_lines_in_every_published_form_give_the_same_examples(tmp_path: Path) -> None:
    lines = ["Säles rose at a@b.com@positive", "Nothing changed .@neutral"]
    forms = [
        file(tmp_path, "\n".join(lines), "Sentences_MineAgree.txt", "latin-1"),
        file(tmp_path, "\r\n".join([*lines, "", ""]), "Sentences_MineAgree.utf8.txt", "utf-8-sig"),
    ]
    reports = [phrasebank(path) for path in forms]
    assert reports[0].examples == reports[1].examples
    first = reports[0].examples[0]
    assert (first.label_set, first.text, first.label) == ("phrasebank-mineagree", "Säles rose at a@b.com", "positive")
    assert [(report.rows, rules(report)) for report in reports] == [(2, {}), (2, {})]
    assert reports[0].file_digest == sha256(forms[0].read_bytes()).hexdigest() != reports[1].file_digest


@pytest.mark.parametrize(("level", "agreement"), [("50", 0.5), ("66", 0.66), ("75", 0.75), ("All", 1.0), ("Mine", None)])
def test_the_level_of_a_phrasebank_file_is_kept_and_the_annotator_is_the_same_in_all(
    tmp_path: Path, level: str, agreement: float | None
) -> None:
    (example,) = phrasebank(file(tmp_path, "Sales rose@positive", f"Sentences_{level}Agree.txt")).examples
    assert (example.agreement, example.annotator, example.label_set) == (
        agreement,
        "phrasebank-majority",
        f"phrasebank-{level.lower()}agree",
    )


def test_a_line_is_cut_at_line_ends_only(tmp_path: Path) -> None:
    inside = "\x85\u2028\u2029\x0b\x0c\x1c"
    report = phrasebank(file(tmp_path, f"Sales{inside}rose@positive\nSales fell@negative\n", "Sentences_X.txt"))
    assert [example.label for example in report.examples] == ["positive", "negative"]
    report = plain(file(tmp_path, f'text,label\nSales{inside}rose,positive\n"Sales\nfell",negative\n'))
    assert [(example.text.split()[0], example.label) for example in report.examples] == [
        ("Sales", "positive"),
        ("Sales", "negative"),
    ]
    json_lines = "".join(
        json.dumps({"text": f"Sales{inside}{n}", "label": "neutral"}, ensure_ascii=False) + "\n" for n in range(2)
    )
    assert len(plain(file(tmp_path, json_lines, "x.jsonl")).examples) == 2


def test_a_line_that_breaks_the_contract_is_refused_and_its_neighbours_are_not(tmp_path: Path) -> None:
    report = phrasebank(file(tmp_path, "no label here\n @neutral\nSales rose@great\nSales rose@positive", "Sentences_X.txt"))
    assert rules(report) == {"row_is_readable": 1, "text_is_present": 1, "label_is_known": 1}
    assert [(example.text, example.label) for example in report.examples] == [("Sales rose", "positive")]
    assert report.refused[0].row.payload == {"line": "no label here"}


def test_a_sentence_that_the_same_annotator_labels_twice_in_two_ways_is_refused_both_times(tmp_path: Path) -> None:
    lines = ["Sales rose@positive", "Sales rose@neutral", "Sales stood@neutral", "Sales stood@neutral"]
    report = phrasebank(file(tmp_path, "\n".join(lines), "Sentences_X.txt"))
    assert rules(report) == {"annotator_says_one_thing": 2}
    assert [example.text for example in report.examples] == ["Sales stood"] * 2


def test_titles_whose_entities_disagree_are_left_out_and_those_that_cannot_be_parsed_refused(tmp_path: Path) -> None:
    rows = [
        "1,Both rise,\"{'A': 'positive', 'B': 'positive'}\",2",
        "2,One falls,\"{'A': 'positive', 'B': 'negative'}\",2",
        "3,Broken,\"{'A's': 'neutral'}\",1",
        "4,Unhashable,\"{[]: 'neutral'}\",1",
        "5,A list,\"['neutral']\",1",
        "6,Short row",
        "7,Nobody,{},1",
    ]
    report = sentfin(file(tmp_path, "S No.,Title,Decisions,Words\n" + "\n".join(rows)))
    assert [(example.text, example.label) for example in report.examples] == [("Both rise", "positive")]
    assert (report.left_out, rules(report), report.rows) == ({"entities disagree": 1}, {"row_is_readable": 5}, 7)


def test_links_are_no_part_of_a_tweet(tmp_path: Path) -> None:
    report = tfns(file(tmp_path, "text,label\n$EXM up!https://t.co/x,1\nhttp://t.co/y,2\n$EXM down,0\n$EXM flat,2\n"))
    assert [(example.text, example.label) for example in report.examples] == [
        ("$EXM up!", "positive"),
        ("$EXM down", "negative"),
        ("$EXM flat", "neutral"),
    ]
    assert (report.left_out, rules(report)) == ({"nothing but a link": 1}, {})


def test_a_plain_file_says_what_it_knows(tmp_path: Path) -> None:
    header = "id,title,label,published_at,url,annotator,weight\n"
    rows = [
        "a,Sales rose,Bullish,2025-01-06T12:00:00+02:00,https://e.example/1,ada,0.5",
        "b,Sales fell, NEG ,2025-01-06 12:00:00,,,",
        ",Sales stood,neutral,,,,",
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
        {"text": "x", "label": "neutral", "published_at": "yesterday"},
        {"text": "x", "label": "neutral", "published_at": 7},
        {"text": "x", "label": "neutral", "weight": "-1"},
        {"text": "x", "label": "neutral", "weight": "nan"},
        {"text": "x", "label": "neutral", "weight": "1e999"},
        {"text": "x", "label": "neutral", "score": "2"},
        {"text": "x", "label": "neutral", "labelled_at": "soon"},
        {"text": "x" * 5001, "label": "neutral"},
        {"text": "bro\ufffdken", "label": "neutral"},
        {"text": "17 %", "label": "neutral"},
        {"text": "  ", "label": "neutral"},
        {"label": "neutral"},
    ],
)
def test_a_row_that_cannot_be_read_is_counted_with_its_reason(tmp_path: Path, row: dict[str, object]) -> None:
    good = {"id": 7, "text": "Sales rose", "label": "positive"}
    report = plain(file(tmp_path, "\n".join(json.dumps(r) for r in (row, good)), "x.jsonl"))
    assert [(example.external_id, example.label) for example in report.examples] == [("7", "positive")]
    assert len(report.refused) == 1
    assert report.refused[0].row.payload == row


@pytest.mark.parametrize(
    ("kind", "content", "name", "reason"),
    [
        ("tfns", "tweet,label\nx,1\n", "a.csv", "no column text"),
        ("sentfin", "", "a.csv", "no column"),
        ("plain", "text,label\n", "a.csv", "no labelled text"),
        ("plain", "{", "a.jsonl", "a.jsonl:1 is not JSON"),
        ("plain", '{"text": "x", "label": "neutral"}\n[1]', "a.jsonl", "a.jsonl:2 is not a JSON object"),
        ("plain", 'text,label\n"' + "x" * (1 << 21) + '",neutral\n', "a.csv", "longer than 5,000"),
        ("phrasebank", "", "Sentences_X.txt", "no labelled text"),
        ("phrasebank", "Sales rose@great", "Sentences_X.txt", "The first row was refused: the label is none of"),
        ("fiqa", "[]", "a.json", "no JSON object"),
        ("fiqa", "{", "a.json", "is not JSON"),
        ("fiqa", "sentence,mark\n", "a.csv", "no column score"),
    ],
)
def test_a_file_of_another_shape_is_refused_whole(tmp_path: Path, kind: str, content: str, name: str, reason: str) -> None:
    with pytest.raises(PermanentError, match=reason):
        {"tfns": tfns, "sentfin": sentfin, "plain": plain, "phrasebank": phrasebank, "fiqa": fiqa}[kind](
            file(tmp_path, content, name)
        )


def test_scores_are_kept_and_become_labels_beyond_a_documented_band(tmp_path: Path) -> None:
    document = {
        "1": {"sentence": "Profit rose", "info": [{"sentiment_score": "0.5"}, {"sentiment_score": 0.3}]},
        "2": {"sentence": "Nothing happened", "info": [{"sentiment_score": "-0.1"}]},
        "3": {"sentence": "One up, one down", "info": [{"sentiment_score": "0.5"}, {"sentiment_score": "-0.5"}]},
        "4": {"sentence": "Too much", "info": [{"sentiment_score": "1.5"}]},
        "5": {"sentence": "Nobody knows", "info": []},
        "6": {"sentence": "No number", "info": [{"sentiment_score": "x"}]},
        "7": "no object",
        "8": {"sentence": "Profit fell", "info": [{"sentiment_score": "-0.101"}]},
    }
    report = fiqa(file(tmp_path, json.dumps(document), "task1.json"))
    assert [(e.external_id, e.label, e.score) for e in report.examples] == [
        ("1", "positive", 0.4),
        ("2", "neutral", -0.1),
        ("8", "negative", -0.101),
    ]
    assert report.left_out == {"targets disagree": 1, "nobody has labelled it": 1}
    assert rules(report) == {"score_is_from_minus_1_to_1": 1, "row_is_readable": 1, "text_is_present": 1}
    (row,) = fiqa(file(tmp_path, "_id,sentence,target,score\nx,Sales rose,EXM,0.3\n", "fiqa.csv")).examples
    assert (row.external_id, row.label, row.score) == ("x", "positive", 0.3)


def test_columns_of_any_name_are_read_by_a_map_and_a_score_stands_in_for_a_label(tmp_path: Path) -> None:
    path = file(tmp_path, "headline,tone,who,at\nSales rose,0.7,ada,2025-01-06\nSales fell,-0.7,bob,\n")
    report = plain(path, "mine", "MIT", "machine", parse_columns("text=headline, score=tone, annotator=who, labelled_at=at"))
    one, two = report.examples
    assert (one.label, one.score, one.annotator, one.kind) == ("positive", 0.7, "ada", "machine")
    assert (one.labelled_at, two.labelled_at) == (datetime(2025, 1, 6, tzinfo=UTC), None)
    assert two.label == "negative"
    for wrong in ("colour=x", "text=", "text=a,text=b"):
        with pytest.raises(PermanentError, match="cannot use"):
            parse_columns(wrong)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match="cannot be read: No such file"):
        plain(tmp_path / "absent.csv")


def test_labels_are_not_guessed(tmp_path: Path) -> None:
    words = (" Positive", "BEARISH", "-1", "neu", "", "1 %", "good", "positive?")
    report = plain(file(tmp_path, "text,label\n" + "".join(f"Sales {n},{word}\n" for n, word in enumerate(words))))
    assert [example.label for example in report.examples] == ["positive", "negative", "negative", "neutral"]
    assert (rules(report), report.left_out) == ({"label_is_known": 3}, {"nobody has labelled it": 1})


@pytest.mark.shared_data
@pytest.mark.parametrize(("part", "rows"), [("50", 4846), ("66", 4217), ("75", 3453), ("All", 2264)])
def test_financial_phrasebank_is_read_completely(shared_data: Path, part: str, rows: int) -> None:
    report = phrasebank(shared_data / f"labelled/phrasebank/Sentences_{part}Agree.txt")
    # 8 sentences stand twice among all; 2 of them with two labels, which says nothing of them.
    refused = {"50": 4, "66": 0, "75": 0, "All": 0}[part]
    assert (len(report.examples), rules(report).get("annotator_says_one_thing", 0), report.left_out) == (
        rows - refused,
        refused,
        {},
    )
    if part == "50":
        assert Counter(example.label for example in report.examples) == {"neutral": 2877, "positive": 1361, "negative": 604}
        variant = phrasebank(shared_data / "labelled/phrasebank/utf8_variant/Sentences_50Agree.utf8bom_crlf.txt")
        assert [(e.text, e.label) for e in variant.examples] == [(e.text, e.label) for e in report.examples]


@pytest.mark.shared_data
def test_sentfin_and_the_tweets_are_read_completely(shared_data: Path) -> None:
    headlines = sentfin(shared_data / "labelled/sentfin/SEntFiN.csv")
    # 8 headlines stand twice, each with one label and then with another.
    refused = {"row_is_readable": 13, "annotator_says_one_thing": 16}
    assert (headlines.rows, len(headlines.examples), rules(headlines)) == (10_753, 9_514 - 16, refused)
    assert headlines.left_out == {"entities disagree": 10_753 - 9_514 - 13}
    tweets = tfns(shared_data / "labelled/tfns/tfns_train_9543.csv")
    assert tweets.rows == 9_543
    assert abs(len({text_key(example.text) for example in tweets.examples}) - 9_413) <= 40
    assert not any("http" in example.text for example in tweets.examples)


def test_a_text_that_came_misread_is_no_label(tmp_path: Path) -> None:
    path = tmp_path / "set.csv"
    misread = ["Caf\u00c3\u00a9 rises", "Kettle\u00e2\u20ac\u2122s fall", "\u00d0\u0178\u00d1\u20ac\u00d0\u00b8"]
    rows = [f"{text},positive," for text in (*misread, "Caf\u00e9 \u00abL\u2019\u00c9t\u00e9\u00bb rises")]
    path.write_text("\n".join(["text,label,labelled_at", *rows]))
    report = plain(path)
    assert [example.labelled_at for example in report.examples] == [None]
    assert [refused.rule for refused in report.refused] == ["row_is_readable"] * 3
