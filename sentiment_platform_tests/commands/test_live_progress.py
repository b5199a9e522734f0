"""Signs of life: what a long command is doing reaches the terminal, whatever a run does to descriptors 1 and 2 meanwhile."""

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
import threading
from pathlib import Path

import pytest

from sentiment_platform.commands.live_progress import LiveProgress
from sentiment_platform.models.family import Progress

REDIRECTED = """
import os, sys, time
from sentiment_platform.commands.live_progress import LiveProgress
from sentiment_platform.models.family import Progress
with LiveProgress() as live:
    live.step("a step [/b]")
    kept = os.dup(1)
    for number in (1, 2):
        os.dup2(os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT), number)
    print("a line of the run", flush=True)
    live(Progress(stage="fit [/x]", done=100, total=400, rate=50.0, remaining_s=6.0))
    time.sleep(6)
    live(Progress(stage="fit [/x]", done=400, total=400, rate=50.0, remaining_s=0.0, note="loss 0.1"))
    os.dup2(kept, 1)
"""


def in_a_terminal(log: Path) -> str:
    """What a terminal of 80 columns shows of the program above."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    shown: list[bytes] = []

    def read() -> None:
        try:
            while piece := os.read(ours, 65536):
                shown.append(piece)
        except OSError:
            return

    command = [sys.executable, "-c", REDIRECTED, str(log)]
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=os.environ | {"TERM": "xterm"})
    os.close(theirs)
    reader = threading.Thread(target=read)
    reader.start()
    assert process.wait(60) == 0
    reader.join(10)
    os.close(ours)
    return b"".join(shown).decode(errors="replace")


def test_bars_move_in_a_terminal_while_the_run_has_redirected_its_output(tmp_path: Path) -> None:
    log = tmp_path / "log"
    shown = in_a_terminal(log)
    assert "a step [/b]" in shown
    assert "fit [/x]" in shown
    assert "100/400, 50/s, 6 s left" in shown
    assert "0:00:05" in shown
    assert "fit [/x]: 400 (loss 0.1)" in shown
    # The control: what the run itself prints goes where the run wants it.
    assert "a line of the run" not in shown
    assert log.read_text() == "a line of the run\n"


def test_where_lines_cannot_move_a_plain_line_comes_every_few_seconds(tmp_path: Path) -> None:
    command = [sys.executable, "-c", REDIRECTED, str(tmp_path / "log")]
    printed = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    assert printed.splitlines() == [
        "  ... a step [/b], 5 s; fit [/x] 100/400, 50/s, 6 s left",
        "  fit [/x]: 400 (loss 0.1)",
    ]


def test_the_end_of_a_stage_is_told_once_and_lines_are_never_wrapped(capsys: pytest.CaptureFixture[str]) -> None:
    ended = Progress(stage="fit", done=4, total=4, rate=0.0, remaining_s=0.0)
    with LiveProgress() as live:
        live(ended)
        live(ended)
        live.say("[b]" + "x" * 300)
    assert capsys.readouterr().out.splitlines() == ["  fit: 4", "[b]" + "x" * 300]
