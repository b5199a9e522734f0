"""A journal for each process of a machine: folders `journal`, `journal-2`, ... in the state folder, each held by a lock while its process lives.

What a process left behind is shipped by whoever opens its folder next: a new start, or a neighbour (`left_behind`).
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from sentiment_platform.errors import ConflictError
from serving.journal.journal import MAX_BYTES, Journal
from serving.journal.lane import SUFFIX

FOLDER = "journal"
MOST_PROCESSES = 64


def open_journal(state_folder: Path, *, max_bytes: int = MAX_BYTES, on_drop: Callable[[int], object] = lambda _: None) -> Journal:
    """The first folder that no living process holds, with what a process before left in it.

    Raises:
        ConflictError: `MOST_PROCESSES` processes live.
    """
    for number in range(1, MOST_PROCESSES + 1):
        try:
            return Journal(_folder(state_folder, number), max_bytes=max_bytes, on_drop=on_drop)
        except ConflictError:
            continue
    raise ConflictError(
        f"{MOST_PROCESSES} processes write their journals in {state_folder}.",
        remedy="Stop some, or give this one its own SENTIMENT_STATE_DIR.",
    )


@contextmanager
def left_behind(state_folder: Path) -> Generator[list[Journal]]:
    """Journals with records whose process is gone; while they are open, nobody else writes there."""
    opened: list[Journal] = []
    try:
        for number in range(1, MOST_PROCESSES + 1):
            folder = _folder(state_folder, number)
            if not any(folder.glob(f"*{SUFFIX}")):
                continue
            try:
                opened.append(Journal(folder))
            except ConflictError:
                continue
        yield opened
    finally:
        for journal in opened:
            journal.close()


def _folder(state_folder: Path, number: int) -> Path:
    return state_folder / (FOLDER if number == 1 else f"{FOLDER}-{number}")
