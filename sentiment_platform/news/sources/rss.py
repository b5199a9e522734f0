"""RSS and Atom feeds: one page, what is there now. Whatever window is asked for, a feed has only its newest items."""

from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from sentiment_platform.news.items import RawItem
from sentiment_platform.news.sources.entries import RssEntry
from sentiment_platform.news.sources.protocol import Ask, Cursor, Page, Window

_TITLE_CHARACTERS = 300


@dataclass(frozen=True, slots=True)
class RssSource:
    """A feed under the name that its articles carry."""

    name: str
    entry: RssEntry
    live: bool = True
    past: bool = False

    def pages(self, window: Window, at: Cursor | None, ask: Ask) -> Iterator[Page]:
        """The feed as it is now; `window` and `at` mean nothing to it."""
        del window, at
        fetched = ask.get(self.entry.url, conditional=True)
        if fetched.not_modified:
            yield Page((), not_modified=True)
            return
        feed = ask.read_feed(fetched, self.name, self.entry)
        yield Page(tuple(map(_titled, feed.items)) if self.entry.title_from_summary else feed.items, note=feed.note)


def _titled(item: RawItem) -> RawItem:
    if not item.summary:
        return item
    text = item.summary
    if len(text) > _TITLE_CHARACTERS:
        text = text[:_TITLE_CHARACTERS].rpartition(" ")[0] or text[:_TITLE_CHARACTERS]
    return msgspec.structs.replace(item, title=text)
