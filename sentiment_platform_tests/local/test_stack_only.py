"""`up --stack-only` and what it prints: a plain `dagster dev`, and a plain `dg dev`, over the local stack in a terminal of their own."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from sentiment_platform.local.processes.ports import free_port

ROOT = Path(__file__).parents[2]
START_LIMIT_S, STOP_LIMIT_S = 240.0, 120.0
CODE_LOCATIONS = """{ workspaceOrError { ... on Workspace { locationEntries {
    name loadStatus locationOrLoadError { __typename ... on RepositoryLocation { repositories { assetNodes { assetKey { path } } } } }
} } } }"""
pytestmark = [pytest.mark.slow, pytest.mark.timeout(2 * (START_LIMIT_S + STOP_LIMIT_S))]


@dataclass
class Terminal:
    """A program in a process group of its own; `printed` is the file that its words go to."""

    process: "subprocess.Popen[bytes]"
    printed: Path
    children: list[psutil.Process] = field(default_factory=list[psutil.Process])

    def said(self) -> str:
        return self.printed.read_text(errors="replace")

    def wait_until(self, condition: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + START_LIMIT_S
        while not condition():
            assert self.process.poll() is None, f"{what}; it ended\n{self.said()[-4000:]}"
            assert time.monotonic() < deadline, f"{what}\n{self.said()[-4000:]}"
            time.sleep(0.3)

    def interrupt(self) -> int:
        """Exit status after Ctrl-C, which a terminal sends to the whole group."""
        self.children = psutil.Process(self.process.pid).children(recursive=True)
        os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(STOP_LIMIT_S)


@contextmanager
def terminal(command: list[str], folder: Path, printed: Path, **variables: str) -> Generator[Terminal]:
    """Only the given variables beside PATH and HOME: what the program knows of the stack it has from `.env.local`."""
    home = folder.parent / "home"
    home.mkdir(exist_ok=True)
    environment = {"PATH": f"{Path(sys.executable).parent}:{os.defpath}", "HOME": str(home), "COLUMNS": "200"}
    with printed.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment | {"PYTHONUNBUFFERED": "1", "DAGSTER_DISABLE_TELEMETRY": "1"} | variables,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield Terminal(process, printed)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.fixture(scope="module")
def checkout(servers_dir: Path) -> Path:
    """A folder like a clone, so that no `.env.local` is written into the working tree."""
    folder = servers_dir / "stack-only" / "checkout"
    folder.mkdir(parents=True)
    for name in ("pyproject.toml", "dagster.yaml", "workspace.yaml", "sentiment_platform"):
        (folder / name).symlink_to(ROOT / name)
    return folder


@pytest.fixture(scope="module")
def stack(checkout: Path) -> Iterator[Terminal]:
    command = ["sentiment-platform", "up", "--stack-only"]
    printed = checkout.parent / "stack.txt"
    with terminal(command, checkout, printed, SENTIMENT_STATE_DIR=str(checkout.parent / "state")) as running:
        running.wait_until(lambda: "In another terminal: " in running.said(), "the stack does not say what to do next")
        yield running


def graphql(url: str, query: str) -> dict[str, Any]:
    answer = httpx.post(f"{url}/graphql", json={"query": query}, timeout=60, trust_env=False).raise_for_status().json()
    assert "errors" not in answer, answer
    return answer["data"]


def answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/server_info", timeout=10, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


def code_locations(url: str) -> list[dict[str, Any]]:
    return graphql(url, CODE_LOCATIONS)["workspaceOrError"]["locationEntries"]


@pytest.mark.parametrize("program", ["dagster dev", "dg dev"])
def test_the_printed_line_starts_a_plain_dagster_over_the_stack_with_every_asset(
    stack: Terminal, checkout: Path, program: str
) -> None:
    printed = re.search(r"In another terminal: (.*; )dagster dev +\(or: dg dev\)", stack.said())
    assert printed is not None, stack.said()
    port = free_port()
    line = f"{printed[1]}exec {program} --host 127.0.0.1 --port {port}"
    with terminal(["bash", "-c", line], checkout, checkout.parent / f"{program}.txt") as dagster:
        url = f"http://127.0.0.1:{port}"
        dagster.wait_until(lambda: answers(url), f"{program} does not answer")
        dagster.wait_until(
            lambda: any(one["loadStatus"] == "LOADED" for one in code_locations(url)), "no code location is loaded"
        )
        (location,) = code_locations(url)
        loaded = location["locationOrLoadError"]
        assert (location["name"], loaded["__typename"]) == ("sentiment_platform", "RepositoryLocation")
        assets = {node["assetKey"]["path"][0] for one in loaded["repositories"] for node in one["assetNodes"]}
        assert {"raw_news", "training_set", "vader_model", "finbert_model", "deployment", "retrain_decision"} <= assets
        # Not in a temporary folder, which is where Dagster keeps everything without DAGSTER_HOME.
        assert "PostgresRunStorage" in graphql(url, "{ instance { info } }")["instance"]["info"]
        dagster.interrupt()
        _, alive = psutil.wait_procs(dagster.children, timeout=STOP_LIMIT_S)
        assert alive == []


def test_a_shell_that_sourced_the_file_does_no_harm_to_the_stack(stack: Terminal, checkout: Path, tmp_path: Path) -> None:
    """In a folder that is no checkout: what it runs is kept in PostgreSQL, and clean shells find the whole stack afterwards."""
    state = checkout.parent / "state"
    files = state / "env", checkout / ".env.local"
    before = [file.read_bytes() for file in files]
    sourced = f"set -a; . {checkout}/.env.local; set +a; "
    command = f"{sourced} sentiment-platform models list && sentiment-platform run alert_job; sentiment-platform up --stack-only"
    with terminal(["bash", "-c", command], tmp_path, tmp_path.parent / "sourced.txt") as shell:
        assert shell.process.wait(START_LIMIT_S) == 1
        said = " ".join(shell.said().split())
    assert "alert_job succeeded" in said
    assert "Another local stack uses" in said
    assert [file.read_bytes() for file in files] == before
    assert not list(state.rglob("*.db"))
    with terminal(
        ["sentiment-platform", "models", "list"], tmp_path, tmp_path.parent / "clean.txt", SENTIMENT_STATE_DIR=str(state)
    ) as clean:
        assert clean.process.wait(START_LIMIT_S) == 0, clean.said()


def test_after_ctrl_c_neither_the_file_nor_a_process_is_left(stack: Terminal, checkout: Path) -> None:
    assert (checkout / ".env.local").stat().st_mode & 0o777 == 0o600
    assert stack.interrupt() == 0, stack.said()
    assert stack.children
    assert not (checkout / ".env.local").exists()
    _, alive = psutil.wait_procs(stack.children, timeout=STOP_LIMIT_S)
    assert alive == []
