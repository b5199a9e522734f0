"""The first minutes as a person spends them: the demo in a terminal of 80 columns, a click in its Dagster UI, the window closed; then `up`.

One story over one state folder; the tests read what it left.
"""

import codecs
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

ROOT = Path(__file__).parents[2]
COMMAND = Path(sys.executable).with_name("sentiment-platform")
SILENCE_S = 10.0
LIMIT_S = 1500.0
WITH_UP_S = 60.0
"""Sensors of the daemon look every 30 to 300 seconds, and all of them when it starts: with its first sign of life."""
STAYS_UP = "Everything stays up until Ctrl-C."
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
LAUNCH = """mutation Launch($execution: ExecutionParams!) { launchRun(executionParams: $execution) {
    __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }"""
MATERIALIZE = {
    "selector": {
        "repositoryLocationName": "sentiment_platform",
        "repositoryName": "__repository__",
        "pipelineName": "__ASSET_JOB",
        "assetSelection": [{"path": ["drift_report"]}],
        "assetCheckSelection": [],
    },
    "mode": "default",
    "runConfigData": {},
}
"""What the button Materialize on the page of that asset sends."""
STATUS = "query Run($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"
BEATS = "{ instance { daemonHealth { allDaemonStatuses { required lastHeartbeatTime } } } }"
RUNS = "{ runsOrError { ... on Runs { results { runId jobName status } } } }"
pytestmark = [pytest.mark.slow, pytest.mark.timeout(LIMIT_S + 600)]


@dataclass(frozen=True, kw_only=True)
class Story:
    """What was seen. `crowding` is the largest load for each core meanwhile, at least 1: beside other work everything takes longer."""

    shown: str
    longest_silence_s: float
    crowding: float
    clicked: str
    left_behind: list[str]
    up_said: str
    runs_before_up: dict[str, str]
    runs_after_up: dict[str, str]
    up_exit_status: int
    left_behind_by_up: list[str]


