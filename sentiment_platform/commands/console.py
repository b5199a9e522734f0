"""How commands speak: one console, one way to show an error, one progress bar. Nothing here decides anything."""

import functools
import sys
from collections.abc import Callable
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from sentiment_platform.errors import PlatformError
from sentiment_platform.models.family import Progress as Report
from sentiment_platform.running.run_signals import RunInterrupted

console = Console(highlight=False)


def shows_errors(command: Callable[..., Any]) -> Callable[..., Any]:
    """Print the platform's own errors with their remedy and exit with 1; anything else is a defect and keeps its traceback.

    A run that a signal ended exits with what a shell reports for that signal.
    """

    @functools.wraps(command)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        try:
            return command(*args, **kwargs)
        except PlatformError as error:
            # As text: a message may quote what somebody wrote, brackets and all.
            console.print(Text(error.message, "bold red"))
            console.print(Text(error.remedy, "yellow"))
            sys.exit(1)
        except RunInterrupted as interrupted:
            console.print(f"[bold red]The run was {interrupted}; it is cancelled.[/]")
            sys.exit(interrupted.exit_status)

    return wrapped


class TrainingBar:
    """A progress bar a stage, fed with the reports of training."""

    def __init__(self) -> None:
        self.progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> "TrainingBar":
        self.progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.progress.stop()

    def __call__(self, report: Report) -> None:
        """Show one report."""
        if report.stage not in self._tasks:
            self._tasks[report.stage] = self.progress.add_task(report.stage, total=report.total, rate="")
        rate = f"{report.rate:.0f}/s" if report.rate else ""
        self.progress.update(
            self._tasks[report.stage], completed=report.done, total=report.total, rate=f"{rate} {report.note}".strip()
        )
