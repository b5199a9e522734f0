"""Files of dated news as a source for backfills: `run collect_job --from DAY --to DAY` takes the rows of those days from them."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

from sentiment_platform.news.archive import BATCH_ROWS, ColumnMap, archive_items
from sentiment_platform.news.sources.protocol import Ask, Cursor, Page, Window
from sentiment_platform.text_files.written import Written
from sentiment_platform.times.assumed import AssumedClock
from sentiment_platform.times.reading import UNSTATED
from sentiment_platform.times.stated import Stated


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveSource:
    """A file under the name that its articles carry."""

    name: str
    path: Path
    columns: ColumnMap
    stated: Stated = UNSTATED
    written: Written = field(default_factory=Written)
    live: bool = False
    past: bool = True

    def pages(self, window: Window, at: Cursor | None, ask: Ask) -> Iterator[Page]:
        """Rows published in `window`, BATCH_ROWS a page; rows without a readable time belong to every window, to be refused there.

        Always from the first row: the file may have changed since, and what is stored already is a duplicate.
        """
        del at, ask
        assumed = AssumedClock(self.stated, "`zone` in its entry")
        written = replace(self.written, guessed=[])
        rows = archive_items(self.path, self.columns, self.name, stated=self.stated, assumed=assumed, written=written)
        wanted = (row for row in rows if row.published_at is None or window.start <= row.published_at < window.end)
        batch, done = tuple(islice(wanted, BATCH_ROWS)), 0
        while True:
            following = tuple(islice(wanted, BATCH_ROWS))
            done += len(batch)
            yield Page(
                batch, next={"rows": done} if following else None, note=None if following else self._note(assumed, written)
            )
            if not following:
                return
            batch = following

    @staticmethod
    def _note(assumed: AssumedClock, written: Written) -> str | None:
        return " ".join(filter(None, (assumed.note(), written.note()))) or None
