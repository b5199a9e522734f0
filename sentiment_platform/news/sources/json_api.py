"""Any vendor that answers a GET with JSON, as its entry in the catalogue describes it: address, paging, key, window, field map.

Only what the field map names is read. A vendor's own sentiment scores and labels are left where they are: they are neither news nor
human labels. Not here: paging (`sources.paging`).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from sentiment_platform.fetching.errors import SourceRefusedError
from sentiment_platform.fetching.http import Fetched
from sentiment_platform.news.errors import NotAFeedError
from sentiment_platform.news.items import RawItem, tidy
from sentiment_platform.news.parsing.markup import plain_text
from sentiment_platform.news.sources.entries import JsonApiEntry
from sentiment_platform.news.sources.json_path import find
from sentiment_platform.news.sources.json_reply import decoded_json, own_words, plain_words
from sentiment_platform.news.sources.paging import Turned, after, item_name, request_url, stated
from sentiment_platform.news.sources.protocol import Ask, Cursor, Page, Window
from sentiment_platform.symbols import symbol_texts
from sentiment_platform.times.reading import read_time

MAX_ITEMS = 5_000


@dataclass(frozen=True, slots=True)
class JsonApiSource:
    """A vendor under the name that its articles carry. `key` never leaves this object but in a request."""

    name: str
    entry: JsonApiEntry
    key: str = ""
    live: bool = True

    @property
    def past(self) -> bool:
        """Whether a window of the past can be asked for."""
        return self.entry.window is not None

    def __repr__(self) -> str:
        return f"JsonApiSource({self.name!r})"

    def pages(self, window: Window, at: Cursor | None, ask: Ask) -> Iterator[Page]:
        """One page a request, until the vendor has no more."""
        headers = {"Accept": "application/json"}
        auth = self.entry.auth
        if auth and auth.header:
            headers[auth.header] = auth.format.format(key=self.key)
        seen = set[str]()
        while True:
            fetched = ask.get(request_url(self.entry, self.key, window, at), headers=headers)
            document = self._document(fetched)
            items = self._items(document, fetched.url)
            names = [item_name(item) for item in items]
            turn = after(self.entry, self.key, document, Turned(items, names, seen), window, at)
            seen.update(names)
            at = turn.next
            yield Page(items, at, note=turn.note)
            if at is None:
                return

    def _document(self, fetched: Fetched) -> Any:
        try:
            document = decoded_json(fetched.body, is_lenient=self.entry.is_lenient)
        except (msgspec.MsgspecError, RecursionError, ValueError):
            words = plain_words(fetched.body, self.key)
            said = f"; it says: {words}" if words else "."
            # The text of the decoder's error may quote the reply, and with it a key.
            raise NotAFeedError(f"The answer is {_kind(fetched)}, not JSON{said}", remedy=self._remedy()) from None
        for path in self.entry.error_at:
            said = own_words(find(document, path), self.key, is_explanation=True)
            if said:
                raise SourceRefusedError(f"{fetched.url} says: {said}", remedy=self._remedy())
        return document

    def _items(self, document: Any, origin: str) -> tuple[RawItem, ...]:
        value = find(document, self.entry.items_at)
        if not isinstance(value, list):
            if self._is_empty(document):
                return ()
            words = own_words(document, self.key)
            if words:
                raise SourceRefusedError(f"{origin} says: {words}", remedy=self._remedy())
            place = f"at {self.entry.items_at!r}" if self.entry.items_at else "as its whole"
            raise NotAFeedError(f"The answer of {origin} has no list {place}.", remedy=self._remedy())
        rows: list[Any] = value
        if rows and all(isinstance(row, str) for row in rows) and (words := own_words(rows, self.key)):
            raise SourceRefusedError(f"{origin} says: {words}", remedy=self._remedy())
        if len(rows) > MAX_ITEMS:
            raise NotAFeedError(f"The answer of {origin} has more than {MAX_ITEMS:,} items.", remedy="Ask for smaller pages.")
        return tuple(self._item(row, number, origin) for number, row in enumerate(rows, start=1))

    def _is_empty(self, document: Any) -> bool:
        """Whether a reply without its list says "nothing" in another form: empty, null, or a stated count of zero."""
        value = document
        for name in self.entry.items_at.split(".") if self.entry.items_at else ():
            if not value or not isinstance(value, dict) or name not in value:
                break
            value = value[name]  # pyright: ignore[reportUnknownVariableType]  JSON
        empty = (None, "", {}, [])
        return value in empty or any(path and stated(document, path) == 0 for path in (self.entry.count_at, self.entry.total_at))

    def _item(self, row: Any, position: int, origin: str) -> RawItem:
        fields = self.entry.fields
        published_text = _text(find(row, fields.published_at))
        published = read_time(published_text, self.entry.stated())
        return RawItem(
            source=self.name,
            origin=origin,
            position=position,
            title=plain_text(_text(find(row, fields.title))),
            summary=plain_text(_at(row, fields.summary)),
            url=_at(row, fields.url),
            guid=_at(row, fields.id),
            outlet=_at(row, fields.outlet),
            language=_at(row, fields.language) or self.entry.language,
            tickers=self._tickers(find(row, fields.tickers) if fields.tickers else None),
            published_at=published.at if published else None,
            published_text=published_text,
            day_only=published is not None and published.day_only,
            zone=self.entry.zone,
        )

    def _tickers(self, value: Any) -> tuple[str, ...]:
        return tuple(text for text in symbol_texts(value) if re.search(self.entry.ticker_pattern, text.upper()))

    def _remedy(self) -> str:
        where = f"; its documentation: {self.entry.documentation}" if self.entry.documentation else ""
        return f"Check the entry of {self.name} and what its key may ask for{where}."


def _at(row: Any, path: str | None) -> str | None:
    return _text(find(row, path)) if path else None


def _text(value: Any) -> str | None:
    """Text and numbers as text; anything else is no value of a field."""
    return tidy(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else None


def _kind(fetched: Fetched) -> str:
    start = fetched.body[:200].lstrip().lower()
    if not start:
        return "empty"
    if start.startswith((b"<!doctype html", b"<html")):
        return "an HTML page"
    return f"of type {fetched.content_type.partition(';')[0].strip() or 'unknown'}"
