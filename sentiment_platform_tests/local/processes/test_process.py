"""A supervised process: ended with its parent, found again by its pid file, and never mistaken for a stranger."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from sentiment_platform.local.processes.process import (
    LocalStackError,
    ProcessOrder,
    SupervisedProcess,
    end_leftover,
    start_on_a_port,
)
from sentiment_platform.running.process_identity import process_identity

STUBBORN = "trap '' TERM; echo started; while true; do sleep 0.1; done"


def order(tmp_path: Path, *argv: str, stop_timeout_s: float = 5.0) -> ProcessOrder:
    return ProcessOrder(
        name="part", argv=argv, log_path=tmp_path / "part.log", pid_path=tmp_path / "part.pid", stop_timeout_s=stop_timeout_s
    )


def wait_for_text(process: SupervisedProcess, text: str) -> None:
    process.wait_until_ready(lambda: None if text in process.log_tail() else "silent", timeout_s=10)


def test_a_process_that_ignores_the_stop_signal_is_killed_after_its_time_out(tmp_path: Path) -> None:
    process = SupervisedProcess(order(tmp_path, "/bin/sh", "-c", STUBBORN, stop_timeout_s=0.5))
    process.start()
    wait_for_text(process, "started")
    child = psutil.Process(process.pid)
    started = time.monotonic()
    process.stop()
    assert 0.4 < time.monotonic() - started < 5
    assert not child.is_running()


def test_a_part_is_not_ready_before_its_process_number_is_noted(tmp_path: Path) -> None:
    # A part that answered faster than its supervisor took notes had no number, and a test that asked for it looked at itself instead.
    process = SupervisedProcess(order(tmp_path, "/bin/sleep", "60"))
    process.start()
    seen: list[int | None] = []
    process.wait_until_ready(lambda: seen.append(process.pid), timeout_s=10)
    process.stop()
    assert len(seen) == 1
    assert isinstance(seen[0], int)


def test_what_the_child_left_in_its_group_ends_with_it(tmp_path: Path) -> None:
    process = SupervisedProcess(order(tmp_path, "/bin/sh", "-c", "sleep 60 & echo started; wait"))
    process.start()
    wait_for_text(process, "started")
    grandchildren = psutil.Process(process.pid).children()
    assert len(grandchildren) == 1
    process.stop()
    _, alive = psutil.wait_procs(grandchildren, timeout=5)
    assert not alive


@pytest.mark.slow
def test_a_part_that_ends_or_hangs_while_starting_is_named_with_the_end_of_its_log(tmp_path: Path) -> None:
    broken = SupervisedProcess(order(tmp_path, "/bin/sh", "-c", "echo no such thing >&2; exit 3"))
    broken.start()
    with pytest.raises(LocalStackError, match=r"ended while starting(.|\n)*no such thing"):
        broken.wait_until_ready(lambda: "not yet", timeout_s=10)
    missing = SupervisedProcess(order(tmp_path, "/no/such/program"))
    missing.start()
    with pytest.raises(LocalStackError, match=r"cannot start /no/such/program"):
        missing.wait_until_ready(lambda: "not yet", timeout_s=10)
    hanging = SupervisedProcess(order(tmp_path, "/bin/sleep", "60"))
    hanging.start()
    with pytest.raises(LocalStackError, match=r"not ready within 3 s \(still thinking\)"):
        hanging.wait_until_ready(lambda: "still thinking", timeout_s=3)
    assert not hanging.running


def test_the_log_of_an_earlier_start_is_not_quoted(tmp_path: Path) -> None:
    for word in ("first", "second"):
        process = SupervisedProcess(order(tmp_path, "/bin/sh", "-c", f"echo {word}; sleep 60"))
        process.start()
        wait_for_text(process, word)
        process.stop()
    assert process.log_tail() == "second"
    assert (tmp_path / "part.log").read_text() == "first\nsecond\n"


def test_a_leftover_is_ended_only_when_the_pid_file_proves_it_ours(tmp_path: Path) -> None:
    pid_file = tmp_path / "part.pid"
    with subprocess.Popen(["sleep", "60"]) as sleeper:
        for doubtful in ("another boot 1", ""):
            pid_file.write_text(json.dumps({"pid": sleeper.pid, "identity": doubtful}))
            assert end_leftover(pid_file, signal.SIGTERM, 5) is False
            assert sleeper.poll() is None
        pid_file.write_text("half a fi")
        assert end_leftover(pid_file, signal.SIGTERM, 5) is False
        assert sleeper.poll() is None
        pid_file.write_text(json.dumps({"pid": sleeper.pid, "identity": process_identity(sleeper.pid)}))
        assert end_leftover(pid_file, signal.SIGTERM, 5) is True
        assert sleeper.wait(5) == -signal.SIGTERM
    assert not pid_file.exists()


CHILD = """
import os, sys, time
from pathlib import Path
from sentiment_platform.local.processes.process import ProcessOrder, SupervisedProcess
folder = Path(sys.argv[1])
order = ProcessOrder(name="part", argv=["/bin/sleep", "60"], log_path=folder / "part.log", pid_path=folder / "part.pid")
process = SupervisedProcess(order)
process.start()
process.wait_until_ready(lambda: None if process.pid else "no pid", 10)
forked = os.fork()  # keeps the pipe to the supervisor open
if forked:
    print(process.pid, forked, flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("killed", ["parent", "parent and supervisor"])
def test_the_child_ends_though_a_fork_of_the_killed_parent_lives_on(tmp_path: Path, killed: str) -> None:
    with subprocess.Popen([sys.executable, "-c", CHILD, str(tmp_path)], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child, forked = (psutil.Process(int(number)) for number in parent.stdout.readline().split())
        supervisor = child.parent()
        assert supervisor is not None
        try:
            if "supervisor" in killed:
                supervisor.kill()
            os.kill(parent.pid, signal.SIGKILL)
            _, alive = psutil.wait_procs([child, supervisor], timeout=10)
            assert not alive
            assert forked.is_running()
        finally:
            forked.kill()


def test_another_port_is_tried_only_when_the_port_was_taken() -> None:
    messages = ["bind: Address already in use", "Cannot listen on 127.0.0.1:1: Address in use."]

    def start() -> None:
        if messages:
            raise LocalStackError(messages.pop(), remedy="")

    start_on_a_port(start)
    assert messages == []
    messages += ["disk full", "disk full"]
    with pytest.raises(LocalStackError, match="disk full"):
        start_on_a_port(start)
    assert messages == ["disk full"]
