"""What an item need not have: each such field in the one form that is stored, or left out with a note. None of them costs the article.

Needed are a title and a time of publication; those are for `news.quality`.
"""

import re

import msgspec

from sentiment_platform.news.canonical_url import canonical_url
from sentiment_platform.news.items import RawItem, tidy
from sentiment_platform.symbols import is_nothing, symbols
from sentiment_platform.text.language_names import language_code

MAX_SUMMARY_CHARACTERS = 20_000
MAX_URL_CHARACTERS = 2_000
MAX_OUTLET_CHARACTERS = 200
BINARY = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]"
"""Control characters, which no text needs and a database may not even hold."""

_BINARY = re.compile(BINARY)
_SHOWN_CHARACTERS = 60


def with_usable_fields(item: RawItem) -> RawItem:
    """The item with every optional field as it can be stored; the same object where nothing changes."""
    notes = dict.fromkeys(item.notes)
    summary = _text(item.summary, "summary", notes)
    if summary and len(summary) > MAX_SUMMARY_CHARACTERS:
        notes[f"summary cut at {MAX_SUMMARY_CHARACTERS:,} of {len(summary):,} characters"] = None
        summary = summary[:MAX_SUMMARY_CHARACTERS]
    outlet = _text(item.outlet, "outlet", notes)
    if outlet and len(outlet) > MAX_OUTLET_CHARACTERS:
        outlet = _left_out("outlet", outlet, "is longer than 200 characters", notes)
    known = symbols(item.tickers)
    for text in known.left_out:
        _left_out("tickers", text, "is no symbol", notes)
    usable = {
        "summary": summary,
        "url": _address(item.url, notes),
        "guid": _guid(item.guid, notes),
        "outlet": outlet,
        "language": _language(item.language, notes),
        "tickers": known.symbols,
        "notes": tuple(notes),
    }
    changed = {name: value for name, value in usable.items() if value != getattr(item, name)}
    return msgspec.structs.replace(item, **changed) if changed else item


def _text(text: str | None, field: str, notes: dict[str, None]) -> str | None:
    if text is None or is_nothing(text):
        return None
    plain = tidy(_BINARY.sub(" ", text)) if _BINARY.search(text) else text
    if plain != text:
        notes[f"{field}: control characters taken out"] = None
    return plain


def _address(url: str | None, notes: dict[str, None]) -> str | None:
    if url is None or is_nothing(url):
        return None
    if len(url) > MAX_URL_CHARACTERS:
        return _left_out("url", url, "is longer than 2,000 characters", notes)
    if _BINARY.search(url) or canonical_url(url) is None:
        return _left_out("url", url, "is no http or https address", notes)
    return url


def _guid(guid: str | None, notes: dict[str, None]) -> str | None:
    if guid is None or (is_nothing(guid) and not guid.isdecimal()):
        return None
    return _left_out("guid", guid, "holds control characters", notes) if _BINARY.search(guid) else guid


def _language(language: str | None, notes: dict[str, None]) -> str | None:
    if language is None or is_nothing(language):
        return None
    return language_code(language) or _left_out("language", language, "is no language", notes)


def _left_out(field: str, text: str, why: str, notes: dict[str, None]) -> None:
    shown = _BINARY.sub("\ufffd", text[:_SHOWN_CHARACTERS]) + ("..." if len(text) > _SHOWN_CHARACTERS else "")
    notes[f"{field}: {shown!r} {why}"] = None
