"""Starting, watching and stopping one supervised process; the supervising side is `supervisor.py`.

Knows nothing of PostgreSQL, Redis or any other part. Every wait is bounded, every failure quotes the end of the part's log.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sentiment_platform.errors import PermanentError
from sentiment_platform.local.processes import supervisor
from sentiment_platform.local.processes.account import Account

LOG_LIMIT_BYTES = 5_000_000
PROBE_EVERY_S = 0.05
PORT_IS_TAKEN = ("Address already in use", "Cannot listen on")


class LocalStackError(PermanentError):
    """A part of the local stack could not be started, reached or stopped."""


@dataclass(frozen=True, kw_only=True)
class ProcessOrder:
    """What to run and how to stop it. `account` is the user to run as; None: ourselves."""

    name: str
    argv: Sequence[str]
    log_path: Path
    pid_path: Path
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    cwd: Path = Path("/")
    stdin_text: str = ""
    stop_signal: signal.Signals = signal.SIGTERM
    stop_timeout_s: float = 10.0
    account: Account | None = None


class SupervisedProcess:
    """One child that lives at most as long as this process."""

    def __init__(self, order: ProcessOrder) -> None:
        self.order = order
        self._supervisor: subprocess.Popen[bytes] | None = None
        self._log_start = 0

    def start(self) -> None:
        """Start the child; its output is appended to the log. Leftovers of an earlier owner are ended first."""
        self.stop()
        order = self.order
        end_leftover(order.pid_path, order.stop_signal, order.stop_timeout_s)
        order.log_path.parent.mkdir(parents=True, exist_ok=True)
        order.pid_path.parent.mkdir(parents=True, exist_ok=True)
        if order.log_path.exists() and order.log_path.stat().st_size > LOG_LIMIT_BYTES:
            order.log_path.replace(order.log_path.with_suffix(".log.1"))
        self._log_start = order.log_path.stat().st_size if order.log_path.exists() else 0
        # A session of its own: Ctrl-C in the terminal reaches the parent alone, which then stops the parts in order.
        self._supervisor = subprocess.Popen(
            [sys.executable, "-I", "-S", supervisor.__file__], stdin=subprocess.PIPE, start_new_session=True
        )
        line = {
            "argv": list(order.argv),
            "cwd": str(order.cwd),
            "environment": dict(order.environment),
            "stdin_text": order.stdin_text,
            "log_path": str(order.log_path),
            "pid_path": str(order.pid_path),
            "stop_signal": int(order.stop_signal),
            "stop_timeout_s": order.stop_timeout_s,
            "parent_pid": os.getpid(),
            "uid": order.account.uid if order.account else None,
            "gid": order.account.gid if order.account else None,
        }
        assert self._supervisor.stdin is not None  # noqa: S101
        self._supervisor.stdin.write(json.dumps(line).encode() + b"\n")
        self._supervisor.stdin.flush()

    @property
    def running(self) -> bool:
        """Whether the child is running (the supervisor ends with it)."""
        return self._supervisor is not None and self._supervisor.poll() is None

    @property
    def pid(self) -> int | None:
        """Process number of the child, None when it is not running."""
        recorded = _read_pid_file(self.order.pid_path)
        return recorded[0] if recorded and self.running else None

    def wait_until_ready(self, probe: Callable[[], str | None], timeout_s: float) -> None:
        """Wait until `probe()` gives None; until then it gives the reason why the part is not ready.

        Raises:
            LocalStackError: the process ended or `timeout_s` is over; the message quotes the end of its log. It is stopped.
        """
        try:
            self._wait(probe, timeout_s)
        except BaseException:
            self.stop()
            raise

    def _wait(self, probe: Callable[[], str | None], timeout_s: float) -> None:
        name, deadline = self.order.name, time.monotonic() + timeout_s
        while True:
            ended = not self.running
            # A fast part may answer before the supervisor has noted its number, and a part without a number cannot be found again.
            reason = "it has ended" if ended else "its process is not noted yet" if self.pid is None else probe()
            if reason is None:
                return
            if ended or time.monotonic() > deadline:
                what = "ended while starting" if ended else f"was not ready within {timeout_s:g} s ({reason})"
                raise LocalStackError(
                    f"The local {name} {what}. The end of its log:\n{self.log_tail()}\n",
                    remedy=f"See {self.order.log_path}; or set the URL of a {name} of your own.",
                )
            time.sleep(PROBE_EVERY_S)

    def log_tail(self, lines: int = 15) -> str:
        """The last lines that this start of the part has logged."""
        if not self.order.log_path.exists():
            return "(no log)"
        with self.order.log_path.open("rb") as log:
            log.seek(self._log_start)
            text = log.read().decode(errors="replace").splitlines()
        return "\n".join(text[-lines:]) or "(empty)"

    def begin_to_stop(self) -> None:
        """Ask the child to end, in its orderly way, without waiting for it. Safe to call twice."""
        if self._supervisor is not None:
            assert self._supervisor.stdin is not None  # noqa: S101
            self._supervisor.stdin.close()

    def stop(self) -> None:
        """Stop the child in its orderly way, with -9 after its time-out. Safe to call twice."""
        if self._supervisor is None:
            return
        self.begin_to_stop()
        try:
            self._supervisor.wait(self.order.stop_timeout_s + 5)
        except subprocess.TimeoutExpired:
            self._supervisor.kill()
            self._supervisor.wait()
            end_leftover(self.order.pid_path, signal.SIGKILL, 5)
        self._supervisor = None
        self.order.pid_path.unlink(missing_ok=True)


def start_on_a_port(start: Callable[[], None], attempts: int = 3) -> None:
    """Call `start` again, with another port, when somebody took its port between our look at it and the server's.

    Raises:
        LocalStackError: of the last attempt, or of the first that failed for another reason.
    """
    for attempts_left in reversed(range(attempts)):
        try:
            start()
            return
        except LocalStackError as error:
            if not attempts_left or not any(sign in str(error) for sign in PORT_IS_TAKEN):
                raise


def _read_pid_file(path: Path) -> tuple[int, str] | None:
    try:
        written = json.loads(path.read_text())
        return int(written["pid"]), str(written["identity"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def is_running(pid_path: Path) -> bool:
    """Whether the process that `pid_path` names is alive and that very one, whoever started it."""
    recorded = _read_pid_file(pid_path)
    return recorded is not None and supervisor.process_identity(recorded[0]) == recorded[1]


def end_leftover(pid_path: Path, stop_signal: signal.Signals, timeout_s: float) -> bool:
    """End the process that `pid_path` proves to be ours (number, boot and start time agree); True when there was one.

    Raises:
        LocalStackError: it outlives even SIGKILL by 5 s.
    """
    recorded = _read_pid_file(pid_path)
    if recorded is None or supervisor.process_identity(recorded[0]) != recorded[1]:
        pid_path.unlink(missing_ok=True)
        return False
    pid, identity = recorded
    for number, patience_s in ((stop_signal, timeout_s), (signal.SIGKILL, 5.0)):
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            break
        deadline = time.monotonic() + patience_s
        while supervisor.process_identity(pid) == identity and time.monotonic() < deadline:
            time.sleep(PROBE_EVERY_S)
        if supervisor.process_identity(pid) != identity:
            break
    else:
        raise LocalStackError(f"Process {pid} of {pid_path} cannot be ended.", remedy="End it by hand, then start again.")
    pid_path.unlink(missing_ok=True)
    return True
