"""Where a training run keeps what it has on disk while it lasts: a folder below the state directory, named by the token of its lease.

A killed process cannot tidy up after itself, so the next holder of the lease does. What is to survive a kill is no business of this
file: `transformer.training.checkpoints`.
"""

import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine

from sentiment_platform.store import leases

TRAINING_WORK = "training-work"
"""Folder of the state directory."""


@contextmanager
def working_folder(engine: Engine, state_dir: Path, family: str, lease: leases.HeldLease) -> Generator[Path]:
    """An empty folder for the time of the block. Folders of earlier holders of `lease` go first: they are dead, or may write no more.

    Raises:
        ConflictError: the block failed because a later holder took its folder away.
    """
    folder = state_dir / TRAINING_WORK / family
    own = folder / str(lease.token)
    shutil.rmtree(own, ignore_errors=True)  # Of a database that was made anew and counts its tokens from 1 again.
    own.mkdir(parents=True)
    try:
        for other in folder.iterdir():
            # A later holder's stays: whoever lost the lease without noticing must not take it away.
            if int(other.name) < lease.token:
                shutil.rmtree(other, ignore_errors=True)
        yield own
    except Exception:
        if not own.is_dir():
            with engine.begin() as connection:
                leases.require(connection, lease)
        raise
    finally:
        shutil.rmtree(own, ignore_errors=True)
