"""Cells of any type, and what a program printed of them, into the texts that may be symbols. Not here: what the texts mean (`symbols.py`)."""

import ast
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from sentiment_platform.symbol_spelling import exchange_before

LONGEST_TEXT = 64
"""Characters that a person needs at most to write one symbol."""
MOST = 200
"""So many symbols are read of one cell."""

_LONGEST_NUMBER = 64
"""Bits; Python refuses to write very long numbers out."""


def texts_of(cell: object) -> Iterator[str]:
    """The texts of a cell: of a list each, of an object the one that its keys call a symbol, with the exchange that they name."""
    if isinstance(cell, list | tuple | set):
        parts: list[Any] = list(cell)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]  cells of any type
        for part in parts:
            yield from texts_of(part)
    elif isinstance(cell, dict):
        named: dict[str, Any] = {str(name).lower(): value for name, value in cell.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
        known = next((named[name] for name in ("symbol", "ticker", "code", "symbols", "tickers") if name in named), None)
        exchange = next((str(named[name]) for name in ("exchange", "mic", "market") if named.get(name)), "")
        before = exchange if isinstance(known, str) and exchange_before(exchange.upper(), known) and ":" not in known else ""
        yield from texts_of(f"{before}:{known}" if before else known)
    elif isinstance(cell, float) and cell.is_integer():
        yield str(int(cell))
    elif isinstance(cell, int) and cell.bit_length() > _LONGEST_NUMBER:
        yield "<a long number>"
    elif cell is not None and not isinstance(cell, bool):
        yield from _of_text(str(cell))


def _of_text(text: str) -> Iterator[str]:
    """The texts of a text: what a program printed of a list of objects is read as that."""
    if "{" in text and ":" in text and len(text) <= LONGEST_TEXT * MOST:
        with suppress(ValueError, SyntaxError, RecursionError, MemoryError):
            yield from texts_of(ast.literal_eval(re.sub(r"\b(null|true|false)\b", "None", text.strip())))
            return
    yield text
