"""Numbers as spreadsheets write them: points or commas, thousands in groups, a sign of money. What reads two ways is no number."""

import re
from math import isfinite

_AROUND = re.compile(r"^[$€£¥₩₹]\s*|\s*[$€£¥₩₹]$")
_BLANKS = re.compile(r"(?<=\d)[ \xa0\u2009\u202f'’](?=\d{3}(?:\D|$))")
_MINUS = str.maketrans("−–﹣－", "----")
_POINT = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+\.\d*|[+-]?\d{1,3}(?:,\d{3}){2,}")
_COMMA = re.compile(r"[+-]?(?:\d{1,3}(?:\.\d{3})+|\d+),\d*|[+-]?\d{1,3}(?:\.\d{3}){2,}|[+-]?,\d+")
_THREE = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")


def number_of(text: str) -> float | None:
    """A finite number, or None: `1,100.5` and `1.100,5` are one number, `1,100` is a thousand to some and one to others."""
    plain = _BLANKS.sub("", _AROUND.sub("", text.strip()).translate(_MINUS))
    if _THREE.fullmatch(plain):
        return None
    if _POINT.fullmatch(plain):
        plain = plain.replace(",", "")
    elif _COMMA.fullmatch(plain):
        plain = plain.replace(".", "").replace(",", ".")
    try:
        number = float(plain)
    except ValueError:
        return None
    return number if isfinite(number) and "_" not in plain else None
