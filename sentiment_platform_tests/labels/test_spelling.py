import json
from collections.abc import Callable
from pathlib import Path

import pytest

from sentiment_platform.errors import PermanentError
from sentiment_platform.labels.importers import phrasebank, plain, sentfin, tfns
from sentiment_platform.labels.report import ImportReport
from sentiment_platform.labels.spelling import parse_labels
from sentiment_platform.labels.tools import doccano

TEXTS = (
    "Kettle maker cuts its dividend",
    "Kettle maker names a date",
    "Kettle maker wins an order",
    "Rope maker stands",
    "Rope sinks",
)


def labelled(folder: Path, labels: list[object], name: str = "set.jsonl") -> Path:
    path = folder / name
    rows = [{"text": text, "label": label} for text, label in zip(TEXTS, labels, strict=False)]
    path.write_text("\n".join(json.dumps(row) for row in rows))
    return path


@pytest.mark.parametrize(
    ("labels", "shown"),
    [
        ([0, 1, 2], "0, 1, 2"),
        ([2, 1, 0], "0, 1, 2"),
        ([0, 2, 4], "0, 2, 4"),
        ([0, 1], "0, 1"),
        ([1, 1, 0], "0, 1"),
        ([0], "0"),
        ([1, 2, 3, 4, 5], "1, 2, 3, 4, 5"),
        ([0.0, 1.0, 2.0], "0.0, 1.0, 2.0"),
        (["LABEL_0", "LABEL_1", "LABEL_2"], "LABEL_0, LABEL_1, LABEL_2"),
        (["class 0", "c1", "+1"], r"\+1, c1, class 0"),
        (["1 star", "5 stars", "3/5"], "1 star, 3/5, 5 stars"),
        (["★★★☆☆", "★☆☆☆☆"], "★★★☆☆, ★☆☆☆☆"),
        (["٠", "١", "٢"], "0, 1, 2|٠, ١, ٢"),
        # A hyphen behind a word only joins.
        (["class-1", "class-0"], "class-0, class-1"),
        (["L-1", "L0", "L1"], "L-1, L0, L1"),
        # A set for tests writes -1 where nobody has labelled: beside other numbers it does not say that 0 is the middle.
        ([-1, 0, 1, 2], "-1, 0, 1, 2"),
        (["positive", "neutral", 0], "0"),
    ],
)
def test_a_file_whose_labels_are_numbers_is_refused_whole_and_names_them(
    tmp_path: Path, labels: list[object], shown: str
) -> None:
    with pytest.raises(
        PermanentError, match=f"labels that are numbers \\((?:{shown})\\).*--labels .*negative, neutral, positive"
    ):
        plain(labelled(tmp_path, labels))


@pytest.mark.parametrize(
    ("labels", "said", "kept"),
    [
        ([0, 1, 2], "0=negative,1=neutral,2=positive", ["negative", "neutral", "positive"]),
        ([2, 1, 0], "2=negative, 1=neutral, 0=positive", ["negative", "neutral", "positive"]),
        (["0.0", "4.0"], "0=neg,4=pos", ["negative", "positive"]),
        (["LABEL_0", "LABEL_2"], "LABEL_0=negative,2=positive", ["negative", "positive"]),
        (["good", "bad"], "good=positive,bad=negative", ["positive", "negative"]),
        (["5 stars", "★", "positive"], "1=negative,5=positive", ["positive", "negative", "positive"]),
        ([-1, 0, 1], "", ["negative", "neutral", "positive"]),
        (["−1.0", "0.0", "+1"], "", ["negative", "neutral", "positive"]),
        (["label -1", "label_0", "label 1"], "", ["negative", "neutral", "positive"]),
        (["Negativ", "Neutro", "POSITIF"], "", ["negative", "neutral", "positive"]),
        (["消极", "нейтральный", "긍정"], "", ["negative", "neutral", "positive"]),
        (["['negative']", '["neutral"]', "Positive."], "", ["negative", "neutral", "positive"]),
        ([["negative"], ["positive"]], "", ["negative", "positive"]),
        (["P", "N"], "P=positive,N=negative", ["positive", "negative"]),
    ],
)
def test_what_a_person_says_of_numbers_counts_and_a_file_with_minus_one_needs_no_word(
    tmp_path: Path, labels: list[object], said: str, kept: list[str]
) -> None:
    report = plain(labelled(tmp_path, labels), said=parse_labels(said))
    assert [example.label for example in report.examples] == kept
    assert not report.refused


def test_a_number_that_is_not_named_refuses_the_file_and_one_named_skip_is_left_out(tmp_path: Path) -> None:
    path = labelled(tmp_path, [0, 1, 9])
    with pytest.raises(PermanentError, match=r"numbers \(9\)"):
        plain(path, said=parse_labels("0=negative,1=positive"))
    report = plain(path, said=parse_labels("0=negative,1=positive,9=skip"))
    assert (len(report.examples), report.left_out, report.rows) == (2, {"label 9 is to be left out": 1}, 3)


def test_every_reader_asks_for_the_meaning_of_numbers(tmp_path: Path) -> None:
    (tmp_path / "Sentences_X.txt").write_text("Kettles sell@1\n")
    (tmp_path / "entities.csv").write_text("Title,Decisions\nKettles sell,{'K': 1}\n")
    (tmp_path / "tweets.csv").write_text("text,label\nKettles sell,3\nRopes sell,1\n")
    readers: list[tuple[Callable[[Path], ImportReport], str]] = [
        (phrasebank, "Sentences_X.txt"),
        (sentfin, "entities.csv"),
        (tfns, "tweets.csv"),
        (doccano, labelled(tmp_path, ["1", "0"]).name),
    ]
    for reader, name in readers:
        with pytest.raises(PermanentError, match="labels that are numbers"):
            reader(tmp_path / name)


def test_words_that_nobody_knows_are_named_with_the_option_that_says_what_they_mean(tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match=r"--labels 'up=\.\.\.,down=\.\.\.' with negative"):
        plain(labelled(tmp_path, ["up", "down"]))


def test_scores_alone_are_labels_without_a_map(tmp_path: Path) -> None:
    path = tmp_path / "scores.csv"
    path.write_text("text,score\nRopes sink,-0.5\nKettles rise,0.7\nNails stay,0\n")
    report = plain(path)
    assert [(example.label, example.score) for example in report.examples] == [
        ("negative", -0.5),
        ("positive", 0.7),
        ("neutral", 0.0),
    ]
    path.write_text("text,tone\nRopes sink,-0.5\n")
    with pytest.raises(PermanentError, match="no column label or score"):
        plain(path)


@pytest.mark.parametrize("scores", [[0, 1], [1, 3, 5], [0.2, 0.9], [-2, 0, 2], [0, 50, 100]])
def test_scores_of_another_scale_are_no_labels(tmp_path: Path, scores: list[float]) -> None:
    path = tmp_path / "scores.jsonl"
    path.write_text("\n".join(json.dumps({"text": text, "score": n}) for text, n in zip(TEXTS, scores, strict=False)))
    with pytest.raises(PermanentError, match="made of scores from -1 to 1"):
        plain(path)
    # Whoever names -1 has said which scale it is; what lies outside of it is refused by the row.
    report = plain(path, said=parse_labels("-1=negative,0=neutral,1=positive"))
    assert report.rows == len(scores)


@pytest.mark.parametrize("wrong", ["0", "0=", "=negative", "0=great", "0=negative,0.0=positive"])
def test_an_option_that_does_not_say_what_a_label_means_is_refused(wrong: str) -> None:
    with pytest.raises(PermanentError, match="cannot use"):
        parse_labels(wrong)
