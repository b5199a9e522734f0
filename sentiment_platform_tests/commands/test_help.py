"""Help comes at once and teaches: each command says what it does, with an example that the program itself understands."""

import json
import os
import re
import resource
import shlex
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from sentiment_platform.cli import main
from sentiment_platform_tests.commands.command_tree import commands, listings

LIMIT_S = 0.5
HEAVY = [
    "alembic",
    "dagster",
    "httpx",
    "matplotlib",
    "numpy",
    "onnxruntime",
    "optuna",
    "pandera",
    "polars",
    "psycopg",
    "redis",
    "rich.progress",
    "scipy",
    "sqlalchemy",
    "torch",
    "transformers",
]
PRINT_ALL_HELP = """
import json, sys
import click
from sentiment_platform.cli import main
from sentiment_platform_tests.commands.command_tree import commands, listings
def every(command, path):
    yield path
    for name, inner in getattr(command, "commands", {}).items():
        yield from every(inner, [*path, name])
for path in every(main, []):
    main([*path, "--help"], standalone_mode=False)
json.dump(sorted(sys.modules), sys.stderr)
"""


def help_of(path: tuple[str, ...]) -> str:
    shown = CliRunner().invoke(main, [*path, "--help"])
    assert shown.exit_code == 0
    return shown.stdout


def test_the_help_of_every_command_needs_less_than_half_a_second_and_nothing_heavy() -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([sys.executable, "-c", PRINT_ALL_HELP], capture_output=True, text=True, timeout=60, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert [name for name in HEAVY if name in json.loads(done.stderr)] == []
    assert done.stdout.count("Usage: ") == len(list(commands()))
    # Of the processor, for all of them in one process: another one that is busy meanwhile makes no difference.
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < LIMIT_S


@pytest.mark.parametrize("path", [path for path, _ in commands() if path], ids=" ".join)
def test_every_command_shows_an_example_of_itself_that_is_understood(path: tuple[str, ...]) -> None:
    examples = [line.strip() for line in help_of(path).splitlines() if line.strip().startswith("sentiment-platform ")]
    own = [line for line in examples if line.startswith(" ".join(("sentiment-platform", *path)))]
    assert own, f"no example of {' '.join(path)}"
    for example in examples:
        words = shlex.split(re.split(r" (?:[|>&]|\(|   )", example)[0])[1:]
        command: click.Command = main
        while isinstance(command, click.Group) and words:
            assert words[0] in command.commands, example
            command = command.commands[words.pop(0)]
        options = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
        assert {word for word in words if word.startswith("--")} <= options, example


@pytest.mark.parametrize("path", listings(), ids=" ".join)
def test_a_listing_says_the_shape_of_its_json(path: tuple[str, ...]) -> None:
    assert "As JSON: " in " ".join(help_of(path).split())


def test_defaults_are_shown() -> None:
    assert "[default: 20" in help_of(("news", "quarantine"))
    assert "[default: 300" in " ".join(help_of(("tick",)).split())


@pytest.mark.parametrize("path", [(), ("news",), ("models",)], ids=" ".join)
def test_a_group_alone_shows_its_help_and_succeeds(path: tuple[str, ...]) -> None:
    alone = CliRunner().invoke(main, list(path))
    assert (alone.exit_code, alone.stderr) == (0, "")
    assert alone.stdout == help_of(path)


def test_a_reader_that_goes_away_ends_it_silently() -> None:
    program = f'"{sys.executable}" -c "from sentiment_platform.cli import main; main()"'
    line = f"{program} news sources --catalogue | head -1; {program} --help | true"
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, timeout=60, check=False, env={**os.environ})
    assert done.stderr == ""
    assert len(done.stdout.splitlines()) == 1
