"""Markdown tables of what was collected, as Dagster's metadata and the command line show them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from sentiment_platform.store.news import CollectionReport, StoryOutline


def reports_table(reports: Sequence[CollectionReport]) -> str:
    """One line a source: fetched = stored + duplicate + quarantined, the outcome and its reason."""
    rows = [
        (r.source, f"{r.fetched:,}", f"{r.stored:,}", f"{r.duplicate:,}", f"{r.quarantined:,}", r.outcome, r.detail or "")
        for r in reports
    ]
    return _table(("source", "fetched", "stored", "duplicate", "quarantined", "outcome", "detail"), rows, "Nothing was fetched.")


def counts_table(counts: Mapping[str, int] | Mapping[date, int], name: str) -> str:
    """One line a key, under the heading `name`, with its number of articles."""
    return _table((name, "articles"), [(str(key), f"{count:,}") for key, count in counts.items()], "No articles.")


def stories_preview(stories: Sequence[StoryOutline]) -> str:
    """One line a story: headline of its first article, how many articles tell it, which outlets."""
    rows = [(told.title, f"{told.articles:,}", ", ".join(told.outlets)) for told in stories]
    return _table(("story", "articles", "outlets"), rows, "No articles.")


def _table(header: Sequence[str], rows: Iterable[Sequence[str]], empty: str) -> str:
    lines = [_line(row) for row in rows]
    return "\n".join([_line(header), _line(["---"] * len(header)), *lines]) if lines else empty


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"
