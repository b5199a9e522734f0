"""The demo as a user runs it, in a process of its own, and commands on what it left behind. The fixture `demo` runs it once a session."""

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from threading import Timer

from sentiment_platform.local.processes.ports import free_port

LIMIT_S = 1500
"""Ends a demo that hangs. How long one may take is asserted of what it printed."""
ROOT = Path(__file__).parents[2]
COMMAND = Path(sys.executable).with_name("sentiment-platform")


@dataclass
class Told:
    """What a demo printed: lines with the seconds on our own watch since the process was started.

    `crowding` is the largest load of the machine for each core meanwhile, at least 1: beside other work everything takes longer.
    """

    lines: list[tuple[str, float]]
    crowding: float

    @property
    def stdout(self) -> str:
        return "".join(line for line, _ in self.lines)


def environment(state: Path) -> dict[str, str]:
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("SENTIMENT_", "DAGSTER_", "TRANSFORMER_BASE"))
    }
    return kept | {"SENTIMENT_STATE_DIR": str(state), "COLUMNS": "300"}


def run(state: Path, *arguments: str, limit_s: float = 300) -> "subprocess.CompletedProcess[str]":
    command = [str(COMMAND), *arguments]
    return subprocess.run(command, env=environment(state), capture_output=True, text=True, timeout=limit_s, check=False, cwd=ROOT)


def words_of(state: Path, *arguments: str) -> str:
    """What a command that must succeed prints, on one line."""
    done = run(state, *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return " ".join(done.stdout.split())


def run_demo(state: Path, errors: Path) -> Told:
    """`sentiment-platform demo --exit` in a folder that is no checkout; what it says on stderr goes to the file `errors`."""
    no_checkout = errors.parent / "no-checkout"
    no_checkout.mkdir()
    told = Told([], 1.0)
    with errors.open("w") as stderr:
        started = time.monotonic()
        # Another demo may start at this moment: the one in a terminal takes the usual ports.
        command = [str(COMMAND), "demo", "--exit", "--port", str(free_port())]
        with subprocess.Popen(
            command,
            env=environment(state) | {"PORT": str(free_port())},
            cwd=no_checkout,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        ) as process:
            assert process.stdout is not None
            limit = Timer(LIMIT_S, process.terminate)
            limit.start()
            for line in process.stdout:
                told.lines.append((line, time.monotonic() - started))
                told.crowding = max(told.crowding, os.getloadavg()[0] / (os.cpu_count() or 1))
            limit.cancel()
    assert process.returncode == 0, f"{told.stdout[-4000:]}\n{errors.read_text()[-4000:]}"
    return told
