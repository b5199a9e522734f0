"""Claims about passages: where a sentence ends, what says nothing new, and that nothing of a text is lost or read without bound."""

import time

import pytest

from sentiment_platform.text.passages import MOST_PASSAGES, passages, says_nothing_twice, sentences


def fits(text: str) -> bool:
    return len(text.split()) <= 10


def read(text: str) -> list[str]:
    return [text[one.start : one.stop] for one in passages(text, fits) if one.new]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Profit rose. Debt fell!", ["Profit rose.", "Debt fell!"]),
        ('It said "sales rose." Then it closed.', ['It said "sales rose."', "Then it closed."]),
        ("Harbour Inc. lifts its outlook", ["Harbour Inc. lifts its outlook"]),
        ("The U.S. unit of J. Quill Co. earned 3.5 mn. Debt fell.", ["The U.S. unit of J. Quill Co. earned 3.5 mn. Debt fell."]),
        ("Sales at 1.5bn vs. 1.4bn. Shares rose", ["Sales at 1.5bn vs. 1.4bn.", "Shares rose"]),
        ("Really?? Yes. no dot", ["Really??", "Yes.", "no dot"]),
        ("利益が増加。株価は下落。", ["利益が増加。", "株価は下落。"]),
        ("", []),
    ],
)
def test_a_sentence_ends_at_its_mark_but_not_at_an_abbreviation(text: str, expected: list[str]) -> None:
    assert [text[start:stop] for start, stop in sentences(text)] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Profit rose. Debt fell. Profit rose!", ["Profit rose.", "Debt fell."]),
        ("gain loss " * 50, ["gain loss"]),
        ("gain, loss; " * 50, ["gain, loss;"]),
        ("gain gain gain loss loss loss", ["gain loss"]),
        ("gain loss loss gain gain loss", ["gain loss"]),
        ("🚀📉" * 80, ["🚀📉"]),
        ("Profit did rise. Profit did not rise.", ["Profit did rise.", "Profit did not rise."]),
    ],
)
def test_what_is_said_again_is_not_new(text: str, expected: list[str]) -> None:
    text = text.strip()
    assert read(text) == expected
    assert not says_nothing_twice(text) or len(expected) == 2


def test_a_headline_with_a_word_that_comes_again_is_no_repetition() -> None:
    assert says_nothing_twice("Operating profit rose to EUR 13.1 mn from EUR 8.7 mn as net profit doubled")
    assert not says_nothing_twice("Profit rose. Debt fell. profit rose.")


def test_every_character_but_blanks_is_in_a_passage_and_each_new_one_fits() -> None:
    numbers = " ".join(str(number) for number in range(95))
    text = f"Profit rose in all regions. {numbers} {'x' * 30}. Debt fell. Profit rose in all regions."
    parts = passages(text, fits)
    assert "".join(text[one.start : one.stop] for one in parts).replace(" ", "") == text.replace(" ", "")
    assert all(fits(text[one.start : one.stop]) for one in parts if one.new)
    assert [one.new for one in parts][-1] is False


def test_a_word_that_does_not_fit_is_cut_inside() -> None:
    parts = passages("x" * 100, lambda text: len(text) <= 30)
    assert [one.stop - one.start for one in parts] == [25, 25, 25, 25]


@pytest.mark.parametrize(
    "text", ["a. ", "good bad ", "! ", "x", "。", "🚀", "one two three four five six seven eight nine ten eleven "]
)
def test_at_most_so_many_passages_are_read_of_any_text_and_in_no_time(text: str) -> None:
    started = time.process_time()
    parts = passages((text * 5_000)[:5_000].strip(), fits)
    assert sum(one.new for one in parts) <= MOST_PASSAGES
    assert time.process_time() - started < 0.5
