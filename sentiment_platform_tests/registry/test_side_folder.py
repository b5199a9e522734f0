"""What a killed process left aside goes with the next fetch, and what a living one writes does not."""

import fcntl
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from sentiment_platform.registry.side_folder import LOCKED_WITHIN_S, SIDE_PREFIX, side_folder

FILLS_ONE = """
import sys
from pathlib import Path
from sentiment_platform.registry.side_folder import side_folder
with side_folder(Path(sys.argv[1])) as side:
    (side / "part").write_bytes(b"half of it")
    print(side.name, flush=True)
    sys.stdin.read()
"""


def filling(into: Path) -> tuple[subprocess.Popen[str], Path]:
    """A process that is in the middle of filling a folder, and the folder."""
    process = subprocess.Popen(
        [sys.executable, "-c", FILLS_ONE, str(into)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    return process, into / process.stdout.readline().strip()


def test_what_a_killed_process_left_goes_and_what_a_living_one_fills_stays(tmp_path: Path) -> None:
    dead, abandoned = filling(tmp_path)
    alive, in_work = filling(tmp_path)
    try:
        dead.kill()
        dead.communicate(timeout=30)
        assert (abandoned / "part").exists(), "the control: a kill leaves its folder"
        with side_folder(tmp_path) as side:
            assert sorted(tmp_path.iterdir()) == sorted([side, in_work])
        assert (in_work / "part").read_bytes() == b"half of it"
    finally:
        alive.communicate("", timeout=30)
    assert alive.returncode == 0
    assert list(tmp_path.iterdir()) == [], "who ends in peace leaves nothing"


def test_many_at_once_never_take_one_another_for_abandoned(tmp_path: Path) -> None:
    def fill(number: int) -> None:
        with side_folder(tmp_path) as side:
            (side / "part").write_bytes(b"%d" % number)
            side.rename(tmp_path / str(number))

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(fill, range(200)))
    assert {path.name: path.joinpath("part").read_bytes() for path in tmp_path.iterdir()} == {
        str(number): b"%d" % number for number in range(200)
    }


def test_an_empty_folder_is_abandoned_only_when_it_is_no_longer_new(tmp_path: Path) -> None:
    new, old = tmp_path / f"{SIDE_PREFIX}new", tmp_path / f"{SIDE_PREFIX}old"
    for folder in (new, old):
        folder.mkdir()
    minutes_ago = time.time() - 2 * LOCKED_WITHIN_S
    os.utime(old, (minutes_ago, minutes_ago))
    with side_folder(tmp_path) as side:
        assert sorted(tmp_path.iterdir()) == sorted([side, new])


def test_what_only_has_the_name_of_a_side_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / f"{SIDE_PREFIX}file").write_bytes(b"")
    (tmp_path / f"{SIDE_PREFIX}link").symlink_to(tmp_path / "nowhere")
    with side_folder(tmp_path):
        assert len(list(tmp_path.iterdir())) == 3


def test_a_file_system_without_locks_is_told_and_costs_neither_a_folder_nor_a_descriptor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    before = psutil.Process().num_fds()
    with pytest.raises(OSError, match="No locks available"), side_folder(tmp_path):
        pytest.fail("nobody may fill a folder that is not locked")
    assert list(tmp_path.iterdir()) == []
    assert psutil.Process().num_fds() == before
