"""What a command prints in a terminal, in a narrow one, and into a pipe: a process of its own, with a terminal that the system made."""

import os
import pty
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from sentiment_platform import commands
from sentiment_platform.commands.console import harmless

SHOW = """
from sentiment_platform.commands.console import note, say, show_table, styled
show_table(["name", "when", "rows"], [("first " * 20, styled("good", "bold green"), 1234), ("second", None, 5)], title="Two")
say(styled("told", "red"), " and ", "long " * 30)
note("beside")
"""
ESCAPE = "\x1b["


def on_a_terminal(columns: int, environment: Mapping[str, str] | None = None) -> str:
    master, slave = pty.openpty()
    variables = {**os.environ, "COLUMNS": str(columns), "TERM": "xterm-256color", **(environment or {})}
    done = subprocess.Popen([sys.executable, "-c", SHOW], stdout=slave, stderr=subprocess.DEVNULL, env=variables)
    os.close(slave)
    told = b""
    while True:
        try:
            read = os.read(master, 65536)
        except OSError:
            break
        if not read:
            break
        told += read
    os.close(master)
    assert done.wait(60) == 0
    return told.decode().replace("\r\n", "\n")


def piped(environment: Mapping[str, str] | None = None) -> tuple[str, str]:
    variables = {**os.environ, "COLUMNS": "40", **(environment or {})}
    done = subprocess.run([sys.executable, "-c", SHOW], capture_output=True, text=True, timeout=60, check=True, env=variables)
    return done.stdout, done.stderr


def test_piped_a_row_is_a_line_without_colours_and_hints_are_apart() -> None:
    told, beside = piped()
    assert told.splitlines() == [
        "Two",
        "name" + " " * 117 + "when  rows",
        ("first " * 20).strip() + "  good  1,234",
        "second" + " " * 121 + "5",
        "told and " + "long " * 30,
    ]
    assert beside == "beside\n"


def test_forced_colours_leave_a_piped_row_whole() -> None:
    told, _ = piped({"FORCE_COLOR": "1"})
    assert (("first " * 20).strip() + "  good  1,234") in told


def test_a_terminal_has_colours_and_every_line_fits_it() -> None:
    told = on_a_terminal(60)
    assert ESCAPE in told
    assert max(len(re.sub(r"\x1b\[[\d;]*m", "", line)) for line in told.splitlines()) <= 60
    assert told.count("first") == 20, "nothing is cut"


@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_whoever_wants_no_colours_gets_no_escape_at_all(environment: dict[str, str]) -> None:
    told = on_a_terminal(60, environment)
    assert "told" in told
    assert "\x1b" not in told


def test_a_terminal_that_is_too_narrow_for_the_columns_gets_a_block_a_row() -> None:
    lines = on_a_terminal(24, {"NO_COLOR": "1"}).splitlines()
    assert lines[(at := lines.index("name: second")) : at + 2] == ["name: second", "rows: 5"]


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ("a\x1b[31mred\x07", r"a\x1b[31mred\x07"),
        ("a\rb\x7f\x9b", r"a\rb\x7f\x9b"),
        ("left \u202eright\u2066", r"left \u202eright\u2066"),
        ("no character \udcff", r"no character \udcff"),
        ("tab\tand\nline, Überschrift 日本", "tab\tand\nline, Überschrift 日本"),
    ],
)
def test_powerful_characters_are_written_out_and_others_are_left(told: str, shown: str) -> None:
    assert harmless(told) == shown


def test_no_command_prints_past_the_console() -> None:
    """What rich gets from elsewhere would be read as markup, and what `print` gets would keep its power."""
    files = {path.name: path.read_text("utf-8") for path in Path(commands.__file__).parent.glob("*.py")}
    past = re.compile(r"^(?:from|import) rich\b|\bprint\(|\bclick\.s?echo\(|sys\.std(?:out|err)\.write\(", re.MULTILINE)
    assert {name for name, code in files.items() if past.search(code)} == {
        "console.py",
        "live_progress.py",  # writes to a console of `console.py`
        "program.py",  # click's own help
        "progress.py",
        "sources.py",  # the catalogue that is shipped
    }
