"""Text out of the HTML that sources put into titles and summaries: one pass over the text, whatever it holds.

Python's HTMLParser is not used: there are texts that it raises on, and texts for which it takes the square of their length.
"""

import html
import re

from sentiment_platform.news.items import tidy

MAX_CHARACTERS = 1_000_000
_IS_MARKUP = re.compile(r"<[A-Za-z!/?]|&[#\w]+;")
# A match ends before the next "<" or takes everything up to its end, so that no character is looked at again and again. What is
# never closed is read as browsers read it (a comment or script goes on to the end), but for a tag: "a <b" is text.
_MARKUP = re.compile(
    r"""
    <!--(?:-?>|.*?(?:--!?>|\Z))
    |<(?P<silent>script|style)\b[^<>]*+>.*?(?:</(?P=silent)\b[^<>]*+>|\Z)
    |<(?P<end>/?)(?P<name>[a-z][a-z0-9]*+)(?:(?:[^<>"']++|"[^"<]*+"|'[^'<]*+')*+>|[^<>]*+>)
    |<[!/?][^<>]*+>
    """,
    re.DOTALL | re.IGNORECASE | re.VERBOSE,
)
_BLOCKS = frozenset({"p", "br", "div", "li", "td", "tr", "h1", "h2", "h3"})
# No character has such a number, and Python refuses to read those of more than 4,300 digits.
_HUGE_REFERENCE = re.compile(r"&#(?:\d{8,}+|[xX][0-9a-fA-F]{7,}+);?")


def plain_text(markup: object) -> str | None:
    """The text of `markup` without its tags and with its entities read; None when nothing is left. Plain text stays as it is.

    Never raises. A text of more than MAX_CHARACTERS stays as it is too: no contract lets it pass.
    """
    text = tidy(markup)
    if text is None or len(text) > MAX_CHARACTERS or not _IS_MARKUP.search(text):
        return text
    return tidy(html.unescape(_HUGE_REFERENCE.sub("\ufffd", _MARKUP.sub(_instead, text))))


def _instead(match: re.Match[str]) -> str:
    """A blank where a block begins, so that its words stay apart from those before it."""
    return " " if not match["end"] and (match["name"] or "").lower() in _BLOCKS else ""
