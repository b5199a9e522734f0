"""One item of news as a source gave it, before any contract; and how its strings are tidied."""

import re
from datetime import datetime

import msgspec

_LONE_SURROGATES = re.compile("[\ud800-\udfff]")
# Marks of order and direction that no reader sees: of a file that was put together of several, or of a web page.
_UNSEEN = re.compile("[\ufeff\u200b\u200e\u200f]")


class RawItem(msgspec.Struct, frozen=True, kw_only=True):
    """An item with its provenance. Everything may be missing or wrong: `news.quality` decides.

    `published_at` is aware UTC, None where `published_text` is missing or cannot be read; with `day_only` the source named no
    time of day, and `published_at` is the day's first moment. `zone`: the clock of times that name none. `origin` is the feed's URL
    or the archive's file name, `position` the item's number in it, from 1. `tickers` are the texts that stood there; `notes` says what
    of an optional field was changed or left out (`news.optional_fields`). `problem`: why the item could not be read at all.
    """

    source: str
    origin: str
    position: int
    title: str | None = None
    summary: str | None = None
    url: str | None = None
    guid: str | None = None
    outlet: str | None = None
    language: str | None = None
    tickers: tuple[str, ...] = ()
    published_at: datetime | None = None
    published_text: str | None = None
    day_only: bool = False
    zone: str = "UTC"
    notes: tuple[str, ...] = ()
    problem: str | None = None


def tidy(text: object) -> str | None:
    """Text with single blanks, none at the ends and no mark that nobody sees; None when nothing is left. Lone surrogates become U+FFFD."""
    if text is None:
        return None
    return " ".join(_UNSEEN.sub("", _LONE_SURROGATES.sub("\ufffd", str(text))).split()) or None
