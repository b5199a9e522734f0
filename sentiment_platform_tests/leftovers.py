"""Runs a command and fails if anything that it started still runs a while after it has ended: `python -m ...leftovers pytest -n 3`.

Linux gives orphans to this process instead of to the system's first one, so nobody escapes by losing its parents. Elsewhere the command
just runs.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence

import psutil

PR_SET_CHILD_SUBREAPER = 36
GRACE_S = 15.0
LEFT_BEHIND = 3
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run(command: Sequence[str], grace_s: float = GRACE_S) -> int:
    """The status of the command, or LEFT_BEHIND where it was 0 and processes are left; these are named and ended."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    for number in ENDING:
        # A shell has SIGINT ignored in the background, nohup SIGHUP; Dagster then lets SIGTERM be ignored too, and tests of ends never end.
        signal.signal(number, signal.SIG_DFL)
    child = subprocess.Popen(command)
    for number in ENDING:
        # The terminal tells both of Ctrl-C.
        signal.signal(number, lambda told, _: None if told == signal.SIGINT else child.send_signal(told))
    status = _wait_for(child.pid)
    left = _still_running(grace_s)
    for process in left:
        with contextlib.suppress(psutil.NoSuchProcess):
            print(f"left running: {process.pid} {' '.join(process.cmdline())[:300]}", file=sys.stderr)
            process.kill()
            process.wait(GRACE_S)
    return status or (LEFT_BEHIND if left else 0)


def _wait_for(pid: int) -> int:
    """The exit status of that child, 128 and more after a signal; orphans that end meanwhile are buried too."""
    while True:
        ended, status = os.waitpid(-1, 0)
        if ended == pid:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code


def _still_running(grace_s: float) -> list[psutil.Process]:
    """Descendants that do not end within the grace: servers take a moment to stop."""
    until = time.monotonic() + grace_s
    while True:
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        left = psutil.Process().children(recursive=True)
        if not left or time.monotonic() > until:
            return left
        time.sleep(0.1)


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
