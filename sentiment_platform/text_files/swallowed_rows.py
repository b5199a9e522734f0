"""Rows that a cell has swallowed: a quotation mark opened it, and a mark of a later row closed it.

Texts have lines too, so a line inside of a cell is taken for a row only where it has as many cells as the rows of the file, and one of
them is written as that column was before: a date in the same form, the same word.
"""

import csv
import re
from collections.abc import Iterable, Sequence
from io import StringIO

_LONGEST = 40
"""Characters of a cell whose form says something."""
_DIGIT = re.compile(r"\d")


def swallowed(lines: Sequence[str], before: Iterable[Sequence[str]], delimiter: str) -> str | None:
    """The first line of a row of several lines that is a row itself; None where there is none.

    Args:
        lines: of the row, as they stand in the file. before: rows before it, the header or others.
    """
    earlier = list(before)
    width = len(earlier[0]) if earlier else 0
    if width < 2:
        return None
    inner = [(line, cells) for line in lines[1:-1] if len(cells := _cells(line, delimiter)) == width]
    # The end of a text and the cells after it look like a row as well; what stands before them does not.
    opened_at, last = len(_cells(lines[0], delimiter)) - 1, _cells(lines[-1], delimiter)
    if len(last) == width:
        closed = width if _opens(lines[-1], delimiter) else opened_at
        inner.append((lines[-1], [*last[:closed], *[""] * (width - closed)]))
    if not inner:
        return None
    forms: list[set[str]] = [
        {form for row in earlier[1:] if place < len(row) and (form := _form(row[place]))} for place in range(width)
    ]
    among: list[dict[str, int]] = [{} for _ in range(width)]
    for _, cells in inner:
        for place, cell in enumerate(cells):
            if _DIGIT.search(cell) and (form := _form(cell)):
                among[place][form] = among[place].get(form, 0) + 1
    for line, cells in inner:
        for place, cell in enumerate(cells):
            form = _form(cell)
            if form and (form in forms[place] or among[place].get(form, 0) > 1):
                return line
    return None


def _cells(line: str, delimiter: str) -> list[str]:
    return next(csv.reader(StringIO(line, newline=""), delimiter=delimiter, skipinitialspace=delimiter != " "), [])


def _form(cell: str) -> str:
    """What cells of one column share; empty where the cell is empty or a text."""
    text = cell.strip()
    return _DIGIT.sub("0", text.lower()) if len(text) <= _LONGEST else ""


def _opens(line: str, delimiter: str) -> bool:
    """Whether the first quotation mark of a line was to open a cell: it stands where one begins, and text follows."""
    apart = re.escape(delimiter)
    return re.match(rf'(?:[^"]*{apart})?[ \t]*"(?!["\s]|{apart})', line) is not None
