"""The current filings of the SEC's EDGAR: an Atom feed in pages, newest first, read back to the beginning of the window.

The SEC asks for a User-Agent with a contact and for at most 10 requests a second
(https://www.sec.gov/search-filings/edgar-search-assistance/accessing-edgar-data).
An item's title is the feed's; the company is its outlet, accession number and CIK its guid, the items of the form its summary.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import msgspec

from sentiment_platform.fetching.errors import SourceRefusedError, SourceUnreachableError
from sentiment_platform.news.errors import NotAFeedError
from sentiment_platform.news.items import RawItem
from sentiment_platform.news.parsing.parse import ParsedFeed
from sentiment_platform.news.sources.entries import SecEntry
from sentiment_platform.news.sources.protocol import Ask, Cursor, Page, Window
from sentiment_platform.symbols import symbol

_TITLE = re.compile(r"(?P<form>\S.*?) - (?P<company>.+) \((?P<cik>\d{10})\) \((?P<role>[^()]+)\)")
_ACCESSION = re.compile(r"accession-number=([\d-]+)")
_FORM_ITEM = re.compile(r"Item \d+\.\d+: .*?(?= Item \d+\.\d+: |$)")

Tickers = dict[str, list[str]]
"""CIK number without leading zeros -> ticker symbols."""


class _Kept(msgspec.Struct):
    day: str
    tickers: Tickers


@dataclass(frozen=True, slots=True, kw_only=True)
class SecSource:
    """Current filings. `contact` is what the User-Agent names; `cache`: folder in which the list of tickers is kept for a day."""

    name: str
    entry: SecEntry
    contact: str
    cache: Path | None = None
    live: bool = True
    past: bool = False

    def pages(self, window: Window, at: Cursor | None, ask: Ask) -> Iterator[Page]:
        """Pages of filings until one is older than `window.start`.

        Raises:
            SourceRefusedError: there is no contact; nothing was asked.
        """
        if not self.contact:
            raise SourceRefusedError(
                "The SEC refuses programs that do not say whom to write to.",
                remedy="Set SENTIMENT_CONTACT to a mail address; it becomes part of the User-Agent.",
            )
        start: int = at["start"] if at else 0
        seen = set[str | None]()
        tickers: Tickers | None = None
        note = None
        while True:
            feed = self._filings(start, ask)
            items = feed.items
            if items and tickers is None:
                tickers, note = self._tickers(window, ask)
            oldest = min((item.published_at for item in items if item.published_at), default=None)
            start += len(items)
            # A page with fewer filings than were asked for need not be the last one.
            is_new = not seen.issuperset(item.guid for item in items)
            seen.update(item.guid for item in items)
            more = is_new and oldest is not None and oldest >= window.start
            yield Page(
                tuple(_filing(item, tickers or {}) for item in items),
                {"start": start} if more else None,
                note=_notes(note, feed.note),
            )
            if not more:
                return

    def _filings(self, start: int, ask: Ask) -> ParsedFeed:
        query = urlencode({"start": start, "count": self.entry.page_size})
        fetched = ask.get(f"{self.entry.url}{'&' if '?' in self.entry.url else '?'}{query}")
        return ask.read_feed(fetched, self.name, self.entry)

    def _tickers(self, window: Window, ask: Ask) -> tuple[Tickers, str | None]:
        kept_at = self.cache / f"{self.name}-tickers.json" if self.cache else None
        today = f"{window.end:%Y-%m-%d}"
        kept = _kept(kept_at)
        if kept and kept.day == today:
            return kept.tickers, None
        try:
            tickers = _company_tickers(ask.get(self.entry.tickers_url).body)
        except (SourceRefusedError, SourceUnreachableError, NotAFeedError) as error:
            # Filings without symbols are worth more than no filings.
            return kept.tickers if kept else {}, f"list of tickers: {error.message}"
        if kept_at:
            kept_at.parent.mkdir(parents=True, exist_ok=True)
            fresh = kept_at.with_suffix(".new")
            fresh.write_bytes(msgspec.json.encode(_Kept(today, tickers)))
            fresh.replace(kept_at)
        return tickers, None


def _notes(*notes: str | None) -> str | None:
    return "; ".join(filter(None, notes)) or None


def _kept(path: Path | None) -> _Kept | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Kept) if path else None
    except (OSError, msgspec.MsgspecError):
        return None


def _company_tickers(body: bytes) -> Tickers:
    """The SEC's company_tickers.json: an object of objects with `cik_str` and `ticker`."""
    try:
        rows = msgspec.json.decode(body, type=dict[str, dict[str, str | int]])
    except (msgspec.MsgspecError, RecursionError) as error:
        raise NotAFeedError(f"it cannot be read: {error}.", remedy="Check `tickers_url` of the source.") from error
    tickers: Tickers = {}
    for row in rows.values():
        if known := symbol(row.get("ticker")):
            tickers.setdefault(str(row.get("cik_str")), []).append(known)
    return tickers


def _filing(item: RawItem, tickers: Tickers) -> RawItem:
    named = _TITLE.fullmatch(item.title or "")
    if named is None:
        return item
    cik = named["cik"]
    accession = _ACCESSION.search(item.guid or "")
    form_items = _FORM_ITEM.findall(item.summary or "")
    return msgspec.structs.replace(
        item,
        # A filing stands in the feed once for each company in it.
        guid=f"{accession[1]}/{cik}" if accession else item.guid,
        outlet=named["company"],
        tickers=tuple(tickers.get(cik.lstrip("0"), ())),
        summary=" ".join(form_items) or item.summary,
        language=item.language or "en",
    )
