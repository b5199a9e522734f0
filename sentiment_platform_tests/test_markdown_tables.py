import pytest

from sentiment_platform.markdown_tables import markdown_table


def test_what_people_wrote_breaks_no_table() -> None:
    table = markdown_table(("who", "said"), [("Ines | Omar", "one\ntwo"), (3, None)])
    assert table.splitlines() == ["| who | said |", "| --- | --- |", "| Ines \\| Omar | one two |", "| 3 | None |"]


def test_without_rows_it_says_what_is_missing_and_a_row_that_does_not_fit_is_refused() -> None:
    assert markdown_table(("who",), [], "Nobody.") == "Nobody."
    with pytest.raises(ValueError, match="2 cells under 1 headings"):
        markdown_table(("who",), [("Ines", "Omar")])
