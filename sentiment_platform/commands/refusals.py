"""How an import of rows ends: the first refusals with their values, the command that shows the rest, and failure where nothing was kept."""

from sentiment_platform.commands.console import say
from sentiment_platform.errors import PermanentError

SHOWN = 3
_VALUE_CHARACTERS = 100


class Refusals:
    """The first refused rows of an import, in words; the others are counted by whoever imports."""

    def __init__(self) -> None:
        self._first: list[str] = []

    def add(self, number: int | None, detail: str, value: str | None) -> None:
        """A row by its number in the file, from 1, where that is known; what is wrong with it, and the value that is."""
        if len(self._first) < SHOWN:
            place = f"Row {number}" if number else "A row"
            shown = "" if value is None else f": {value[:_VALUE_CHARACTERS]!r}"
            self._first.append(f"{place} was refused: {detail}{shown}.")

    def say_first(self) -> None:
        """Say the first rows."""
        for line in self._first:
            say(line, style="yellow")

    def end(self, file: str, source: str, rows: int, refused: int, *, kept: int) -> None:
        """Say the first rows, and where all `refused` of `rows` are.

        Raises:
            PermanentError: none of its rows is `kept`, newly or from an earlier import.
        """
        command = f"sentiment-platform news quarantine --source {source}"
        self.say_first()
        if refused:
            say(f"Every refused row with its rule: {command}", style="yellow")
        if not rows:
            raise PermanentError(f"Nothing of {file} is stored: it has no rows.", remedy="Look at what is in it.")
        if not kept:
            raise PermanentError(
                f"Nothing of {file} is stored: all {rows:,} rows were refused.",
                remedy=f"Set right what the lines above say; {command} shows every row.",
            )
