"""A vendor's reply as text: its JSON, forgivingly where its entry asks for that, and its own words where it refuses.

Not here: what an item of it is (`sources.json_api`).
"""

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, quote_plus

import msgspec

from sentiment_platform.news.items import tidy

SHOWN_CHARACTERS = 200
_DEEPEST = 4
_BOM = b"\xef\xbb\xbf"
# An escape that JSON knows, or a backslash that begins none; half a surrogate pair is none either.
_ESCAPE = re.compile(
    rb'(\\(?:["\\/bfnrt]|u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u(?![dD][89a-fA-F])[0-9a-fA-F]{4}))'
    rb"|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})|\\"
)
_COMMA = re.compile(r'("(?:[^"\\]|\\.)*+"?)|,(?=\s*+[\]}])', re.DOTALL)
_CONTROL = re.compile(rb"[\x00-\x1f]")
_EXPLAINS = re.compile(
    r"(?i)error|err(?![a-z])|err_?(?:msg|code|text)|message|(?<![a-z])msg|note|information|detail|description|reason|warning|status|code|title|fault|problem"
)
_SAYS_NOTHING = frozenset(["", "ok", "success", "true", "false", "none", "null"])
_MARKUP = (b"<!doctype", b"<html", b"<?xml")


def decoded_json(body: bytes, *, is_lenient: bool) -> Any:
    """The document of a reply. Lenient: unknown escapes lose their backslash, raw controls are blanks, bytes that are no UTF-8 are
    U+FFFD, numbers that are none are read as Python reads them, and commas before an end are left out.

    Raises:
        msgspec.MsgspecError, RecursionError, ValueError: it is no JSON.
    """
    body = body.removeprefix(_BOM)
    try:
        return msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        if not is_lenient:
            raise
    mended = _ESCAPE.sub(lambda escape: escape[1] or (b"\\ufffd" if escape[2] else b""), _CONTROL.sub(b" ", body))
    text = mended.decode("utf-8", "replace")
    try:
        return msgspec.json.decode(text)
    except msgspec.MsgspecError:
        return json.loads(_COMMA.sub(lambda comma: comma[1] or "", text))


def plain_words(body: bytes, key: str) -> str | None:
    """The first SHOWN_CHARACTERS of a reply that is text for people, without the key; None for markup and for what is no text."""
    start = body[: 8 * SHOWN_CHARACTERS].lstrip(_BOM + b" \r\n\t")
    if start[:20].lower().startswith(_MARKUP):
        return None
    text = tidy(start.decode("utf-8", "replace").removesuffix("\ufffd"))
    return _shown(text, key) if text and text.isprintable() and "\ufffd" not in text else None


def own_words(document: Any, key: str, *, is_explanation: bool = False) -> str | None:
    """What a JSON reply says of itself where it holds no items, without the key: the texts under names that explain something.

    With `is_explanation` the document is what stands under such a name; a document that is a text, or a list of texts, explains itself. Where
    there is no text, the numbers under such names are told with them.
    """
    is_explanation = is_explanation or not isinstance(document, dict)
    told = dict.fromkeys(_explanations(document, explains=is_explanation))
    if not told and isinstance(document, dict):
        told = dict.fromkeys(
            f"{name} {value}" for name, value in document.items() if type(value) is int and _EXPLAINS.search(str(name))
        )  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]  JSON
    words = tidy("; ".join(told))
    return _shown(words, key) if words else None


def _explanations(value: Any, *, explains: bool, depth: int = 0) -> Iterator[str]:
    if depth > _DEEPEST:
        return
    if isinstance(value, str):
        if explains and value.strip().lower() not in _SAYS_NOTHING:
            yield value
    elif isinstance(value, list) and explains:
        for part in value[:5]:  # pyright: ignore[reportUnknownVariableType]  JSON
            yield from _explanations(part, explains=True, depth=depth + 1)
    elif isinstance(value, dict):
        for name, part in value.items():  # pyright: ignore[reportUnknownVariableType]  JSON
            within = explains or _EXPLAINS.search(str(name)) is not None  # pyright: ignore[reportUnknownArgumentType]  JSON
            yield from _explanations(part, explains=within, depth=depth + 1)


def _shown(text: str, key: str) -> str:
    """The beginning of a text with the key taken out first, in the spellings in which an address may hold it too."""
    for spelling in sorted({key, quote(key), quote(key, safe=""), quote_plus(key)}, key=len, reverse=True) if key else ():
        text = text.replace(spelling, "***")
    return text[:SHOWN_CHARACTERS]
