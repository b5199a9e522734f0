"""The one way to write a Markdown table: cells may hold what people wrote."""

from collections.abc import Iterable, Sequence


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[object]], empty: str = "") -> str:
    """A table with one line for each of `rows`; `empty` where there are none. A cell is shown as `str` shows it, on one line.

    Raises:
        ValueError: a row has more or fewer cells than the header.
    """
    lines = [_line(row) for row in rows if _fits(header, row)]
    return "\n".join([_line(header), _line(["---"] * len(header)), *lines]) if lines else empty


def _fits(header: Sequence[str], row: Sequence[object]) -> bool:
    if len(row) != len(header):
        raise ValueError(f"{len(row)} cells under {len(header)} headings: {row!r}")
    return True


def _line(cells: Sequence[object]) -> str:
    return "| " + " | ".join(" ".join(str(cell).replace("|", "\\|").split()) for cell in cells) + " |"
