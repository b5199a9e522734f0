"""What a long command is doing now: a moving line in a terminal, a plain line every few seconds elsewhere.

While a step runs in this process, Dagster points descriptors 1 and 2 at its log files. So everything is written to a duplicate of
standard output that is made before.
"""

import io
import os
import sys
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Self, TextIO

from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from sentiment_platform.commands.console import PlainConsole, styled
from sentiment_platform.models.family import Progress as Report

PLAIN_EVERY_S = 5.0
"""Where lines cannot move, silence lasts at most about this long."""
_BAR_WIDTH = 14


class LiveProgress:
    """A context manager; until it ends, print through `say` only, or while it is `still`.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._output = _duplicate()
        self._console = PlainConsole()
        self._console.file = self._output
        self._said_at = clock()
        self._still = False
        self._bars = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=_BAR_WIDTH),
            TextColumn("{task.fields[state]}", markup=False),
            TimeElapsedColumn(),
            console=self._console,
            # Dagster looks for the real streams, and what it finds there it copies into its log.
            redirect_stdout=False,
            redirect_stderr=False,
            transient=True,
        )
        self._step = "starting"
        self._since = clock()
        self._stages: dict[str, Report] = {}
        self._ended_stage: Report | None = None
        self._rows: dict[str, TaskID] = {}
        self._ended = threading.Event()
        self._teller = threading.Thread(target=self._tell, name="signs-of-life", daemon=True)

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._rows[""] = self._bars.add_task(self._step, total=None, state="")
            self._bars.start()
        else:
            self._teller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._tell_ended_stage()
        self._ended.set()
        if self._console.is_terminal:
            self._bars.stop()
        else:
            self._teller.join()
        if self._output is not sys.stdout:
            self._output.close()

    def step(self, name: str) -> None:
        """`name` is what is done from now on; the stages of the step before are over."""
        self._tell_ended_stage()
        self._step, self._since, self._stages = name, self._clock(), {}
        if self._console.is_terminal:
            for stage in self._rows:
                self._bars.remove_task(self._rows[stage])
            self._rows = {"": self._bars.add_task(name, total=None, state="")}

    def __call__(self, report: Report) -> None:
        """Show a report of training: a bar while its stage lasts, and a line once it is over."""
        if self._ended_stage is not None and self._ended_stage.stage != report.stage:
            self._tell_ended_stage()
        self._stages[report.stage] = report
        if report.done >= report.total:
            # Told later: the last reports of a stage differ in their notes, and the last one counts.
            self._ended_stage = report
            if row := self._rows.pop(report.stage, None):
                self._bars.remove_task(row)
        elif self._console.is_terminal:
            if report.stage not in self._rows:
                self._rows[report.stage] = self._bars.add_task(report.stage, total=report.total, state="")
            self._bars.update(self._rows[report.stage], completed=report.done, total=report.total, state=_state(report))

    def _tell_ended_stage(self) -> None:
        report, self._ended_stage = self._ended_stage, None
        if report is not None:
            self.say(f"  {report.stage}: {report.total}{f' ({report.note})' if report.note else ''}")

    def say(self, line: str, style: str = "") -> None:
        """Print a line as the text that it is, in one piece."""
        self._tell_ended_stage()
        self._said_at = self._clock()
        self._console.print(styled(line, style), soft_wrap=True)

    def indented(self, line: str) -> None:
        """`say` what belongs to the title above."""
        self.say(f"  {line}")

    @contextmanager
    def still(self) -> Generator[None]:
        """Nothing moves, and no line comes by itself, while the block lasts."""
        self._still = True
        if self._console.is_terminal:
            self._bars.stop()
        try:
            yield
        finally:
            self._still = False
            if self._console.is_terminal:
                self._bars.start()

    def _tell(self) -> None:
        while not self._ended.wait(0.5):
            if not self._still and self._clock() - self._said_at >= PLAIN_EVERY_S:
                open_stages = [f"; {one.stage} {_state(one)}" for one in self._stages.values() if one.done < one.total]
                self.say(f"  ... {self._step}, {self._clock() - self._since:.0f} s{''.join(open_stages[-1:])}")


def _state(report: Report) -> str:
    """Such as `1203/3200, 58/s, 34 s left`."""
    pace = f", {report.rate:.{0 if report.rate >= 10 else 1}f}/s, {report.remaining_s:.0f} s left" if report.rate else ""
    return f"{report.done}/{report.total}{pace}"


def _duplicate() -> TextIO:
    """Standard output on a descriptor of its own; itself where it is no file (a test that collects it)."""
    sys.stdout.flush()
    try:
        descriptor = os.dup(sys.stdout.fileno())
    except (OSError, io.UnsupportedOperation):
        return sys.stdout
    return open(descriptor, "w", encoding=sys.stdout.encoding, errors="replace", buffering=1)
