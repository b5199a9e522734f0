"""The Dockerfile, read by a small parser: fixed versions, an unprivileged user, a health check, and a process that gets its signals."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
EXTRAS = set(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"])


def instructions(text: str) -> list[tuple[str, str]]:
    """(INSTRUCTION, rest) in order, continuation lines joined, comments left out."""
    joined = re.sub(r"\\\n\s*", "", "\n".join(line for line in text.splitlines() if not line.startswith("#")))
    return [(word.upper(), rest) for line in joined.splitlines() if line.strip() for word, _, rest in [line.partition(" ")]]


def stages(text: str) -> dict[str, list[tuple[str, str]]]:
    """Stage name -> its instructions, preceded by those of the stage it is built from."""
    found: dict[str, list[tuple[str, str]]] = {}
    current = ""
    for word, rest in instructions(text):
        if word == "FROM":
            parent, _, current = rest.partition(" AS ")
            found[current] = list(found.get(parent, []))
        found[current].append((word, rest))
    return found


def dockerfile_problems(text: str) -> list[str]:
    """What is wrong with the images, one line each."""
    known = stages(text)
    found = [f"{rest}: no fixed version" for word, rest in instructions(text) if word == "FROM" and not _fixed(rest, known)]
    found += [f"{word} {rest}: use COPY" for word, rest in instructions(text) if word == "ADD"]
    for name in ("serving", "platform"):
        words = dict(known.get(name, []))
        users = [rest for word, rest in known.get(name, []) if word == "USER"]
        found += [] if users and users[-1] not in ("root", "0") else [f"{name}: runs as root"]
        found += [f"{name}: no {word}" for word in ("HEALTHCHECK", "VOLUME") if word not in words]
        start = words.get("ENTRYPOINT") or words.get("CMD") or ""
        found += [] if start.startswith("[") else [f"{name}: starts through a shell, which keeps signals from it"]
    for names in re.findall(r"\.\[([a-z,]+)\]", text):
        found += [f"extra {name} does not exist" for name in sorted(set(names.split(",")) - EXTRAS)]
    found += [
        f"{rest}: without constraints"
        for word, rest in instructions(text)
        if "pip install" in rest and "-c constraints.txt" not in rest
    ]
    return found


def _fixed(source: str, known: dict[str, Any]) -> bool:
    image = source.split()[0]
    return image in known or bool(re.search(r":(?!latest)[\w.-]*\d|@sha256:", image))


def test_the_images_are_pinned_run_as_a_user_and_say_whether_they_are_well() -> None:
    assert dockerfile_problems(DOCKERFILE) == []


@pytest.mark.parametrize(
    ("written", "instead", "seen"),
    [
        ("python:3.11-slim-bookworm", "python:latest", "no fixed version"),
        ("python:3.11-slim-bookworm", "python", "no fixed version"),
        ("USER app", "USER root", "runs as root"),
        ("USER app\n", "", "runs as root"),
        ("HEALTHCHECK", "LABEL a=b\n#", "no HEALTHCHECK"),
        ("COPY serving", "ADD serving", "use COPY"),
        ('ENTRYPOINT ["sentiment-platform", "serve"]', "ENTRYPOINT sentiment-platform serve", "through a shell"),
        ("[platform,train]", "[platform,cuda]", "extra cuda does not exist"),
        ("-c constraints.txt .", ".", "without constraints"),
    ],
)
def test_an_image_that_breaks_a_rule_is_seen(written: str, instead: str, seen: str) -> None:
    assert written in DOCKERFILE
    assert any(seen in problem for problem in dockerfile_problems(DOCKERFILE.replace(written, instead)))


def test_the_serving_image_holds_the_base_install_and_starts_serving() -> None:
    known = stages(DOCKERFILE)
    assert ("COPY", "--from=build-serving /opt/venv /opt/venv") in known["serving"]
    assert ("RUN", "pip install --no-cache-dir -c constraints.txt .") in known["build-serving"]
    assert json.loads(dict(known["serving"])["ENTRYPOINT"]) == ["sentiment-platform", "serve"]


def test_the_health_check_is_python_that_compiles() -> None:
    command = dict(stages(DOCKERFILE)["serving"])["HEALTHCHECK"].partition("CMD ")[2]
    compile(json.loads(command)[2], "HEALTHCHECK", "exec")


def test_everything_that_is_copied_exists_and_reaches_the_builder() -> None:
    kept = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = {
        name for word, rest in instructions(DOCKERFILE) if word == "COPY" and "--from" not in rest for name in rest.split()[:-1]
    }
    assert copied <= kept
    assert [name for name in sorted(kept) if not (ROOT / name).exists()] == []
