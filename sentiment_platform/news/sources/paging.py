"""The address of each request to a JSON source, and where its next page is."""

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

from sentiment_platform.fetching.errors import SourceRefusedError
from sentiment_platform.news.items import RawItem
from sentiment_platform.news.sources.entries import (
    ByTime,
    Cursors,
    JsonApiEntry,
    NextUrls,
    NoPaging,
    Offsets,
    PageNumbers,
    TimeWindow,
)
from sentiment_platform.news.sources.json_path import find
from sentiment_platform.news.sources.protocol import Cursor, Window

_MAX_PLACE_CHARACTERS = 4_000
_TELL = "It is asked again from the beginning of the window; tell the vendor."


def request_url(entry: JsonApiEntry, key: str, window: Window, at: Cursor | None) -> str:
    """The whole address, with the key where the vendor wants it in the query."""
    auth = {entry.auth.query: entry.auth.format.format(key=key)} if entry.auth and entry.auth.query else {}
    if at and "next_url" in at:
        return _with(at["next_url"], auth)
    query: dict[str, Any] = {name: _written(value) for name, value in entry.parameters.items()}
    if entry.window:
        since = datetime.fromisoformat(at["since"]) if at and "since" in at else window.start
        query |= _times(entry.window, since, window.end)
    match entry.paging:
        case PageNumbers(parameter=parameter, first=first):
            query[parameter] = at["page"] if at else first
        case Offsets(parameter=parameter):
            query[parameter] = at["offset"] if at else 0
        case Cursors(parameter=parameter) if at:
            query[parameter] = at["cursor"]
        case _:
            pass
    return _with(entry.url, query | auth)


def after(
    entry: JsonApiEntry, key: str, document: Any, items: tuple[RawItem, ...], window: Window, at: Cursor | None
) -> Cursor | None:
    """Where the page after this one is; None when this is the last."""
    match entry.paging:
        case NoPaging():
            next_page = None
        case PageNumbers(size=size, first=first):
            next_page = {"page": (at["page"] if at else first) + 1} if len(items) >= size else None
        case Offsets(size=size):
            next_page = {"offset": (at["offset"] if at else 0) + len(items)} if len(items) >= size else None
        case Cursors(at=path):
            cursor = find(document, path)
            next_page = {"cursor": _kept(str(cursor))} if cursor and isinstance(cursor, str | int) and items else None
        case NextUrls(at=path):
            url = find(document, path)
            next_page = {"next_url": _same_place(entry, key, url)} if url and isinstance(url, str) and items else None
        case ByTime(size=size):
            newest = max((item.published_at for item in items if item.published_at), default=None)
            full = len(items) >= size and newest is not None and newest < window.end
            next_page = {"since": newest.isoformat()} if full and newest else None
    # A vendor that names the same page again would be asked for it until the quota is gone.
    return next_page if next_page != at else None


def _written(value: str | int | bool | list[str]) -> Any:
    return str(value).lower() if isinstance(value, bool) else value


def _times(names: TimeWindow, start: datetime, end: datetime) -> dict[str, str]:
    parameters = {names.start: _moment(start, names.format)}
    if names.end:
        parameters[names.end] = _moment(end + timedelta(hours=names.end_extra_h), names.format)
    return parameters


def _moment(time: datetime, form: str) -> str:
    if form in ("unix", "unix_ms"):
        return str(int(time.timestamp() * (1000 if form == "unix_ms" else 1)))
    return time.strftime(form)


def _with(url: str, query: dict[str, Any]) -> str:
    if not query:
        return url
    return f"{url}{'&' if urlsplit(url).query else '?'}{urlencode(query, doseq=True)}"


def _kept(place: str) -> str:
    """A vendor's own word for the next page, which is kept in the database and sent back."""
    if not place.isprintable() or len(place) > _MAX_PLACE_CHARACTERS:
        raise SourceRefusedError("The next page has a name that cannot be kept.", remedy=_TELL)
    return place


def _same_place(entry: JsonApiEntry, key: str, url: str) -> str:
    """A next address without the key, which is added again when it is asked: it is kept in the database."""
    try:
        own, parts = urlsplit(entry.url), urlsplit(urljoin(entry.url, _kept(url)))
    except ValueError:
        raise SourceRefusedError("The next page has no usable address.", remedy=_TELL) from None
    if (parts.scheme, parts.netloc) != (own.scheme, own.netloc):
        raise SourceRefusedError(
            f"The next page is said to be at {parts.netloc}, and the key of {own.netloc} is not shown there.",
            remedy="If the vendor has moved, change `url` of the entry.",
        )
    hidden = entry.auth.query if entry.auth else None
    kept = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name != hidden]
    return urlunsplit(parts._replace(query=urlencode([(n, v) for n, v in kept if not key or key not in v]), fragment=""))
