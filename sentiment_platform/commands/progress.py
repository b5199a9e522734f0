"""A bar for what is counted. Apart from `console.py`, because rich takes its time to import it; what trains has `live_progress.py`."""

from collections.abc import Callable, Generator
from contextlib import contextmanager

from rich.progress import Progress

from sentiment_platform.commands.console import err


@contextmanager
def counting_bar(what: str) -> Generator[Callable[[int], None]]:
    """A bar that counts without knowing how far it goes; the block reports how many are done."""
    with Progress(console=err, disable=not err.is_terminal) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done: bar.update(task, completed=done)
