"""Archives of dated news into the database: a column map, and a bounded, repeatable import.

Not here: reading the file formats (`news.tabular`), the contract and the writing (`news.admission`).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from datetime import datetime
from itertools import islice
from pathlib import Path

from sqlalchemy import Engine

from sentiment_platform.news.admission import Tally, store_items
from sentiment_platform.news.errors import ArchiveError
from sentiment_platform.news.items import RawItem, tidy
from sentiment_platform.news.parsing.markup import plain_text
from sentiment_platform.news.quality import Refusal
from sentiment_platform.news.tabular import Column, MisfitRow, read_rows
from sentiment_platform.store.articles import noted_articles
from sentiment_platform.store.collection_reports import CollectionReport, record_collection
from sentiment_platform.symbols import symbol_texts
from sentiment_platform.text_files.maps import parse_map
from sentiment_platform.text_files.written import Written
from sentiment_platform.times.assumed import AssumedClock
from sentiment_platform.times.reading import UNSTATED, read_time
from sentiment_platform.times.stated import Stated

BATCH_ROWS = 5_000
MORE_CELLS = "more cells than the header has"


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnMap:
    """Which column of an archive holds what; None where it has no such column."""

    title: Column
    published_at: Column
    summary: Column | None = None
    tickers: Column | None = None
    url: Column | None = None
    outlet: Column | None = None
    language: Column | None = None

    @property
    def present(self) -> dict[str, Column]:
        """Field -> column, for the columns there are."""
        pairs = ((item.name, getattr(self, item.name)) for item in fields(self))
        return {name: column for name, column in pairs if column is not None}


def parse_mapping(text: str) -> ColumnMap:
    """`title=Headlines,published_at=Time,...` by header, or `title=1,published_at=0` by position in a file without header.

    Raises:
        ArchiveError: an unknown or repeated field, a missing one of `title` and `published_at`, or names mixed with positions.
    """
    known = [item.name for item in fields(ColumnMap)]
    remedy = f"The map is `field=column,...`; fields are {', '.join(known)}; title and published_at are needed. A name that holds ,x= stands in quotes."
    try:
        named = parse_map(text, known)
    except ValueError as error:
        raise ArchiveError(f"The column map cannot use {str(error)!r}.", remedy=remedy) from error
    columns: dict[str, Column] = {name: int(column) if column.isdecimal() else column for name, column in named.items()}
    if not {"title", "published_at"} <= columns.keys() or len({type(column) for column in columns.values()}) != 1:
        raise ArchiveError(f"The column map {text!r} is incomplete, or mixes names with positions.", remedy=remedy)
    return ColumnMap(**columns)  # pyright: ignore[reportArgumentType]  title and published_at were looked for above


def import_archive(
    path: Path,
    mapping: ColumnMap,
    *,
    source: str,
    engine: Engine,
    run_id: str,
    now: datetime,
    stated: Stated = UNSTATED,
    assumed: AssumedClock | None = None,
    written: Written | None = None,
    progress: Callable[[int], None] | None = None,
    tell_refusal: Callable[[Refusal], None] = lambda _: None,
) -> CollectionReport:
    """Import an archive under the name `source`; a second import of the same file stores nothing.

    An archive's articles count as available from their publication on, from the end of the day where it names only the day. Each
    batch of BATCH_ROWS items is one transaction, so an interrupted import is finished by running it again. Empty rows are no
    items. `stated`: clock and shape of its times; `assumed` counts those without a clock. `written`: encoding and
    delimiter. `progress` is told the items done so far,
    `tell_refusal` each refusal.

    Raises:
        ArchiveError: the file or the map is unusable; batches before the place of the error are stored.
    """
    blank = 0

    def skipped() -> None:
        nonlocal blank
        blank += 1

    total, pending = Tally(), archive_items(path, mapping, source, stated=stated, assumed=assumed, written=written, empty=skipped)
    while batch := list(islice(pending, BATCH_ROWS)):
        with engine.begin() as connection:
            total += store_items(connection, batch, run_id=run_id, now=now, archived=True, tell_refusal=tell_refusal)
        if progress:
            progress(total.fetched)
    with engine.begin() as connection:
        noted = noted_articles(connection, run_id)
        said = [f"{blank:,} empty rows left out"] if blank else []
        said += [f"{noted:,} articles with a note on a field that could not be kept as it was"] if noted else []
        said += [f"{total.retimed:,} of the duplicates are stored with another time, which stays"] if total.retimed else []
        report = total.report(source, run_id, "imported", f"{path.name}: {', '.join(said)}" if said else path.name, now)
        record_collection(connection, report)
    return report


def archive_items(
    path: Path,
    mapping: ColumnMap,
    source: str,
    *,
    stated: Stated = UNSTATED,
    assumed: AssumedClock | None = None,
    written: Written | None = None,
    empty: Callable[[], None] | None = None,
) -> Iterator[RawItem]:
    """The rows of an archive as items, in order; `empty` is told of each row without a value, which is no item.

    Raises:
        ArchiveError: the file or the map is unusable.
    """
    names = list(mapping.present)
    for position, cells in enumerate(read_rows(path, list(mapping.present.values()), written), start=1):
        if isinstance(cells, MisfitRow):
            whole = " | ".join(map(str, cells))
            yield RawItem(source=source, origin=path.name, position=position, title=tidy(whole), problem=MORE_CELLS)
            continue
        row = dict(zip(names, cells, strict=True))
        if all(tidy(cell) is None for cell in cells):
            if empty:
                empty()
            continue
        published = read_time(row["published_at"], stated)
        if assumed:
            assumed.add(published)
        yield RawItem(
            source=source,
            origin=path.name,
            position=position,
            title=plain_text(row["title"]),
            summary=plain_text(row.get("summary")),
            url=tidy(row.get("url")),
            outlet=plain_text(row.get("outlet")),
            language=tidy(row.get("language")),
            tickers=symbol_texts(row.get("tickers")),
            published_at=published.at if published else None,
            published_text=tidy(row["published_at"]),
            day_only=published is not None and published.day_only,
            zone=str(stated.zone),
        )
