import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentiment_platform.text.lexical import LexicalCounts, lexical_counts


def test_a_headline_is_counted() -> None:
    counts = lexical_counts("ACME didn't raise FY guidance: sales up 5.2% to EUR1,234.5m!")

    assert counts == LexicalCounts(
        word_count=10,
        mean_word_length=pytest.approx(len("ACMEdidn'traiseFYguidancesalesuptoEURm") / 10),
        number_count=2,
        percent_count=1,
        capital_share=pytest.approx(3 / 10),
        emphasis_count=1,
        negation_count=1,
    )


def test_a_text_without_words_counts_zero_everywhere() -> None:
    assert lexical_counts("") == LexicalCounts(
        word_count=0, mean_word_length=0.0, number_count=0, percent_count=0, capital_share=0.0, emphasis_count=0, negation_count=0
    )


@pytest.mark.parametrize(
    ("text", "count"),
    [("5%", 1), ("5 percent", 1), ("5 per cent of 3 Pct", 2), ("20pct", 1), ("a percentage", 0), ("superpct", 0), ("%%", 2)],
)
def test_percents_are_counted_in_every_spelling(text: str, count: int) -> None:
    assert lexical_counts(text).percent_count == count


@pytest.mark.parametrize(("text", "count"), [("1,234.5", 1), ("2010-2011", 2), ("Q3 2024", 2), ("5, 6 and 7.", 3), ("none", 0)])
def test_a_figure_with_separators_is_one_number(text: str, count: int) -> None:
    assert lexical_counts(text).number_count == count


@pytest.mark.parametrize(
    ("text", "share"), [("UP AND DOWN", 1.0), ("I am", 0.0), ("EU deal", 0.5), ("U.S. deal", 0.0), ("123", 0.0)]
)
def test_a_single_capital_is_not_a_word_in_capitals(text: str, share: float) -> None:
    assert lexical_counts(text).capital_share == share


@pytest.mark.parametrize(
    ("text", "count"), [("not, never; NOR", 3), ("it won't", 1), ("it won’t", 1), ("notable nothings", 0), ("wouldn't've", 1)]
)
def test_negation_words_are_counted_whole_and_with_either_apostrophe(text: str, count: int) -> None:
    assert lexical_counts(text).negation_count == count


@given(st.text())
def test_counts_of_any_text_stay_in_their_ranges(text: str) -> None:
    counts = lexical_counts(text)

    assert 0 <= counts.capital_share <= 1
    assert 0 <= counts.emphasis_count <= len(text)
    assert counts.mean_word_length * counts.word_count <= len(text) + 1e-6
