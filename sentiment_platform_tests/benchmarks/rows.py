"""The rows that `make bench` can run, and what one figure is. How a row measures is in the file of its subject.

A row is a function that yields figures; the decorator puts it into the table under its id.
"""

import os
import platform
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sentiment_platform.errors import PermanentError

MODEL_VARIABLE = "SENTIMENT_BENCH_MODEL"
"""Environment variable: directory of an exported transformer that rows measure which take one."""
Measure = Callable[[], Iterator["Figure"]]


@dataclass(frozen=True)
class Figure:
    """One measured figure and the bound that it must keep.

    Attributes:
        what: what was measured, in words; a row may yield several figures.
        value: the figure, in `unit`; the median where it was measured `n` times.
        target: the bound, in `unit`. The figure passes at or below it; with `at_least`, at or above it.
        explains: whatever a reader needs to believe or improve the figure: single rounds, shares, versions.
    """

    what: str
    value: float
    unit: str
    target: float
    n: int
    at_least: bool = False
    explains: dict[str, Any] = field(default_factory=dict)

    @property
    def passes(self) -> bool:
        return self.value >= self.target if self.at_least else self.value <= self.target

    def document(self, row_id: str, machine: str) -> dict[str, Any]:
        """The JSON object of one line."""
        return {
            "id": row_id,
            "what": self.what,
            "value": round(self.value, 4),
            "unit": self.unit,
            "target": f"{'>=' if self.at_least else '<='} {self.target:g}",
            "pass": self.passes,
            "n": self.n,
            "machine": machine,
            **self.explains,
        }


@dataclass(frozen=True)
class Row:
    """An entry of the table."""

    row_id: str
    title: str
    measure: Measure


class Table:
    """Rows by id, in the order in which they were added."""

    def __init__(self) -> None:
        self._rows: dict[str, Row] = {}

    def row(self, row_id: str, title: str) -> Callable[[Measure], Measure]:
        """Decorator: add a row. An id can be taken once."""

        def add(measure: Measure) -> Measure:
            if row_id in self._rows:
                raise PermanentError(f"Benchmark row {row_id} exists already.", remedy="Choose another id.")
            self._rows[row_id] = Row(row_id, title, measure)
            return measure

        return add

    def choose(self, row_ids: Iterable[str]) -> list[Row]:
        """The rows of these ids, in the order asked for; all of them without ids. `E` stands for every row `E.1`, `E.2` and so on.

        Raises:
            PermanentError: an id is unknown.
        """
        asked = list(row_ids) or list(self._rows)
        wanted = [row_id for name in asked for row_id in ([k for k in self._rows if k.startswith(f"{name}.")] or [name])]
        unknown = [row_id for row_id in wanted if row_id not in self._rows]
        if unknown:
            raise PermanentError(f"There is no benchmark row {', '.join(unknown)}.", remedy=f"Known: {', '.join(self._rows)}.")
        return [self._rows[row_id] for row_id in wanted]


TABLE = Table()


def machine() -> str:
    """Processor, cores that this process may use, memory, system, Python, and the load before anything was measured."""
    memory_gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return (
        f"{_processor()}, {cores} cores, {memory_gib:.0f} GiB, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}, load {os.getloadavg()[0]:.1f}"
    )


def _processor() -> str:
    if sys.platform == "linux":
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
