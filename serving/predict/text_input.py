"""From what a client sent to what a model sees and the database keeps, or a refusal that names the field."""

from datetime import datetime
from typing import Any

from sentiment_platform.entities import outlet_name
from sentiment_platform.news.parsing.markup import plain_text
from sentiment_platform.symbols import symbols
from sentiment_platform.text.normalise import normalise
from serving.contract.prediction_bodies import PredictRequest
from serving.contract.problems import Problem, invalid
from serving.predict.online_features import Input
from serving.predict.published_time import published_time

LARGEST_BINARY_SHARE = 0.1
_WHITE = frozenset("\t\n\r\x0b\x0c\x85")


def readable_text(text: str, max_characters: int) -> str:
    """The normalised text (no markup, entities read, NFKC, nothing invisible, single blanks), as collection cleans a headline.

    Raises:
        Problem: 400 for a text that is too long, binary, or has nothing visible in it.
    """
    if len(text) > max_characters:
        raise _too_long(len(text), max_characters)
    if "\0" in text or _binary_characters(text) > LARGEST_BINARY_SHARE * len(text):
        raise _refusal("binary_text", "The text looks like binary data; send the words of a news item.")
    normalised = normalise(plain_text(text) or "")
    if not normalised:
        raise _refusal("empty_text", "The text has no visible character; send the words of a news item.")
    # Compatibility forms can become several letters each.
    if len(normalised) > max_characters:
        raise _too_long(len(normalised), max_characters, " once normalised (compatibility forms written out, as NFKC does)")
    return normalised


def known_outlet(source: str | None) -> str | None:
    """The one spelling of an outlet: what is in `entities`, whatever case, blanks and invisible characters it came with.

    Raises:
        Problem: 400 for NUL, or a name of which nothing is left.
    """
    if source is None:
        return None
    name = outlet_name(source)
    if "\0" in source or not name:
        raise Problem(
            400, "invalid_source", "The source has no visible character, or has NUL; send the outlet's name.", field="source"
        )
    return name


def readable_symbol(text: str | None, field: str) -> str | None:
    """The symbol that a request names, in its one spelling; None where it names none, in whatever word for that.

    Raises:
        Problem: 400 for what is no symbol, or for several.
    """
    known, left_out = symbols(text)
    if left_out or len(known) > 1 or "\0" in (text or ""):
        raise Problem(400, "no_symbol", "This is not the symbol of one share; write it as LMP, LMP-B or 005930.KS.", field=field)
    return known[0] if known else None


def _too_long(length: int, max_characters: int, when: str = "") -> Problem:
    detail = f"The text has {length} characters{when}; {max_characters} are allowed. Send its headline or lead."
    return _refusal("text_too_long", detail)


def _refusal(code: str, detail: str) -> Problem:
    return Problem(400, code, detail, field="text")


def _binary_characters(text: str) -> int:
    if text.isprintable():
        return 0
    return sum((ord(c) < 32 or 127 <= ord(c) < 160 or c == "\ufffd") and c not in _WHITE for c in text)


def clean(request: PredictRequest, traffic: str | None, *, max_characters: int, now: datetime) -> Input:
    """The request as it is judged and kept, and what it is for.

    Raises:
        Problem: 400; every field at fault is named.
    """
    read, refused = list[Any](), list[Problem]()
    for reader in (
        lambda: readable_text(request.text, max_characters),
        lambda: readable_symbol(request.ticker, "ticker"),
        lambda: known_outlet(request.source),
        lambda: published_time(request.published_at, now),
    ):
        try:
            read.append(reader())
        except Problem as problem:
            refused.append(problem)
    if refused:
        raise refused[0] if len(refused) == 1 else invalid([fault for problem in refused for fault in problem.errors])
    return Input(*read, traffic=traffic)
