"""RSS and Atom bytes into items.

Only bytes that `news.parsing.documents` accepted ever reach feedparser: given a string it would open files and addresses. Collection calls
this in a process of its own (`news.parsing.sandbox`); whether a single item is good enough is for `news.quality`.
"""

import io
import re
from typing import Any
from xml.sax import SAXException

import msgspec

from sentiment_platform.news.errors import NotAFeedError
from sentiment_platform.news.items import RawItem, tidy
from sentiment_platform.news.parsing.documents import feed_document
from sentiment_platform.news.parsing.markup import plain_text
from sentiment_platform.symbols import symbol_texts
from sentiment_platform.times.reading import UNSTATED, ReadTime, read_time
from sentiment_platform.times.stated import Stated

_TICKER_SCHEME = re.compile(r"(?i)(?:^|[/#:])(?:stock[-_]?)?(?:tickers?|symbols?)/?$")

_AN_ITEM = re.compile(r"<(?:item|entry)[\s/>]", re.IGNORECASE)
# A root that names another vocabulary as its own: to feedparser its items are elements of that one.
_ROOT_NAMESPACE = re.compile(r"(<[^<>]*?)\sxmlns\s*=\s*(?:\"[^\"]*\"|'[^']*')")
# Feedparser reads the number of a character reference without a bound, and Python refuses to read one of more than 4,300 digits.
_LONG_NUMBER = re.compile(r"(?<!\d)\d{1000,}+")


class ParsedFeed(msgspec.Struct, frozen=True):
    """The items of a feed in document order, and how many harmless flaws of it were mended."""

    items: tuple[RawItem, ...]
    mended: int = 0

    @property
    def note(self) -> str | None:
        """What a person should read in the report of a collection."""
        return f"mended: {self.mended}" if self.mended else None


def parse_feed(body: bytes, *, source: str, url: str, content_type: str = "", stated: Stated = UNSTATED) -> tuple[RawItem, ...]:
    """The items of `read_feed`, with the same errors."""
    return read_feed(body, source=source, url=url, content_type=content_type, stated=stated).items


def read_feed(body: bytes, *, source: str, url: str, content_type: str = "", stated: Stated = UNSTATED) -> ParsedFeed:
    """The items of a feed; `url` resolves relative links, `content_type` may name the charset.

    `stated`: what the source's entry says of its times.

    Tickers are the categories whose domain (RSS) or scheme (Atom) ends in `ticker` or `symbol`.

    Raises:
        NotAFeedError: no feed, a DOCTYPE that declares anything, broken XML, too deep, or more items than `documents.MAX_ITEMS`.
    """
    import feedparser

    read = feed_document(body, content_type)
    text, mended = _LONG_NUMBER.sub("\ufffd", read.text), read.mended
    headers = {"content-type": "application/xml; charset=utf-8", "content-location": url}

    def parsed(text: str) -> Any:
        return feedparser.parse(io.BytesIO(text.encode("utf-8", "replace")), response_headers=headers)

    document = parsed(text)
    if not document.entries and _AN_ITEM.search(text) and (root := _ROOT_NAMESPACE.match(text)):
        document, mended = parsed(root[1] + text[root.end() :]), mended + 1
    if isinstance(document.get("bozo_exception"), SAXException):
        raise NotAFeedError(
            f"The feed is broken XML: {document.bozo_exception}.", remedy="It is tried again at the next tick; tell its operator."
        )
    language = tidy(document.feed.get("language"))
    items = (_item(entry, number, source, url, language, stated) for number, entry in enumerate(document.entries, start=1))
    return ParsedFeed(tuple(items), mended)


def _item(entry: Any, position: int, source: str, origin: str, language: str | None, stated: Stated) -> RawItem:
    published_text, published = _published(entry, stated)
    guid = tidy(entry.get("id"))
    tickers = [tag.get("term") for tag in entry.get("tags", []) if _TICKER_SCHEME.search(tag.get("scheme") or "")]
    return RawItem(
        source=source,
        origin=origin,
        position=position,
        title=plain_text(entry.get("title")),
        summary=plain_text(entry.get("summary")),
        url=tidy(entry.get("link")) or (guid if guid and guid.startswith(("http://", "https://")) else None),
        guid=guid,
        outlet=tidy(entry.get("source", {}).get("title")) or tidy(entry.get("publisher")),
        language=language,
        tickers=symbol_texts(tickers),
        published_at=published.at if published else None,
        published_text=published_text,
        day_only=published is not None and published.day_only,
        zone=str(stated.zone),
    )


def _published(entry: Any, stated: Stated) -> tuple[str | None, ReadTime | None]:
    """The first of an item's times that can be read, as it stands there; where none can, the first text."""
    # Past feedparser's own get(), which answers "updated" with "published" and warns that it will not for ever.
    texts = [text for name in ("published", "updated", "created") if (text := tidy(dict.get(entry, name)))]
    return next(((text, read) for text in texts if (read := read_time(text, stated))), (texts[0] if texts else None, None))
