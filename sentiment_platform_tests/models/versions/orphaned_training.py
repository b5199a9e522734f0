"""Orphans for a test: processes whose parent was killed with SIGKILL while they were at work, and which finish when they are told to.

Run as a script it reads a line for each orphan, its environment and `train SEED STEP` or `write NAME` as JSON; answers `orphaned` once the orphan has come to the
step (a write: to its transaction) and its parent is dead; reads another line; lets the orphan go on, and answers how that ended.
"""

import json
import os
import signal
import sys
from collections.abc import Callable

from sqlalchemy import text

from sentiment_platform.errors import ConflictError
from sentiment_platform.settings import Settings
from sentiment_platform.store import leases
from sentiment_platform.store.engine import create_platform_engine
from sentiment_platform_tests.models.versions.vader_versions import train
from sentiment_platform_tests.promotion.stepping import SteppedAccess

Pause = Callable[[str], None]
"""Told of every step; returns at the awaited one only when the test says so."""


def trains(seed: int, pause: Pause) -> None:
    settings = Settings.from_environment(os.environ)
    engine = create_platform_engine(settings.database_url)
    access = SteppedAccess(settings, pause)
    train(engine, access, seed=seed, run=f"orphan {seed}", progress=lambda progress: pause(progress.stage))


def writes(name: str, pause: Pause) -> None:
    """The transaction in which every step shows its token."""
    engine = create_platform_engine(Settings.from_environment(os.environ).database_url)
    lease = leases.acquire(engine, "step", f"orphan {name}", 60, take_over=True)
    pause("leased")
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO written VALUES (:holder)"), {"holder": lease.holder})
        leases.require(connection, lease)


def outcome(command: list[str], pause: Callable[[], None]) -> str:
    """Do what the command says; `refused`, `written`, or the error that it ended with."""
    awaited = command[2] if command[0] == "train" else "leased"
    left = [awaited]

    def at(step: str) -> None:
        if left and step == awaited:
            left.clear()
            pause()

    try:
        trains(int(command[1]), at) if command[0] == "train" else writes(command[1], at)
    except ConflictError:
        return "refused"
    except Exception as error:  # Whatever it was, the test wants to see it.
        return repr(error)
    return "written"


def orphan(environment: dict[str, str], command: list[str]) -> None:
    """Make one, kill its parent, tell the test, and let the orphan go on when the test says so."""
    (said, says), (told, tells) = os.pipe(), os.pipe()

    def pause() -> None:
        os.write(says, b"ready\n")
        os.read(told, 1)

    parent = os.fork()
    if parent == 0:
        child = os.fork()
        if child == 0:
            try:
                os.environ.update(environment)
                os.write(says, f"{outcome(command, pause)}\n".encode())
            finally:
                os._exit(0)
        os.waitpid(child, 0)
        os._exit(0)
    os.close(says)
    with os.fdopen(said) as lines:
        if lines.readline() != "ready\n":
            raise RuntimeError(f"{command} never came to its step")
        os.kill(parent, signal.SIGKILL)
        os.waitpid(parent, 0)
        print("orphaned", flush=True)
        sys.stdin.readline()
        os.write(tells, b".")
        print(lines.readline().strip(), flush=True)
    os.close(tells)
    os.close(told)


if __name__ == "__main__":
    for line in sys.stdin:
        orphan(*json.loads(line))
