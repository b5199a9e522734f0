"""The step of ci.yml, executed as GitHub would, with programs that only note how they were called in place of make, apt-get and id."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from sentiment_platform_tests.workflows.runner import Outcome, Workflow, run_job

ROOT = Path(__file__).parents[2]
CI = Workflow.parse("ci.yml", (ROOT / ".github" / "workflows" / "ci.yml").read_text())
BY_APT = ["apt-get -qq update", "apt-get -qq install -y --no-install-recommends chromium"]
RunCi = Callable[..., tuple[Outcome, list[str]]]


@pytest.fixture
def ci(tmp_path: Path) -> RunCi:
    """Run the job on a machine that has these programs; returns what its step did, and which of them were called, how."""
    checkout, programs, called = tmp_path / "checkout", tmp_path / "programs", tmp_path / "called.txt"
    (checkout / ".ci").mkdir(parents=True)
    shutil.copy(ROOT / ".ci" / "run", checkout / ".ci" / "run")
    programs.mkdir()
    for name in ("bash", "dirname", "tail"):
        (programs / name).symlink_to(shutil.which(name, path=os.defpath) or name)

    def program(name: str, script: str) -> None:
        path = programs / name
        path.write_text(f'#!/bin/sh\necho "{name} $*" >> {called}\n{script}\n')
        path.chmod(0o755)

    def run(*, user: int = 0, chromium: bool = False, apt_status: int = 0, make_status: int = 0) -> tuple[Outcome, list[str]]:
        program("python3", "exit 0")
        program("id", f"echo {user}")
        program("apt-get", f"echo 'E: no such mirror'; exit {apt_status}")
        program("make", f"exit {make_status}")
        if chromium:
            program("chromium", "exit 0")
        (job,) = CI.jobs_for({"github": {"ref": "refs/heads/main"}})
        (outcome,) = run_job(CI, job, {}, checkout=checkout, path=str(programs), timeout_s=60)
        noted = called.read_text().splitlines()
        return outcome, [line for line in noted if line.startswith(("make", "apt-get"))]

    return run


def test_a_machine_that_has_everything_is_checked_at_once(ci: RunCi) -> None:
    outcome, called = ci(chromium=True)
    assert (outcome.status, called) == (0, ["make check"]), outcome.output


def test_what_only_the_system_can_give_is_installed_first(ci: RunCi) -> None:
    outcome, called = ci()
    assert (outcome.status, called) == (0, [*BY_APT, "make check"]), outcome.output
    # A quiet success.
    assert "mirror" not in outcome.output


def test_without_root_nothing_is_installed_and_the_check_runs_all_the_same(ci: RunCi) -> None:
    outcome, called = ci(user=1000)
    assert (outcome.status, called) == (0, ["make check"])
    assert outcome.output == "Not installed, for want of apt-get or of root: chromium\n"


def test_an_installation_that_fails_is_told_and_the_check_runs_all_the_same(ci: RunCi) -> None:
    outcome, called = ci(apt_status=100)
    assert (outcome.status, called[-1]) == (0, "make check")
    assert outcome.output.startswith("Could not be installed: chromium\n")
    assert "no such mirror" in outcome.output


def test_a_red_check_is_a_red_step(ci: RunCi) -> None:
    outcome, called = ci(chromium=True, make_status=2)
    assert (outcome.status, called) == (2, ["make check"])
