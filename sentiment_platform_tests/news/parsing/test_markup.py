import re
import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentiment_platform.news.parsing.markup import MAX_CHARACTERS, plain_text
from sentiment_platform_tests.news.parsing.hostile import TEXTS

PIECES = (
    "<a ", "<![", "<!--", "-->", "<!", "</", "<?", "<", ">", "&", "&#9", "&#x", ";", "&amp;", "<script>", "</script", "<style x='", '"', "'",
    "<p>", "<br/>", "]]>", "CDATA[", " ", "Profit", "\x00", "\ud800", "9" * 5_000, "\u0130",
)  # fmt: skip


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("Profit rises", "Profit rises"),
        ("<p>Profit</p><p>rises<br/>again", "Profit rises again"),
        ("A &lt;b&gt; &amp; C &#8211; D&nbsp;E", "A <b> & C \u2013 D E"),
        ("a<script>if (x < y) {}</script>b<STYLE>p {}</style>c", "abc"),
        ("a<!-- <b> -->b<!doctype html>c<?php d ?>e", "abce"),
        ("<a title='x > y' href=\"z\">link</a>", "link"),
        ("<a title=it's>link</a>", "link"),
        ("EPS <5 and P/E >3, a < b & c", "EPS <5 and P/E >3, a < b & c"),
        ("Profit <![ rises", "Profit <![ rises"),
        ("Profit <b rises", "Profit <b rises"),
        ("Profit <!-- rises", "Profit"),
        ("Profit &#99999999999; rises", "Profit \ufffd rises"),
        ("Kiln&amp;#8217;s &amp;amp; Wick&amp;nbsp;&amp;amp;amp; Co", "Kiln\u2019s & Wick & Co"),
        ("&lt;b&gt;Kiln&lt;/b&gt; pays&lt;br /&gt;", "Kiln pays"),
        ("<![CDATA[Kiln <i>pays</i>]]> &lt;![CDATA[more]]&gt;", "Kiln pays more"),
        ("Kiln &#55357;&#56832;", "Kiln \U0001f600"),
        ("Kiln &#55357;&#55357; pays", "Kiln \ufffd\ufffd pays"),
        ("a &lt; b and c &gt; d, x]]> y", "a < b and c > d, x]]> y"),
        ("<p> </p>", None),
        (None, None),
        (17, "17"),
    ],
)
def test_markup_becomes_its_text_and_plain_text_stays(markup: object, text: str | None) -> None:
    assert plain_text(markup) == text


@given(st.text() | st.lists(st.sampled_from(PIECES)).map("".join))
def test_no_text_raises_and_what_comes_is_tidy(markup: str) -> None:
    text = plain_text(markup)
    assert text is None or text == " ".join(text.split()) != ""
    assert text is None or text.encode()


def test_the_texts_that_stopped_a_collection_are_read() -> None:
    """`<![` raised out of Python's HTMLParser, and 12 kB of `<a ` took it seconds."""
    assert [plain_text(text) for text in TEXTS[:2]] == ["Profit <![ rises", "Profit <!"]
    assert all(isinstance(plain_text(f"Profit {text}"), str) for text in TEXTS)


def test_a_text_that_no_contract_lets_pass_is_not_read() -> None:
    text = "<b>" + "a" * MAX_CHARACTERS
    assert plain_text(text) == text


def growth(read: Callable[[str], object], flood: str, repeats: int) -> float:
    """How many times the processor's time a text 16 times as long takes; what is too short to be measured counts as 5 ms."""

    def cpu_s(text: str) -> float:
        times: list[float] = []
        for _ in range(3):
            started = time.process_time()
            read(text)
            times.append(time.process_time() - started)
        return min(times)

    return cpu_s(flood * repeats * 16) / max(cpu_s(flood * repeats), 0.005)


# Linear work grows 16-fold and square work 256-fold.
LIMIT = 64


@pytest.mark.parametrize("flood", [piece for piece in PIECES if len(piece) < 100])
def test_the_work_grows_with_the_length_and_not_with_its_square(flood: str) -> None:
    assert growth(lambda text: plain_text("&amp;" + text), flood, 30_000 // len(flood)) < LIMIT


@pytest.mark.slow
def test_the_measure_tells_square_work() -> None:
    assert growth(lambda text: re.sub("<a[^>]*>", "", text), "<a ", 2_500) > LIMIT
