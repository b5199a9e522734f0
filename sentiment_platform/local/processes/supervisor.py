"""A small process that keeps one child no longer than its own parent, even when that parent is killed with -9.

It reads one JSON line from standard input (the order: what to run and how to stop it) and then holds the pipe: end of file, a
changed parent or SIGTERM stop the child. Were the supervisor itself killed, the kernel signals the child (Linux). It runs as a
script under `python -I -S` and therefore imports little beside the standard library; the starting side lives in `process.py`.
"""

import contextlib
import ctypes
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any, BinaryIO

if __name__ == "__main__":
    # `-I -S` leaves this package off the path; what is imported from it needs the standard library only.
    sys.path.append(str(Path(__file__).parents[3]))

from sentiment_platform.running.process_identity import process_identity

PR_SET_PDEATHSIG = 1
LOOK_EVERY_S = 0.25


def _dies_with_its_parent(stop_signal: int) -> Callable[[], None] | None:
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None, use_errno=True)
    supervisor_pid = os.getpid()

    def arm() -> None:
        # subprocess calls this after the change of user, which would clear the setting.
        libc.prctl(PR_SET_PDEATHSIG, stop_signal, 0, 0, 0)
        if os.getppid() != supervisor_pid:
            os._exit(1)

    return arm


def _spawn(order: dict[str, Any], log: BinaryIO) -> "subprocess.Popen[bytes]":
    child: subprocess.Popen[bytes] = subprocess.Popen(
        order["argv"],
        cwd=order["cwd"],
        env=order["environment"],
        stdin=subprocess.PIPE,
        stdout=log,
        stderr=log,
        process_group=0,
        umask=0o077,
        preexec_fn=_dies_with_its_parent(order["stop_signal"]),  # noqa: PLW1509  # this process has one thread
        user=order["uid"],
        group=order["gid"],
        extra_groups=None if order["uid"] is None else [],
    )
    pid_file = Path(order["pid_path"])
    fresh = pid_file.with_suffix(".new")
    fresh.write_text(json.dumps({"pid": child.pid, "identity": process_identity(child.pid)}))
    fresh.replace(pid_file)
    assert child.stdin is not None  # noqa: S101
    with contextlib.suppress(BrokenPipeError), child.stdin:
        child.stdin.write(order["stdin_text"].encode())
    return child


def _stop(child: "subprocess.Popen[bytes]", order: dict[str, Any]) -> None:
    child.send_signal(order["stop_signal"])
    try:
        child.wait(order["stop_timeout_s"])
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _end_group(group: int) -> None:
    """Ends what the child left behind in its process group."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


def main() -> int:
    """Run the ordered child until it ends or nobody wants it any more; the exit status is the child's."""
    asked_to_stop: list[int] = []

    def ask(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        asked_to_stop.append(number)

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, ask)
    with open(0, "rb", buffering=0) as life_line:
        order: dict[str, Any] = json.loads(life_line.readline() or b"{}")
        if not order or os.getppid() != order["parent_pid"]:
            return 0
        with open(order["log_path"], "ab", buffering=0) as log:
            try:
                child = _spawn(order, log)
            except OSError as error:
                log.write(f"cannot start {order['argv'][0]}: {error}\n".encode())
                return 127
        while child.poll() is None:
            readable, _, _ = select.select([life_line], [], [], LOOK_EVERY_S)
            if asked_to_stop or (readable and not life_line.read(1)) or os.getppid() != order["parent_pid"]:
                _stop(child, order)
        _end_group(child.pid)
        return child.returncode if child.returncode >= 0 else 128 - child.returncode


if __name__ == "__main__":
    sys.exit(main())
