"""A folder that is filled aside and renamed into place when it is complete: nobody sees a part of it, and a kill leaves nothing for long.

Its process holds a lock on it. A lock ends with its process, however that ended, so the next one to come here knows what was abandoned
and takes it away.
"""

import fcntl
import os
import secrets
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from sentiment_platform.clock import utc_now

SIDE_PREFIX = ".fetch-"
ATTEMPTS = 5
"""How often a new folder may vanish before it is locked, where the clock of the file system is not ours."""
LOCKED_WITHIN_S = 60.0
"""A new folder is empty for the moment before it is locked. An empty one that is younger than this may be in that moment."""


@contextmanager
def side_folder(into: Path) -> Generator[Path]:
    """An empty folder in `into` for the time of the block, to be renamed to its place in there. Abandoned ones go first.

    Raises:
        OSError: the disk is full, or the folder may not be written.
    """
    into.mkdir(parents=True, exist_ok=True)
    for abandoned in into.glob(f"{SIDE_PREFIX}*"):
        _remove_if_abandoned(abandoned)
    side, owner = _locked_folder(into)
    try:
        yield side
    finally:
        shutil.rmtree(side, ignore_errors=True)
        os.close(owner)


def _locked_folder(into: Path) -> tuple[Path, int]:
    for _ in range(ATTEMPTS):
        side = into / f"{SIDE_PREFIX}{secrets.token_hex(8)}"
        side.mkdir(mode=0o700)
        try:
            owner = _lock(side)
        except OSError:
            side.rmdir()
            raise
        if owner is not None and side.exists():
            return side, owner
        if owner is not None:
            os.close(owner)
    raise OSError(f"new folders in {into} vanish")


def _remove_if_abandoned(side: Path) -> None:
    if _may_be_new(side):
        return
    owner = _lock(side)
    if owner is not None:
        shutil.rmtree(side, ignore_errors=True)
        os.close(owner)


def _may_be_new(side: Path) -> bool:
    try:
        return not any(side.iterdir()) and utc_now().timestamp() - side.stat().st_mtime < LOCKED_WITHIN_S
    except OSError:
        return False


def _lock(folder: Path) -> int | None:
    """A descriptor that locks `folder`; None where another one does, or where there is no folder of ours.

    Raises:
        OSError: too many open files, or a file system without locks.
    """
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except OSError:
        os.close(descriptor)
        raise
    return descriptor
