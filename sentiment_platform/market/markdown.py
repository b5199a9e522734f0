"""Prices as Markdown, for people who look at the asset."""

from collections.abc import Mapping, Sequence

from sentiment_platform.markdown_tables import markdown_table
from sentiment_platform.market.outcomes import REASONS
from sentiment_platform.market.prices import StoredPrices
from sentiment_platform.market.symbol_exchange import exchange_of
from sentiment_platform.store.market import Coverage
from sentiment_platform.store.splits import Question


def fetched_table(fetched: Sequence[StoredPrices], note: str) -> str:
    """A row a symbol that was asked for, or why none was."""
    if not fetched:
        return f"Nothing was fetched: {note or 'no session has closed in these days'}."
    header = ("symbol", "exchange", "fetched", "new", "revised", "unchanged", "of another source", "refused", "failure")
    rows = [
        (
            one.name,
            exchange_of(one.name),
            one.fetched,
            w.new,
            w.revised,
            w.unchanged,
            w.of_another_source,
            one.refused,
            one.failure or "-",
        )
        for one in fetched
        for w in (one.written,)
    ]
    return markdown_table(header, rows)


def coverage_table(coverage: Sequence[Coverage]) -> str:
    """A row a symbol."""
    rows = [(c.symbol, exchange_of(c.symbol), c.source, c.first, c.last, c.bars, c.revised) for c in coverage]
    return markdown_table(("symbol", "exchange", "source", "first", "last", "bars", "revised"), rows, "No prices yet.")


def questions_list(questions: Sequence[Question]) -> str:
    """Each open question about a split, with the two commands that answer it."""
    return "\n".join(f"- {one.words}" for one in questions) or "none"


def reasons_told(without: Mapping[str, int]) -> str:
    """A line a reason for no outcome, the most frequent first, each after a line break; empty where there is none."""
    counted = sorted(((without.get(reason, 0), meaning) for reason, meaning in REASONS.items()), reverse=True)
    return "".join(f"\n{count:,} without one: {meaning}." for count, meaning in counted if count)
