"""The program around the commands: one place where errors end, `-v` before and after each command, help when nothing was asked for."""

import atexit
import gc
import io
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import click

from sentiment_platform.commands.failures import FAILED, report


@dataclass
class Invocation:
    """One call of the program; the object of click's context."""

    verbose: bool = False


class Program(click.Group):
    """The outermost group. Ends the process with an exit status of `failures.py`, never with a traceback that nobody asked for."""

    def add_command(self, cmd: click.Command, name: str | None = None) -> None:
        """Join a command, or a group with all that is in it, and give each the option `-v`."""
        super().add_command(cmd, name)
        _give_verbose(cmd)

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """See `click.Command.main`."""
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                # A terminal of another encoding, or a byte that is no character: shown as an escape.
                stream.reconfigure(errors="backslashreplace")
        # Python's last look for garbage takes a second over a loaded graph, and gives back what the end of the process gives back anyway.
        atexit.register(gc.freeze)
        invocation = Invocation()
        try:
            try:
                status = super().main(args, prog_name, complete_var, standalone_mode=False, obj=invocation, **extra)
            except click.exceptions.NoArgsIsHelpError as nothing:
                click.echo(nothing.ctx.get_help() if nothing.ctx else "")
                status = 0
            except (Exception, KeyboardInterrupt) as error:
                status = report(error, verbose=invocation.verbose)
            sys.stdout.flush()
        except BrokenPipeError:
            # `| head` has read enough. What is still buffered goes nowhere, or Python would complain of it at the end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            status = FAILED
        if standalone_mode:
            sys.exit(status)
        return status


def _verbose(context: click.Context, _: click.Parameter, value: bool) -> None:
    if value and isinstance(context.obj, Invocation):
        context.obj.verbose = True


def _give_verbose(command: click.Command) -> None:
    command.params.append(verbose_option())
    if isinstance(command, click.Group):
        for inner in command.commands.values():
            _give_verbose(inner)


def verbose_option() -> click.Option:
    """`-v`, which every command has."""
    return click.Option(
        ["-v", "--verbose"], is_flag=True, is_eager=True, expose_value=False, callback=_verbose, help="Show tracebacks of errors."
    )
