"""The address of each request to a JSON source, and where its next page is."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
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
from sentiment_platform.times.own import own_moment

_MAX_PLACE_CHARACTERS = 4_000
_FEWEST_OF_A_MOMENT = 2
_TELL = "It is asked again from the beginning of the window; tell the vendor."


def request_url(entry: JsonApiEntry, key: str, window: Window, at: Cursor | None) -> str:
    """The whole address, with the key where the vendor wants it in the query."""
    auth = {entry.auth.query: entry.auth.format.format(key=key)} if entry.auth and entry.auth.query else {}
    if at and "next_url" in at:
        return _with(at["next_url"], auth)
    query: dict[str, Any] = {name: _written(value) for name, value in entry.parameters.items()}
    if entry.window:
        since = own_moment(at["since"]) if at and "since" in at else window.start
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


@dataclass(frozen=True, slots=True)
class Turned:
    """A page of items, what each is called, and what the pages before it in this turn brought."""

    items: tuple[RawItem, ...]
    names: list[str]
    seen: set[str]

    @property
    def is_new(self) -> bool:
        """Whether it brings anything."""
        return any(name not in self.seen for name in self.names)

    @property
    def digest(self) -> str:
        """What two pages of the same items share."""
        return sha256("\n".join(sorted(self.names)).encode("utf-8", "surrogatepass")).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Following:
    """Where the next page is, None after the last; `note`: where the vendor's own counts do not agree with what it gave."""

    next: Cursor | None
    note: str | None = None


def after(entry: JsonApiEntry, key: str, document: Any, page: Turned, window: Window, at: Cursor | None) -> Following:
    """What follows a page. It is the last when the vendor says so, when it is empty, brings nothing new or reaches the window's end.

    How many items a page has says nothing: a vendor's plan may give fewer than were asked for.
    """
    if not page.items:
        return Following(None, _missing(entry, document, _got(at)))
    note = _miscounted(entry, document, page)
    match entry.paging:
        case NoPaging():
            next_page = None
        case PageNumbers(first=first, max_items=most):
            next_page = _counted(entry, document, page, at, most, {"page": (at["page"] if at else first) + 1})
        case Offsets(max_items=most):
            place = (at["offset"] if at else 0) + len(page.items)
            next_page = _counted(entry, document, page, at, most, {"offset": place})
        case Cursors(at=path):
            cursor = find(document, path)
            next_page = {"cursor": _kept(str(cursor))} if cursor and isinstance(cursor, str | int) and page.is_new else None
        case NextUrls(at=path):
            url = find(document, path)
            next_page = {"next_url": _same_place(entry, key, url)} if url and isinstance(url, str) and page.is_new else None
        case ByTime():
            next_page = _since(entry, page, window, at)
            if at and "full" in at:
                note = "; ".join(
                    filter(None, (note, f"a page held nothing but items of {at['full']}: others of then may be missing"))
                )
    # A vendor that names the same page again would be asked for it until the quota is gone.
    if next_page is not None and next_page != at:
        return Following(next_page, note)
    return Following(None, "; ".join(filter(None, (note, _missing(entry, document, _got(at) + len(page.items))))) or None)


def stated(document: Any, path: str) -> int | None:
    """A number of items as the vendor states it, as a number or as text; None where it states none."""
    value = find(document, path)
    if isinstance(value, str) and value.strip().isdecimal() and len(value.strip()) < 10:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def item_name(item: RawItem) -> str:
    """What tells an item from others of its source within one turn."""
    return item.guid or item.url or f"{item.title}\n{item.published_text}"


def _counted(
    entry: JsonApiEntry, document: Any, page: Turned, at: Cursor | None, most: int | None, next_page: Cursor
) -> Cursor | None:
    """The next page of a numbered walk; it carries how many items there were so far, and what the last page held."""
    got = _got(at) + len(page.items)
    total = stated(document, entry.total_at) if entry.total_at else None
    if (total is not None and got >= total) or (most is not None and got >= most):
        return None
    if not page.is_new or (at or {}).get("last") == page.digest:
        return None
    return {**next_page, "got": got, "last": page.digest}


def _since(entry: JsonApiEntry, page: Turned, window: Window, at: Cursor | None) -> Cursor | None:
    """A window that starts at the newest item. `most`: how many items a page has held; `full`: the moment that filled the page before."""
    times = [item.published_at for item in page.items if item.published_at]
    # The oldest come first, so it is the last one that reaches the end; one absurd time among the others does not.
    if not times or times[-1] >= window.end:
        return None
    newest, most = max(time for time in times if time < window.end), max(len(page.items), (at or {}).get("most", 0))
    start = own_moment(at["since"]) if at and "since" in at else None
    if start is None or newest > start:
        return {"since": newest.isoformat(), "most": most}
    step = _step(entry)
    is_full = len(page.items) >= max(most, _FEWEST_OF_A_MOMENT) and min(times) > start - step
    if newest < start or not is_full or start + step >= window.end:
        return None
    # As long a page as any, all of the moment at which it starts: the next would be this one, and what comes later never asked for.
    return {"since": (start + step).isoformat(), "most": most, "full": start.isoformat()}


def _step(entry: JsonApiEntry) -> timedelta:
    """The least by which the start of a window can be later, as the vendor writes it."""
    form = entry.window.format if entry.window else ""
    if "%S" in form or "unix" in form:
        return timedelta(seconds=1)
    return timedelta(minutes=1) if "%M" in form else timedelta(days=1)


def _got(at: Cursor | None) -> int:
    return (at or {}).get("got", (at or {}).get("offset", 0))


def _missing(entry: JsonApiEntry, document: Any, got: int) -> str | None:
    total = stated(document, entry.total_at) if entry.total_at else None
    return f"the vendor states {total} items and gave {got}" if total is not None and total > got else None


def _miscounted(entry: JsonApiEntry, document: Any, page: Turned) -> str | None:
    count = stated(document, entry.count_at) if entry.count_at else None
    given = len(page.items)
    return f"the reply states {count} items and holds {given}" if count is not None and count != given else None


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
