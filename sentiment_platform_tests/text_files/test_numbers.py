import pytest

from sentiment_platform.text_files.numbers import number_of


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("100.5", 100.5),
        (" -0.5 ", -0.5),
        ("1e3", 1000.0),
        ("100,5", 100.5),
        ("-0,25", -0.25),
        ("1,100.5", 1100.5),
        ("1.100,5", 1100.5),
        ("1,234,567", 1234567.0),
        ("1.234.567", 1234567.0),
        ("1 234,5", 1234.5),
        ("1\u202f234\u00a0567,5", 1234567.5),
        ("1'234.5", 1234.5),
        ("$1,100.50", 1100.5),
        ("100,5 \u20ac", 100.5),
        ("\u22120,5", -0.5),
        ("0,125", 0.125),
        ("1.000", 1.0),
        # a thousand to some, one to others
        ("1,100", None),
        ("12,345", None),
        ("1,23,456", None),
        ("1,1,1", None),
        ("1.2M", None),
        ("5 %", None),
        ("nan", None),
        ("inf", None),
        ("1_000", None),
        ("", None),
    ],
)
def test_a_number_is_read_where_it_reads_one_way(text: str, number: float | None) -> None:
    assert number_of(text) == number