def _as_a_terminal_starts_it() -> None:
    """With the terminal, and hearing what it says when it closes, also where the tests were started by something that does not (nohup)."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    for number in (signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)


class Terminal:
    """A program that has a terminal of 24 lines and 80 columns to itself."""

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            preexec_fn=_as_a_terminal_starts_it,  # nothing else runs in this test
        )
        os.close(theirs)
        self._heard_at = time.monotonic()
        # A character may come in two pieces.
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.shown, self.longest_silence_s, self.crowding = "", 0.0, 1.0

    def read_until(self, end: str) -> None:
        """Take in what is shown, and how long nothing was, until `end` is shown."""
        deadline = time.monotonic() + LIMIT_S
        while end not in self.shown:
            assert time.monotonic() < deadline, self.shown[-4000:]
            self.crowding = max(self.crowding, os.getloadavg()[0] / (os.cpu_count() or 1))
            if not select.select([self._ours], [], [], 1.0)[0]:
                continue
            try:
                piece = os.read(self._ours, 65536)
            except OSError:
                pytest.fail(f"The demo has ended:\n{self.shown[-4000:]}")
            now = time.monotonic()
            self.longest_silence_s, self._heard_at = max(self.longest_silence_s, now - self._heard_at), now
            self.shown += ESCAPES.sub("", self._decoder.decode(piece))

    def close_the_window(self) -> list[str]:
        """Command lines of what still runs once the program has ended."""
        return left_behind(self.process, lambda: os.close(self._ours))


def left_behind(process: "subprocess.Popen[Any]", end: Callable[[], object]) -> list[str]:
    children = psutil.Process(process.pid).children(recursive=True)
    assert len(children) > 5
    end()
    process.wait(180)
    _, alive = psutil.wait_procs(children, timeout=5)
    return [" ".join(one.cmdline()) for one in alive]


def environment(state: Path) -> dict[str, str]:
    ours = ("SENTIMENT_", "DAGSTER_", "TRANSFORMER_BASE", "DATABASE_", "REDIS_", "COLUMNS", "NO_COLOR", "PORT")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return kept | {"SENTIMENT_STATE_DIR": str(state), "TERM": "xterm-256color", "HF_HUB_OFFLINE": "1"}


def ask(url: str, query: str, **variables: Any) -> dict[str, Any]:
    answer = httpx.post(f"{url}/graphql", json={"query": query, "variables": variables}, timeout=60, trust_env=False)
    return answer.raise_for_status().json()["data"]


def materialize(url: str) -> str:
    """The status that a run ends with that was asked for as the UI asks."""
    launched = ask(url, LAUNCH, execution=MATERIALIZE)["launchRun"]
    assert launched["__typename"] == "LaunchRunSuccess", launched
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        status = ask(url, STATUS, id=launched["run"]["runId"])["runOrError"]["status"]
        if status in ("SUCCESS", "FAILURE", "CANCELED"):
            return str(status)
        time.sleep(1)
    return "nobody has executed it"


def runs(url: str) -> dict[str, str]:
    return {one["runId"]: f"{one['jobName']} {one['status']}" for one in ask(url, RUNS)["runsOrError"]["results"]}


def daemon_beats_since(url: str, at: float) -> bool:
    """Whether every part of the daemon has given a sign of life since that time (Unix seconds)."""
    parts = ask(url, BEATS)["instance"]["daemonHealth"]["allDaemonStatuses"]
    return all((part["lastHeartbeatTime"] or 0) > at for part in parts if part["required"])


def dagster_url(said: str) -> str:
    found = re.search(r"Dagster UI +(http://127\.0\.0\.1:\d+)", said)
    assert found is not None, said[-2000:]
    return found[1]


def wait_for(condition: Callable[[], bool], what: str, limit_s: float = 240) -> None:
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.5)


def answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/server_info", timeout=5, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


@pytest.fixture(scope="module")
def story(servers_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Story:
    state = servers_dir / "terminal"
    state.mkdir()
    terminal = Terminal([str(COMMAND), "demo"], environment(state))
    terminal.read_until(STAYS_UP)
    url = dagster_url(terminal.shown)
    clicked = materialize(url)
    before = runs(url)
    after_the_window = terminal.close_the_window()
    said = tmp_path_factory.mktemp("up") / "said.txt"
    with said.open("w") as output:
        # As a shell starts a command in the background: it does not hear Ctrl-C.
        command = [
            sys.executable,
            "-c",
            f"import os,signal; signal.signal(2, signal.SIG_IGN); os.execv({str(COMMAND)!r}, ['x', 'up'])",
        ]
        began = time.time()
        up = subprocess.Popen(command, cwd=ROOT, env=environment(state), stdout=output, stderr=subprocess.STDOUT)
        try:
            wait_for(lambda: "API  " in said.read_text(), "up says no addresses")
            up_url = dagster_url(said.read_text())
            wait_for(lambda: answers(up_url), "the Dagster UI of up does not answer")
            wait_for(lambda: daemon_beats_since(up_url, began), "the daemon of up gives no sign of life")
            time.sleep(WITH_UP_S)
            after = runs(up_url)
            after_up = left_behind(up, lambda: up.send_signal(signal.SIGINT))
        finally:
            up.kill()
    return Story(
        shown=terminal.shown,
        longest_silence_s=terminal.longest_silence_s,
        crowding=terminal.crowding,
        clicked=clicked,
        left_behind=after_the_window,
        up_said=said.read_text(),
        runs_before_up=before,
        runs_after_up=after,
        up_exit_status=up.wait(),
        left_behind_by_up=after_up,
    )


def test_there_is_a_sign_of_life_at_least_every_10_seconds_until_the_demo_is_through(story: Story) -> None:
    assert story.longest_silence_s < SILENCE_S * story.crowding
    assert re.search(r"fine-tuning .*\d+/\d+, [\d.]+/s, \d+ s left", story.shown)


def test_nothing_of_the_summary_is_cut_off_at_80_columns(story: Story) -> None:
    summary = story.shown[story.shown.index("The loop in ") : story.shown.index("\nOpen\r\n")]
    # What is behind the last return to the start of a line is what remains of it.
    lines = [line.rstrip().rpartition("\r")[2] for line in summary.split("\n")]
    assert [line for line in lines if len(line) > 80] == []
    assert "…" not in summary
    assert re.search(r"v1\.1\.0-finbert . +0\.\d\d \(0\.\d\d to 0\.\d\d\)", summary)
    assert re.search(r"KSTN +. +7 +. \+0\.\d\d", summary)


def test_while_the_demo_runs_nothing_is_executed_but_its_own_jobs_and_what_was_clicked(story: Story) -> None:
    names = Counter(one.split()[0] for one in story.runs_before_up.values())
    own = {"bootstrap_job": 1, "collect_job": 2, "train_job": 1, "monitor_job": 1, "score_job": 1}
    assert names == {**own, "__ASSET_JOB": 1}


def test_what_is_materialized_in_the_dagster_ui_of_the_demo_ends_in_success(story: Story) -> None:
    assert story.clicked == "SUCCESS"


def test_closing_the_window_ends_the_demo_and_all_that_it_started(story: Story) -> None:
    assert story.left_behind == []


def test_up_after_the_demo_has_no_failed_run_and_starts_nothing_that_nobody_asked_for(story: Story) -> None:
    assert "train_job SUCCESS" in story.runs_before_up.values()
    assert set(story.runs_after_up.items()) == set(story.runs_before_up.items())
    assert {one.split()[1] for one in story.runs_after_up.values()} == {"SUCCESS"}
    said = " ".join(story.up_said.split())
    assert re.search(r"Nothing starts by itself: all \d+ schedules and sensors are off", said)
    assert "sentiment-platform up --automation on" in said


def test_an_interrupt_ends_up_in_the_background_too_with_all_that_it_started(story: Story) -> None:
    assert (story.up_exit_status, story.left_behind_by_up) == (0, [])
