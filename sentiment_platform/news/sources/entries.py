"""What an entry of the catalogue may say: one struct a kind. Unknown keys, missing keys and wrong types are errors.

Not here: reading the files (`sources.catalogue`), doing what an entry says (`sources.rss`, `sec`, `json_api`, `archive`).
"""

import re
from typing import Annotated

import msgspec

from sentiment_platform.text_files.written import Written, written_as
from sentiment_platform.times.stated import Stated, stated_clock

Positive = Annotated[int, msgspec.Meta(ge=1)]
PositiveNumber = Annotated[float, msgspec.Meta(gt=0)]
Address = Annotated[str, msgspec.Meta(pattern=r"^https?://[^\s/]+")]
Variable = Annotated[str, msgspec.Meta(pattern=r"^[A-Z][A-Z0-9_]*$")]


class Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind"):
    """What every kind of source says of itself.

    `enabled`: whether it is on without being named in SENTIMENT_SOURCES. `verified`: whether a recorded reply of the source is tested.
    `quota_per_day`: requests from midnight to midnight UTC. `pages_per_run`: pages in one collection, and for each day of a backfill.
    """

    title: str
    enabled: bool = False
    verified: bool = False
    documentation: str = ""
    quota_per_day: Positive | None = None
    pages_per_run: Positive = 5
    requests_per_s: PositiveNumber = 1.0
    interval_min: Positive = 1
    """Minutes between two collections; a source that is asked at every tick has 1."""
    lookback_h: PositiveNumber = 24.0
    """Hours that the first collection reaches back."""
    overlap_h: Annotated[float, msgspec.Meta(ge=0)] = 1.0
    """Hours of the last window that are asked for again, because items come late."""
    history_d: PositiveNumber = 30.0
    """Days that the regular collection reaches back at most after an outage."""
    zone: str = "UTC"
    """The clock of times that name none, as an IANA name (`America/New_York`)."""
    date_format: str = ""
    """How days are written: strptime's codes, or `day-first`, `month-first`, `year-first`. Empty: only what reads one way."""

    def __post_init__(self) -> None:
        for key, zone, date_format in (("zone", self.zone, ""), ("date_format", "UTC", self.date_format)):
            try:
                stated_clock(zone, date_format)
            except ValueError as error:
                raise ValueError(f"`{key}` {error}") from error

    def stated(self) -> Stated:
        """What the entry says of its times."""
        return stated_clock(self.zone, self.date_format)


class RssEntry(Entry, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="rss"):
    """An RSS or Atom feed. `title_from_summary`: posts without headlines take the beginning of their text."""

    url: Address
    title_from_summary: bool = False


class SecEntry(Entry, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="sec"):
    """The current filings of EDGAR. `tickers_url`: the SEC's own list of CIK numbers and ticker symbols."""

    url: Address
    tickers_url: Address
    page_size: Positive = 100


class ArchiveEntry(Entry, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="archive"):
    """A file of dated news. `path` is relative to the file of the entry, `columns` as for `news import --map`. `encoding`, `delimiter`: as
    for `news import`; empty: found in the file.
    """

    path: str
    columns: str
    encoding: str = ""
    delimiter: str = ""
    pages_per_run: Positive = 1_000_000

    def __post_init__(self) -> None:
        super().__post_init__()
        for key, given in (("encoding", (self.encoding, "")), ("delimiter", ("", self.delimiter))):
            try:
                written_as(*given)
            except ValueError as error:
                raise ValueError(f"`{key}`: {error}") from error

    def written(self) -> Written:
        """What the entry says of how its file is written."""
        return written_as(self.encoding, self.delimiter)


class Auth(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the key is shown: in a `header` or as a `query` parameter. `variable` names the environment variable that holds it."""

    variable: Variable
    header: str | None = None
    query: str | None = None
    format: str = "{key}"

    def __post_init__(self) -> None:
        if (self.header is None) == (self.query is None):
            raise ValueError("needs either `header` or `query`")
        if self.format.count("{key}") != 1 or re.search(r"[{}]", self.format.replace("{key}", "")):
            raise ValueError("`format` must hold {key} once, and no other braces")


class TimeWindow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Names of the parameters for the window. `format`: strftime's codes (UTC), `unix` or `unix_ms`."""

    start: str
    end: str | None = None
    format: str = "%Y-%m-%dT%H:%M:%SZ"
    end_extra_h: float = 0.0
    """Hours added to the end, for sources that count whole days or leave the end out."""


class NoPaging(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="none"):
    """One reply holds everything."""


class PageNumbers(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="page"):
    """Pages are numbered from `first`. `size`: items of a page as asked for; a vendor's plan may give fewer. `max_items`: the most that
    the vendor gives of one window.
    """

    parameter: str
    size: Positive
    first: int = 1
    max_items: Positive | None = None


class Offsets(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="offset"):
    """The number of items to leave out; `size` and `max_items` as for pages."""

    parameter: str
    size: Positive
    max_items: Positive | None = None


class Cursors(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="cursor"):
    """The reply names the next page at the path `at`; it is sent back as `parameter`."""

    parameter: str
    at: str


class NextUrls(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="next_url"):
    """The reply holds the whole address of the next page at the path `at`."""

    at: str


class ByTime(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="time"):
    """The oldest items come first, about `size` of them; a page is followed by a window that starts at its newest item."""

    size: Positive


class FieldMap(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Paths in one item: names joined by dots; `name[]` goes through a list. Nothing else of a reply is ever kept."""

    title: str
    published_at: str
    id: str | None = None
    summary: str | None = None
    url: str | None = None
    outlet: str | None = None
    language: str | None = None
    tickers: str | None = None


class JsonApiEntry(Entry, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="json_api"):
    """Any vendor that answers a GET with JSON.

    `items_at`: path of the list of items, empty when the reply is the list. `error_at`: paths at which the vendor explains a refusal
    inside an answer with status 200. `count_at` and `total_at`: paths of the number of items in the reply and in the whole window.
    `is_lenient`: whether escapes that JSON does not know are read as what they stand before. `language`: of every item.
    `ticker_pattern`: which to keep.
    """

    url: Address
    fields: FieldMap
    items_at: str = ""
    error_at: tuple[str, ...] = ()
    count_at: str | None = None
    total_at: str | None = None
    is_lenient: bool = False
    parameters: dict[str, str | int | bool | list[str]] = {}
    auth: Auth | None = None
    window: TimeWindow | None = None
    paging: NoPaging | PageNumbers | Offsets | Cursors | NextUrls | ByTime = NoPaging()
    language: str | None = None
    ticker_pattern: str = "."

    def __post_init__(self) -> None:
        super().__post_init__()
        if isinstance(self.paging, ByTime) and self.window is None:
            raise ValueError("paging by time needs `window`")
        try:
            re.compile(self.ticker_pattern)
        except re.error as error:
            raise ValueError(f"`ticker_pattern` is no regular expression: {error}") from error


AnyEntry = RssEntry | SecEntry | ArchiveEntry | JsonApiEntry
