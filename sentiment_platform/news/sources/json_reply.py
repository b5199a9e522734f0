"""A vendor's reply as text: its JSON, forgivingly where its entry asks for that, and its own words where it refuses.

Not here: what an item of it is (`sources.json_api`).
"""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, quote_plus

import msgspec

from sentiment_platform.news.items import tidy

SHOWN_CHARACTERS = 200
_BOM = b"\xef\xbb\xbf"
# An escape that JSON knows, or a backslash that begins none; half a surrogate pair is none either.
_ESCAPE = re.compile(
    rb'(\\(?:["\\/bfnrt]|u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u(?![dD][89a-fA-F])[0-9a-fA-F]{4}))'
    rb"|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})|\\"
)
_CONTROL = re.compile(rb"[\x00-\x1f]")
_EXPLAINS = re.compile(
    r"(?i)error|message|\bmsg\b|note|information|detail|description|reason|warning|status|code|title|fault|problem"
)
_MARKUP = (b"<!doctype", b"<html", b"<?xml")


def decoded_json(body: bytes, *, is_lenient: bool) -> Any:
    """The document of a reply. Lenient: unknown escapes lose their backslash, raw controls are blanks, bytes that are no UTF-8 are
    U+FFFD.

    Raises:
        msgspec.MsgspecError, RecursionError, UnicodeDecodeError: it is no JSON.
    """
    body = body.removeprefix(_BOM)
    try:
        return msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        if not is_lenient:
            raise
    mended = _ESCAPE.sub(lambda escape: escape[1] or (b"\\ufffd" if escape[2] else b""), _CONTROL.sub(b" ", body))
    return msgspec.json.decode(mended.decode("utf-8", "replace"))


def plain_words(body: bytes) -> str | None:
    """The first SHOWN_CHARACTERS of a reply that is text for people; None for markup and for what is no text."""
    start = body[: 8 * SHOWN_CHARACTERS].lstrip(_BOM + b" \r\n\t")
    if start[:20].lower().startswith(_MARKUP):
        return None
    text = tidy(start.decode("utf-8", "replace").removesuffix("\ufffd"))
    return text[:SHOWN_CHARACTERS] if text and text.isprintable() and "\ufffd" not in text else None


def own_words(document: Any) -> str | None:
    """What a JSON reply says of itself where it holds no items: the texts under names that explain something."""
    words = tidy("; ".join(dict.fromkeys(_explanations(document))))
    return words[:SHOWN_CHARACTERS] if words else None


def _explanations(value: Any, depth: int = 0) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list) and depth < 4:
        for part in value[:5]:  # pyright: ignore[reportUnknownVariableType]  JSON
            yield from _explanations(part, depth + 1)
    elif isinstance(value, dict) and depth < 4:
        for name, part in value.items():  # pyright: ignore[reportUnknownVariableType]  JSON
            if depth > 1 or _EXPLAINS.search(str(name)):  # pyright: ignore[reportUnknownArgumentType]  JSON
                yield from _explanations(part, depth + 1)


def without_key(text: str, key: str) -> str:
    """Words of a vendor with the key taken out, in the spellings in which an address may hold it too."""
    for spelling in sorted({key, quote(key), quote(key, safe=""), quote_plus(key)}, key=len, reverse=True) if key else ():
        text = text.replace(spelling, "***")
    return text
