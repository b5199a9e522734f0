"""Progress bars. Apart from `console.py`, because rich takes its time to import them."""

from collections.abc import Callable, Generator
from contextlib import contextmanager

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

from sentiment_platform.commands.console import err
from sentiment_platform.models.family import Progress as Report


class TrainingBar:
    """A progress bar a stage, fed with the reports of training.

    Args:
        console: where it is drawn; whoever prints while it moves prints there too.
    """

    def __init__(self, console: Console = err) -> None:
        self.progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}", markup=False),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
            # Piped, it would say nothing until its end, and then print stages that are no news.
            disable=not console.is_terminal,
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


@contextmanager
def counting_bar(what: str) -> Generator[Callable[[int], None]]:
    """A bar that counts without knowing how far it goes; the block reports how many are done."""
    with Progress(console=err, disable=not err.is_terminal) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done: bar.update(task, completed=done)
