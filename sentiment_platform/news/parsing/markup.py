"""Text out of the HTML that sources put into titles and summaries: one pass over the text, whatever it holds.

Python's HTMLParser is not used: there are texts that it raises on, and texts for which it takes the square of their length.
"""

import html
import re

from sentiment_platform.news.items import tidy

MAX_CHARACTERS = 1_000_000
HALVES = r"&\#(?P<high>[xX][dD][89abAB][0-9a-fA-F]{2}|5[56]\d{3});&\#(?P<low>[xX][dD][c-fC-F][0-9a-fA-F]{2}|5[67]\d{3});"
"""Two references to the halves of one character of UTF-16."""
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
# Written for XML and put into HTML, or escaped twice: a text with its own markup ended in it was never meant to be read so.
_STILL_MARKUP = re.compile(
    r"</[a-z][a-z0-9]*\s*+>|<br\s*+/?>|<!\[CDATA\[|&(?:[a-z][a-z0-9]{1,30}|\#(?:\d{1,7}|x[0-9a-f]{1,6}));", re.IGNORECASE
)
_MOST_ESCAPED = 3
_HALVES = re.compile(HALVES)
_CDATA = re.compile(r"<!\[CDATA\[(.*?)(?:\]\]>|\Z)", re.DOTALL | re.IGNORECASE)
# No character has such a number, and Python refuses to read those of more than 4,300 digits.
_HUGE_REFERENCE = re.compile(r"&#(?:\d{8,}+|[xX][0-9a-fA-F]{7,}+);?")


def plain_text(markup: object) -> str | None:
    """The text of `markup` without its tags and with its entities read; None when nothing is left. Plain text stays as it is.

    Never raises. A text of more than MAX_CHARACTERS stays as it is too: no contract lets it pass.
    """
    text = tidy(markup)
    if text is None or len(text) > MAX_CHARACTERS or not _IS_MARKUP.search(text):
        return text
    for _ in range(_MOST_ESCAPED):
        text = _once(text)
        if text is None or not _STILL_MARKUP.search(text):
            break
    return text


def whole_character(halves: re.Match[str]) -> str:
    """The character of which `HALVES` refers to both halves; nothing where they are none."""
    high, low = (int(half[1:], 16) if half[0] in "xX" else int(half) for half in (halves["high"], halves["low"]))
    is_pair = 0xD800 <= high <= 0xDBFF and 0xDC00 <= low <= 0xDFFF
    return chr(0x10000 + ((high - 0xD800) << 10) + low - 0xDC00) if is_pair else ""


def _once(text: str) -> str | None:
    text = _CDATA.sub(r"\1", text)
    return tidy(html.unescape(_HALVES.sub(whole_character, _HUGE_REFERENCE.sub("\ufffd", _MARKUP.sub(_instead, text)))))


def _instead(match: re.Match[str]) -> str:
    """A blank where a block begins, so that its words stay apart from those before it."""
    return " " if not match["end"] and (match["name"] or "").lower() in _BLOCKS else ""
