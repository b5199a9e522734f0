"""How far a source has been collected: the windows that are done, and the places at which one was cut off.

Kept as JSON in the state of the source. A window that a quota or the bound of pages cut off is finished before a new one begins, and
a new one begins before the end of the last: ticks that were missed are made up, and what came late is seen.
"""

from datetime import datetime, timedelta
from typing import Any

import msgspec

from sentiment_platform.news.sources.entries import Entry
from sentiment_platform.news.sources.protocol import Cursor, Window


class Place(msgspec.Struct, frozen=True):
    """A window [start, end), aware UTC, and where in it to go on (None: from its beginning)."""

    start: datetime
    end: datetime
    at: Cursor | None = None

    @property
    def window(self) -> Window:
        """The window alone."""
        return Window(self.start, self.end)


class Progress(msgspec.Struct, frozen=True, omit_defaults=True):
    """`until`: end of the last finished window of the regular collection; `pending` and `backfill`: what was cut off of each kind."""

    until: datetime | None = None
    pending: Place | None = None
    backfill: Place | None = None

    @classmethod
    def read(cls, cursor: dict[str, Any] | None) -> "Progress":
        """From the JSON that is kept; what another version wrote and this one cannot read is forgotten, and asked for again."""
        try:
            return msgspec.convert(cursor or {}, cls)
        except msgspec.ValidationError:
            return cls()

    def kept(self) -> dict[str, Any] | None:
        """As JSON; None when there is nothing to keep."""
        return msgspec.to_builtins(self) or None

    def next_live(self, entry: Entry, now: datetime) -> Place:
        """What the regular collection asks for now: what was cut off, else everything since the last window."""
        if self.pending:
            return self.pending
        if self.until is None:
            return Place(now - timedelta(hours=entry.lookback_h), now)
        start = max(self.until - timedelta(hours=entry.overlap_h), now - timedelta(days=entry.history_d))
        return Place(min(start, now), now)

    def after_live(self, place: Place, next_: Cursor | None) -> "Progress":
        """After a page of `place`; `next_` None: the window is done."""
        if next_ is None:
            return msgspec.structs.replace(self, until=place.end, pending=None)
        return msgspec.structs.replace(self, until=self.until or place.start, pending=Place(place.start, place.end, next_))

    def next_past(self, window: Window) -> Place:
        """Where a backfill of `window` goes on, or begins."""
        kept = self.backfill
        return kept if kept and kept.window == window else Place(window.start, window.end)

    def after_past(self, place: Place, next_: Cursor | None) -> "Progress":
        """After a page of a backfill."""
        return msgspec.structs.replace(self, backfill=Place(place.start, place.end, next_) if next_ is not None else None)

    def without(self, place: Place) -> "Progress":
        """After the source refused to go on at `place`: its window is asked for anew, from the beginning."""
        return msgspec.structs.replace(
            self,
            pending=None if self.pending == place else self.pending,
            backfill=None if self.backfill == place else self.backfill,
        )
