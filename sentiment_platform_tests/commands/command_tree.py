"""Every command of the program, as click knows it."""

from collections.abc import Iterator

import click

from sentiment_platform.cli import main


def commands(command: click.Command = main, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """(words after the program's name, command), groups and the program itself included."""
    yield path, command
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            yield from commands(inner, (*path, name))


def listings() -> list[tuple[str, ...]]:
    """The words of each command that can print JSON."""
    return [path for path, command in commands() if any("--json" in option.opts for option in command.params)]
