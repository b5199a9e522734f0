"""The text of a document whose bytes say, more or less truly, which encoding they are in.

A place that is not of the encoding costs that place: the other text stays as it is. Not here: what the text means (`documents`).
"""

import codecs
import re
from dataclasses import dataclass

_DECLARED = re.compile(rb"<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([\w.:-]{1,40})[\"']")
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]{1,40})")
# UTF-32 first: its little-endian mark begins with that of UTF-16. Then a "<" without a mark.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (b"<\x00\x00\x00", "utf-32-le"),
    (b"\x00\x00\x00<", "utf-32-be"),
    (b"<\x00", "utf-16-le"),
    (b"\x00<\x00", "utf-16-be"),
)
# In these every ASCII byte is that character, whatever stands before it; UTF-7, HZ, ISO-2022 and EBCDIC can hide markup.
_ASCII_KEEPING = re.compile(
    r"ascii|iso8859-\d+|cp125\d|cp437|cp85\d|cp866|mac-\w+|cp874|cp932|cp949|cp950|koi8-[rtu]|kz1048|gb2312|gbk|gb18030|big5(hkscs)?|shift_jis(_2004|x0213)?"
    r"|euc_\w+|tis-620"
)
# Labels that Python does not know and browsers do (WHATWG Encoding).
_LABELS = {
    "windows-31j": "cp932",
    "x-sjis": "cp932",
    "ms_kanji": "cp932",
    "x-gbk": "gbk",
    "x-x-big5": "big5",
    "x-mac-roman": "mac-roman",
}
# A character of UTF-16 whose halves were each written as UTF-8 (CESU-8).
_HALVES = re.compile(rb"\xed([\xa0-\xaf][\x80-\xbf])\xed([\xb0-\xbf][\x80-\xbf])")
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")
_UNREAD = re.compile("[\udc80-\udcff]+")
_UNREAD_BYTE = re.compile("[\udc80-\udcff]")
# The beginning of a longer character that was cut off; what is left of it is no letter of another encoding.
_CUT_CHARACTER = re.compile(rb"[\xe0-\xf4][\x80-\xbf]")
_MANY = 4
"""So many characters must be right for each byte that is not, for a document to be believed to be in an encoding."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """A text, and in how many places its bytes were not of its encoding."""

    text: str
    replaced: int = 0


def decode(body: bytes, content_type: str = "") -> Decoded:
    """The text of a document: by its byte order mark, as UTF-8 if it is that, as header or declaration say, or as Windows-1252.

    Labels are wrong more often than bytes are UTF-8 by chance, which in other encodings does not happen to a whole document. A few
    bytes that are not of the encoding are read as Windows-1252 in UTF-8, from whose texts they are pasted, and are U+FFFD otherwise. Characters of two halves, as Java and MySQL once wrote them, are joined.
    """
    for mark, encoding in _MARKS:
        if body.startswith(mark):
            text = body.decode(encoding, "replace")
            return Decoded(text.removeprefix("\ufeff"), text.count("\ufffd") if "\ufffd" in text else 0)
    labels = (
        *_CHARSET.findall(content_type.lower())[:1],
        *(name.decode("ascii", "replace").lower() for name in _DECLARED.findall(body)[:1]),
    )
    named = [_known_label(label) for label in labels]
    # ISO-2022 is made of ASCII bytes. What it hides is judged all the same: the text that is judged is the one that is parsed.
    escaped = [name for name in named if name.startswith("iso-2022-")] if b"\x1b" in body else []
    whole = (reading for name in (*escaped, "utf-8-sig") if (reading := _nearly(body, name, None)))
    if reading := next(whole, None):
        return reading
    joined, halves = _HALVES.subn(_whole_character, body)
    if halves and (reading := _nearly(joined, "utf-8-sig", None)):
        return Decoded(reading.text, halves)
    candidates = [("utf-8-sig", _MANY), *((name, None) for name in named), *((name, _MANY) for name in named), ("utf-8-sig", 1)]
    readings = (_nearly(body, name, many) for name, many in candidates if name == "utf-8-sig" or _keeps_ascii(name))
    return next(filter(None, readings), None) or _as_windows(body)


def _nearly(body: bytes, encoding: str, many: int | None) -> Decoded | None:
    """The text in an encoding of which a few bytes are not: none without `many`, else one of so many characters beyond ASCII."""
    try:
        text = body.decode(encoding, "surrogateescape" if many else "strict")
    except (UnicodeDecodeError, LookupError):  # also an ASCII byte in the middle of a longer character
        return None
    wrong = len(_UNREAD_BYTE.findall(text))
    if not wrong:
        return Decoded(text)
    if len(_NOT_ASCII.findall(text)) - wrong < wrong * (many or 0):
        return None
    text, places = _UNREAD.subn(_from_windows if encoding == "utf-8-sig" else "\ufffd", text)
    return Decoded(text, places)


def _as_windows(body: bytes) -> Decoded:
    text = body.decode("windows-1252", "replace")
    return Decoded(text, len(re.findall(rb"[\x80-\xff]+", body)))


def _whole_character(halves: re.Match[bytes]) -> bytes:
    return halves[0].decode("utf-8", "surrogatepass").encode("utf-16", "surrogatepass").decode("utf-16").encode()


def _from_windows(unread: re.Match[str]) -> str:
    raw = unread[0].encode("utf-8", "surrogateescape")
    return "\ufffd" if _CUT_CHARACTER.search(raw) else raw.decode("windows-1252", "replace")


def _known_label(label: str) -> str:
    return _LABELS.get(label, label.removeprefix("x-") if label.startswith("x-euc-") else label)


def _keeps_ascii(name: str) -> bool:
    try:
        return _ASCII_KEEPING.fullmatch(codecs.lookup(name).name) is not None
    except (LookupError, ValueError):
        return False
