"""How commands speak: words, tables and JSON. Commands use this file and never rich, so that text of others is safe in one place.

A `str` is printed as the text it is: brackets are no markup, and control characters lose their power (`harmless`). Style comes from
`styled` alone. In a terminal, lines fit it; piped, every line is whole, plain and one record. Errors are in `failures.py`.
"""

import json
import os
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from typing import Any

import click
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text as Text

Cell = str | Text | int | date | None
"""What a table takes: counts get thousands separators, times are shown in UTC to the minute, None is empty."""

POWERFUL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\U000e0000-\U000e007f]"
)
"""Characters that a terminal obeys or hides instead of showing them: controls except tab and line feed, bidi overrides, tags."""

_LONGEST_WORD = 18
"""Longer words, such as addresses, may be broken to fit a terminal."""


def harmless(text: str) -> str:
    r"""The text with every powerful character written out, such as `\x1b`."""
    return POWERFUL.sub(lambda match: match[0].encode("unicode_escape").decode(), text)


def counted(number: int, noun: str) -> str:
    """`1 row`, `2,000 rows`: a noun whose plural ends in s, with how many there are."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def styled(text: object, style: str) -> Text:
    """Text in a style of rich's, such as `bold red`; the only way to colour anything."""
    return Text(harmless(str(text)), style)


def joined(*parts: str | Text, style: str = "") -> Text:
    """One text of several, each in its own style."""
    return Text.assemble(*(part if isinstance(part, Text) else harmless(part) for part in parts), style=style)


class PlainConsole(Console):
    """A console that reads no markup, and breaks lines only for a terminal."""

    def __init__(self, *, stderr: bool = False) -> None:
        plain = bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
        super().__init__(stderr=stderr, highlight=False, emoji=False, color_system=None if plain else "auto")
        # rich freezes COLUMNS and LINES when the console is made; the size that counts is that of the moment of printing.
        self._width = self._height = None

    def render_str(self, text: str, *, style: Any = "", justify: Any = None, overflow: Any = None, **_: Any) -> Text:
        """Whatever rich meets as a `str`, in a line, a cell or a title, becomes text here."""
        return Text(harmless(text), style, justify=justify, overflow=overflow)

    def on_broken_pipe(self) -> None:
        """Let the program end silently, as click does."""
        raise BrokenPipeError(32, "The reader of the output has gone.")

    @property
    def whole_lines(self) -> bool:
        """Whether a program reads this: colours may be forced (FORCE_COLOR), a width may not."""
        return not self.file.isatty()

    def say(self, *parts: str | Text, style: str = "") -> None:
        """Print the parts as one line, or as lines where they hold line feeds."""
        self.print(joined(*parts, style=style), soft_wrap=self.whole_lines)


out = PlainConsole()
err = PlainConsole(stderr=True)
say = out.say
"""What was asked for, on stdout."""
note = err.say
"""What is said beside it, on stderr: progress, hints, warnings; a pipe does not carry it."""


def show_table(
    columns: Sequence[str], rows: Iterable[Sequence[Cell]], *, title: str = "", empty: str = "", show_header: bool = True
) -> None:
    """Print rows under their columns; without rows only `empty`, which says what to do next.

    A terminal that is too narrow for the columns gets one block a row. A pipe gets one line a row, cells as long as they are, two
    spaces between columns.
    """
    cells = [[cell(value) for value in row] for row in rows]
    widths = [_least_width(name, [row[i] for row in cells]) for i, name in enumerate(columns)]
    if not cells and empty:
        note(empty)
    elif out.whole_lines:
        _print_lines(columns if show_header else None, cells, title)
    elif out.width < 1 + sum(3 + width for width in widths):
        _print_blocks(columns, cells, title)
    else:
        table = Table(title=title or None, title_justify="left", show_header=show_header)
        for name, width in zip(columns, widths, strict=True):
            table.add_column(harmless(name), overflow="fold", min_width=width)
        for row in cells:
            table.add_row(*row)
        out.print(table)


def print_json(value: object) -> None:
    """Print one JSON document, and nothing else: times as ISO 8601, numbers as numbers."""
    import msgspec

    encoded = msgspec.json.Encoder(enc_hook=_plain_numbers, decimal_format="number").encode(value)
    if not out.whole_lines:
        encoded = msgspec.json.format(encoded, indent=2)
    click.echo(POWERFUL.sub(lambda match: json.dumps(match[0])[1:-1], encoded.decode()))


def _plain_numbers(value: Any) -> object:
    """What numpy has."""
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{type(value)} has no form in JSON.")


def cell(value: Cell) -> Text:
    """A value as a table shows it."""
    if isinstance(value, Text):
        return value
    if isinstance(value, datetime):
        return Text(f"{value.astimezone(UTC):%Y-%m-%d %H:%M}")
    if isinstance(value, int) and not isinstance(value, bool):
        return Text(f"{value:,}", justify="right")
    return Text("" if value is None else harmless(str(value)))


def _least_width(name: str, cells: Sequence[Text]) -> int:
    return min(
        _LONGEST_WORD, max(cell_len(word) for text in (name, *(one.plain for one in cells)) for word in text.split() or [""])
    )


def _print_lines(columns: Sequence[str] | None, cells: Sequence[Sequence[Text]], title: str) -> None:
    lines = [[" ".join(one.plain.split()) for one in row] for row in cells]
    lines = [list(columns), *lines] if columns else lines
    widths = [max(map(cell_len, column)) for column in zip(*lines, strict=True)]
    if title:
        say(title)
    for line in lines:
        say("  ".join(text + " " * (width - cell_len(text)) for text, width in zip(line, widths, strict=True)).rstrip())


def _print_blocks(columns: Sequence[str], cells: Sequence[Sequence[Text]], title: str) -> None:
    if title:
        say(title, style="italic")
    for row in cells:
        for name, text in zip(columns, row, strict=True):
            if text.plain:
                say(styled(f"{name}: ", "bold"), text)
        say("")
