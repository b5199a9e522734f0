"""What a source is: something that can be asked for a window of time and gives raw items, page by page.

Here: the words between the kinds of source and those who collect from them. Not here: when a source is asked, what is remembered of
it and what becomes of its items (`news.collect`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sentiment_platform.fetching.http import Fetched
from sentiment_platform.news.items import RawItem
from sentiment_platform.news.parsing.parse import ParsedFeed
from sentiment_platform.news.sources.entries import Entry

Cursor = dict[str, Any]
"""Where a source goes on in a window, in its own words; JSON, and never with a key in it."""


@dataclass(frozen=True, slots=True)
class Window:
    """Publication times that are asked for: [start, end), aware UTC. A source may give more than was asked for."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Page:
    """Items of one step through a window. `next`: where to go on, None when the window is done.

    `not_modified`: nothing has changed since the last success. `note`: what a person should read in the report.
    """

    items: tuple[RawItem, ...]
    next: Cursor | None = None
    not_modified: bool = False
    note: str | None = None


class Ask(Protocol):
    """How a source reaches its server and has feeds parsed; both may be refused, and every GET counts against the daily quota."""

    def get(self, url: str, *, headers: Mapping[str, str] | None = None, conditional: bool = False) -> Fetched:
        """GET `url`, politely. `headers` may hold keys; `conditional`: with the validators of the last success, if they are any good."""
        ...

    def read_feed(self, fetched: Fetched, source: str, entry: Entry) -> ParsedFeed:
        """An RSS or Atom document, read in a process of its own; `entry` says on which clock its times are."""
        ...


class Source(Protocol):
    """A configured source. `live`: asked at every tick for what is new; `past`: can be asked for any window of the past."""

    @property
    def name(self) -> str:
        """The name that its articles carry as `source`."""
        ...

    @property
    def live(self) -> bool:
        """Whether the regular collection asks it."""
        ...

    @property
    def past(self) -> bool:
        """Whether a backfill asks it."""
        ...

    def pages(self, window: Window, at: Cursor | None, ask: Ask) -> Iterator[Page]:
        """The pages of a window in order, from `at` (the `next` of an earlier page) or from its beginning.

        Lazy: the caller stops when it has had enough, and comes back with the last `next`.

        Raises:
            SourceRefusedError, SourceUnreachableError, NotAFeedError: of one page; the pages before it stay valid.
        """
        ...
