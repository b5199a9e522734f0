import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from sentiment_platform_tests.leftovers import LEFT_BEHIND
from sentiment_platform_tests.source_code import ROOT

RUN = "import sys; from sentiment_platform_tests.leftovers import run; sys.exit(run(sys.argv[1:], grace_s=1.0))"
# A process of another session and without parents, as a daemon makes itself.
LEAK = "import subprocess, sys; p = subprocess.Popen(['sleep', '{}'], start_new_session=True); print(p.pid); sys.exit({})"


def watched(program: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-c", RUN, sys.executable, "-c", program]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


def test_a_test_that_leaves_a_process_behind_turns_the_run_red_and_the_process_is_named_and_ended(tmp_path: Path) -> None:
    (tmp_path / "test_leak.py").write_text("def test_leak():\n    " + LEAK.format(321, 0).replace("; sys.exit(0)", ""))
    result = watched(f"import pytest, sys; sys.exit(pytest.main(['-q', '-s', '-p', 'no:cacheprovider', {str(tmp_path)!r}]))")
    assert "1 passed" in result.stdout
    assert result.returncode == LEFT_BEHIND
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("left running")]
    assert line.endswith("sleep 321")
    assert not psutil.pid_exists(int(line.split()[2]))


@pytest.mark.parametrize("status", [0, 1])
def test_what_ends_in_time_changes_nothing(status: int) -> None:
    result = watched(LEAK.format(0.3, status))
    assert (result.returncode, "left running" in result.stderr) == (status, False)


def test_a_failed_run_keeps_its_status_and_a_killed_one_is_red() -> None:
    assert watched(LEAK.format(322, 1)).returncode == 1
    assert watched("import os; os.kill(os.getpid(), 9)").returncode == 128 + signal.SIGKILL
