"""Claims about what processes of one machine tell each other through files: one loads at a time, a fresh look of another counts as one's own."""

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from serving.contract.model_bodies import RegistryStatus
from serving.live.machine import LOCK, LOOKED, Machine

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
HOLDS = "import fcntl, sys, time; file = open(sys.argv[1], 'w'); fcntl.flock(file, fcntl.LOCK_EX); print('held', flush=True); time.sleep(60)"


def machine(folder: Path, now: datetime = NOW) -> Machine:
    return Machine(folder, fresh_s=54.0, clock=lambda: now)


def saw(at: datetime = NOW) -> RegistryStatus:
    return RegistryStatus(reachable=True, polled_at=at, message=None)


def test_one_process_loads_at_a_time_and_nobody_waits_for_ever_or_for_one_that_is_gone(tmp_path: Path) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLDS, str(tmp_path / LOCK)], stdout=subprocess.PIPE)
    assert holder.stdout is not None
    holder.stdout.readline()
    began = time.monotonic()
    with machine(tmp_path).alone(limit_s=0.3) as alone:
        assert not alone, "it goes on all the same"
    assert time.monotonic() - began < 5
    os.kill(holder.pid, signal.SIGKILL)
    with machine(tmp_path).alone() as alone:
        assert alone
        with machine(tmp_path).alone(limit_s=0) as second:
            assert not second
    holder.wait(10)
    holder.stdout.close()


def test_a_fresh_look_of_a_neighbour_counts_and_ones_own_an_old_one_and_a_damaged_one_do_not(tmp_path: Path) -> None:
    one = machine(tmp_path)
    assert one.looked() is None
    one.tell(saw(), '"e1"', 7)
    assert one.looked() is None
    seen = machine(tmp_path).looked()
    assert seen is not None
    assert (seen.etag, seen.revision, seen.status) == ('"e1"', 7, saw())
    assert machine(tmp_path, NOW + timedelta(seconds=55)).looked() is None
    assert machine(tmp_path, NOW - timedelta(seconds=1)).looked() is None, "a clock that went back"
    (tmp_path / LOOKED).write_bytes(b"{")
    assert machine(tmp_path).looked() is None


def test_where_nothing_can_be_written_each_goes_on_alone(tmp_path: Path) -> None:
    (tmp_path / "a file").write_bytes(b"")
    blocked = machine(tmp_path / "a file" / "folder")
    blocked.tell(saw(), None, 1)
    with blocked.alone() as alone:
        assert not alone
