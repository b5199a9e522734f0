import os
import re
import signal
import socket
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from sentiment_platform.local.processes.keeping import FIRST_PAUSE_S, LONGEST_PAUSE_S, WELL_AFTER_S, Keeper
from sentiment_platform.local.processes.ports import LOOPBACK, still_free
from sentiment_platform.local.processes.process import LocalStackError, ProcessOrder, SupervisedProcess


class Time:
    """Seconds that pass when the test says so."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def started(tmp_path: Path, script: str) -> SupervisedProcess:
    process = SupervisedProcess(
        ProcessOrder(name="part", argv=["/bin/sh", "-c", script], log_path=tmp_path / "part.log", pid_path=tmp_path / "part.pid")
    )
    process.start()
    return process


def end(process: SupervisedProcess) -> None:
    process.wait_until_ready(lambda: None if process.pid else "no pid", 10)
    pid = process.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    wait(lambda: not process.running)


def wait(holds: Callable[[], bool]) -> None:
    ends = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < ends
        time.sleep(0.01)


def test_a_process_that_was_well_is_started_again_at_once_and_then_after_pauses_that_grow_to_a_bound(tmp_path: Path) -> None:
    clock, said = Time(), list[str]()
    keeper = Keeper(said.append, clock=clock)
    process = started(tmp_path, "sleep 60")
    keeper.keep(process)
    clock.now = WELL_AFTER_S
    pauses: list[float] = []
    try:
        for _ in range(7):
            end(process)
            began = clock.now
            while not process.running:
                keeper.look()
                clock.now += 0 if process.running else FIRST_PAUSE_S
            pauses.append(clock.now - began)
        assert pauses == [0, 0.5, 1, 2, 4, 8, 10]
        assert max(pauses) == LONGEST_PAUSE_S
        assert len(said) == 7
        clock.now += WELL_AFTER_S  # it ran well again, so the next start needs no pause
        end(process)
        keeper.look()
        assert process.running
    finally:
        process.stop()


def test_a_process_that_never_ran_well_is_not_started_again_but_named_with_its_log(tmp_path: Path) -> None:
    keeper = Keeper(clock=Time())
    process = started(tmp_path, "echo the port is taken; exit 1")
    keeper.keep(process)
    wait(lambda: not process.running)
    with pytest.raises(LocalStackError, match=r"part ended(.|\n)*the port is taken"):
        keeper.look()
    assert not process.running
    process.stop()


def test_a_process_whose_port_another_program_took_before_it_listened_ends_it_all_with_the_remedy(tmp_path: Path) -> None:
    clock, said = Time(), list[str]()
    keeper = Keeper(said.append, clock=clock)
    process = started(tmp_path, "sleep 60")
    with socket.socket() as other:
        other.bind((LOOPBACK, 0))
        port = other.getsockname()[1]
        keeper.keep(process, before_restart=partial(still_free, port, "part"))
        # Long enough to pass for well: it was loading.
        clock.now = WELL_AFTER_S
        end(process)
        other.listen()
        with pytest.raises(
            LocalStackError, match=rf"part has ended: port {port} of 127.0.0.1 was taken.* start this command again"
        ):
            keeper.look()
        assert (process.running, said) == (False, [])
    try:
        clock.now += WELL_AFTER_S
        keeper.look()
        assert process.running, "with the port free again it is only a process that has ended"
        assert re.match(r"\d\d:\d\d:\d\d UTC: part has ended by itself and is started again", said[0])
    finally:
        process.stop()
