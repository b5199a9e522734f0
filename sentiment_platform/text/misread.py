"""What a text looks like that was decoded with the wrong charset before it came: UTF-8 read as cp1252 or as cp1251. Not here: files."""

import re

# What the bytes 80 to BF of UTF-8 become in cp1252 and Latin-1, and the letters that the leading bytes C2 to DF become.
_INSIDE = (
    "\u0080-\u00bf\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc\u2013-\u2022\u2026\u2030\u2039\u203a\u20ac\u2122"
)
_INSIDE_CYRILLIC = (
    "\u0080-\u00a0\u00a4\u00a6\u00a7\u00a9\u00ab-\u00ae\u00b0\u00b1\u00b5-\u00b7\u00bb\u0401-\u040f\u0451-\u045f\u0490\u0491"
    "\u2013-\u2022\u2026\u2030\u2039\u203a\u20ac\u2116\u2122"
)
MISREAD = (
    # An accented letter, a sign of money or a blank, a quotation mark or dash.
    "\u00c3[\u0080-\u00bf\u0152-\u2122]|\u00c2[\u00a2-\u00bb]|\u00e2\u20ac[\u0080-\u2122]|\u00e2\u201a\u00ac|[a-z][\u00c2\u00c3] "
    # Greek, Cyrillic, Hebrew, Arabic: two in a row. Chinese, Japanese, Korean: two in a row.
    f"|(?:[\u00c2-\u00df][{_INSIDE}]){{2}}|(?:[\u00e0-\u00ef][{_INSIDE}]{{2}}){{2}}"
    f"|(?:[\u0420\u0421][{_INSIDE_CYRILLIC}]){{3}}"
)
"""A regular expression that Python and Polars read alike."""

_MISREAD = re.compile(MISREAD)


def is_misread(text: str) -> bool:
    """Whether part of a text is certainly no words but their bytes in another charset."""
    return _MISREAD.search(text) is not None
