"""The Dockerfile: hadolint has nothing to say, and what it does not know about our images holds.

It knows pinned bases, the last user, COPY and a start without a shell; it does not miss a user, a health check or a volume.
"""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from sentiment_platform_tests.hosts.files import DOCKERFILE, stage
from sentiment_platform_tests.source_code import ROOT

PLANTED = [
    ("python:3.11-slim-bookworm", "python:latest", "DL3007"),
    ("USER 10001:10001", "USER root", "DL3002"),
    ('ENTRYPOINT ["sentiment-platform", "serve"]', "ENTRYPOINT sentiment-platform serve", "DL3025"),
]


def hadolint(text: str) -> "subprocess.CompletedProcess[str]":
    command = [Path(sys.executable).with_name("hadolint"), "--no-color", "-"]
    return subprocess.run(command, input=text, capture_output=True, text=True, timeout=60, check=False)


def test_hadolint_has_nothing_to_say() -> None:
    result = hadolint(DOCKERFILE)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(("written", "instead", "rule"), PLANTED, ids=[rule for _, _, rule in PLANTED])
def test_hadolint_sees_a_planted_fault(written: str, instead: str, rule: str) -> None:
    assert written in DOCKERFILE
    result = hadolint(DOCKERFILE.replace(written, instead))
    assert (result.returncode, rule in result.stdout) == (1, True)


@pytest.mark.parametrize("name", ["serving", "platform", "proxy"])
def test_an_image_runs_as_a_user_keeps_its_state_and_says_whether_it_is_well(name: str) -> None:
    assert {line.split()[0] for line in stage(name).splitlines() if line} >= {"USER", "HEALTHCHECK", "VOLUME"}


def test_the_serving_image_holds_the_base_install_and_starts_serving() -> None:
    assert "RUN pip install --no-cache-dir -c constraints.txt .\n" in stage("build-serving")
    assert "COPY --from=build-serving /opt/venv /opt/venv" in stage("serving")
    assert 'ENTRYPOINT ["sentiment-platform", "serve"]' in stage("serving")


def test_whatever_is_installed_is_constrained_and_every_extra_exists() -> None:
    installs = re.findall(r"pip install .*", DOCKERFILE)
    assert [line for line in installs if "-c constraints.txt" not in line] == []
    named = {extra for names in re.findall(r"\.\[([a-z,]+)\]", DOCKERFILE) for extra in names.split(",")}
    assert named == {"platform", "train", "celery"}
    assert named <= set(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"])


def test_the_health_check_is_python_that_compiles() -> None:
    (command,) = re.findall(r"HEALTHCHECK .*\\\n +CMD (\[.*\])", stage("serving"))
    compile(json.loads(command)[2], "HEALTHCHECK", "exec")


def test_everything_that_is_copied_exists_and_reaches_the_builder() -> None:
    kept = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = {name for names in re.findall(r"^COPY (?!--from)(.*) \S+$", DOCKERFILE, re.MULTILINE) for name in names.split()}
    copied = {name.partition("/")[0] for name in copied}
    assert {"pyproject.toml", "sentiment_platform", "serving"} <= copied <= kept
    assert [name for name in sorted(kept) if not (ROOT / name).exists()] == []
