"""What a person types wrongly is answered in two lines on stderr, what is wrong and what to do, and with the right exit status."""

import signal
import socket
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from sentiment_platform.cli import main
from sentiment_platform.commands.program import Program
from sentiment_platform.running.run_signals import RunInterrupted
from sentiment_platform_tests.commands.conftest import Invoke

FILES = {"EMPTY": b"", "BINARY": b"\x93\xfa\x00\xff,\xbc", "TITLES": b"headline,day\nExemplary raises its outlook,2025-11-24\n"}
TO_TITLES = ["--map", "title=headline,published_at=day"]

ASKED_WRONGLY: dict[str, tuple[list[str], str]] = {
    "no such command": (["nws"], "Did you mean 'news'?"),
    "no such command of a group": (["models", "lst"], "No such command 'lst'"),
    "no such option": (["models", "list", "--jso"], "No such option '--jso'"),
    "no argument": (["explain"], "Missing argument 'PREDICTION_ID'"),
    "one argument too many": (["market", "show", "EXM"], "unexpected extra argument"),
    "no text": (["predict", "  "], "it is empty; give a headline"),
    "no job": (["run", "nojob"], "The jobs are alert_job, baseline_job"),
    "no month": (["run", "collect_job", "--partition", "2025-13-01"], "'2025-13-01' is no day; write it like 2026-03-01"),
    "no day in a range": (["run", "collect_job", "--from", "2025-02-30", "--to", "2025-03-01"], "'2025-02-30' is no day"),
    "a day before the first": (
        ["run", "collect_job", "--from", "2017-01-01", "--to", "2018-01-05"],
        "For earlier ones set SENTIMENT_FIRST_DAY=2017-01-01",
    ),
    "a day that is to come": (["run", "collect_job", "--partition", "2931-01-01"], "is no day of collect_job. Its days are"),
    "a day for a job without days": (["run", "monitor_job", "--partition", "2026-03-02"], "Run it without --partition"),
    "a range for a job without days": (
        ["run", "monitor_job", "--from", "2026-03-02", "--to", "2026-03-03"],
        "run it without --from and --to",
    ),
    "no day for a job of days": (["run", "score_job"], "Give one with --partition, or a range"),
    "a range that ends before it begins": (
        ["run", "collect_job", "--from", "2026-03-02", "--to", "2026-03-01"],
        "--from 2026-03-02 is after --to 2026-03-01",
    ),
    "half a range": (["run", "collect_job", "--from", "2026-03-02"], "A range needs --from and --to"),
    "a day and a range": (
        ["run", "collect_job", "--partition", "2026-03-01", "--from", "2026-03-02", "--to", "2026-03-03"],
        "and no --partition",
    ),
    "again without a range": (["run", "collect_job", "--again"], "A range needs --from and --to"),
    "waiting runs of a day": (["run", "collect_job", "--waiting"], "--waiting takes no days"),
    "no tag": (["run", "monitor_job", "--tag", "nightly"], "write it as KEY=VALUE"),
    "no port": (["up", "--port", "70000"], "70000 is not in the range"),
    "a port in words": (["up", "--port", "http"], "'http' is not a valid integer"),
    "no patience": (["tick", "--timeout", "0"], "0 is not in the range"),
    "no rows": (["news", "quarantine", "--limit", "0"], "0 is not in the range"),
    "rows in words": (["labels", "agreement", "--limit", "all"], "'all' is not a valid integer"),
    "no map": (["news", "import", "TITLES"], "Missing option '--map'"),
    "a field that there is not": (["news", "import", "TITLES", "--map", "headline=title"], "fields are title"),
    "a map that is none": (["market", "import", "TITLES", "--map", "close"], "'--map'"),
    "a map of labels that is none": (["labels", "import", "TITLES", "--map", "tone=label"], "'--map'"),
    "no file": (["news", "import", "nowhere.csv", *TO_TITLES], "'nowhere.csv' does not exist"),
    "a folder for news": (["news", "import", ".", *TO_TITLES], "'.' is a directory"),
    "a folder for prices": (["market", "import", "."], "'.' is a directory"),
    "a folder for labels": (["labels", "import", "."], "'.' is a directory"),
    "no format": (["labels", "import", "TITLES", "--format", "excel"], "'excel' is not one of 'plain'"),
    "no kind": (["labels", "import", "TITLES", "--kind", "guess"], "'guess' is not one of 'human'"),
    "too short an id": (["labels", "show", "abc"], "give at least 6 characters"),
    "no time": (["models", "at", "yesterday"], "write it like 2026-03-01T09:30"),
    "no day of the calendar": (["models", "at", "2026-02-30"], "write it like 2026-03-01T09:30"),
    "brackets for a time": (["models", "at", "[/b] [noon]"], "[/b] [noon]"),
    "escapes for a time": (["models", "at", "\x1b[2J"], r"\x1b[2J"),
    "no version": (["models", "promote", "1.0", "--reason", "why not"], "versions look like v1.4.0-"),
    "a version of no family": (["models", "promote", "v1.0.0-oracle", "--reason", "why not"], "families are "),
    "a version without a reason": (["models", "promote", "v1.0.0-vader"], "Missing option '--reason'"),
    "no revision": (["models", "rollback", "--to", "0"], "0 is not in the range"),
    "a revision by its tag": (["models", "rollback", "--to", "deploy-000041"], "is not a valid integer"),
    "no trials": (["models", "search", "--trials", "0"], "0 is not in the range"),
    "no JSON": (["models", "search", "--trials", "1", "--parameters", "epochs"], "is no JSON object"),
    "no role": (["keys", "create", "--owner", "ada"], "Choose from: viewer, operator"),
    "a role that there is not": (
        ["keys", "create", "--role", "king", "--owner", "ada"],
        "'viewer', 'operator', 'promoter', 'admin'",
    ),
    "a key of no days": (["keys", "create", "--role", "viewer", "--owner", "ada", "--days", "0"], "0 is not in the range"),
}
TYPED_INTO_A_SETTING: dict[str, tuple[dict[str, str], str]] = {
    "a source that there is not": ({"SENTIMENT_SOURCES": "nosuch"}, "SENTIMENT_SOURCES names nosuch, which no catalogue has"),
    "a feed without an address": ({"SENTIMENT_FEEDS": "mine"}, "The feed 'mine' is not a name and an address"),
}
FAILED: dict[str, tuple[list[str], str]] = {
    "an unknown version": (["models", "promote", "v9.9.9-vader", "--reason", "why not"], "is not registered here"),
    "nothing to roll back": (["models", "rollback", "--to", "999"], "Nothing has been deployed yet"),
    "an unknown prediction": (["explain", "nothing-like-it"], "There is no prediction nothing-like-it"),
    "an unknown label": (["labels", "show", "0123456789"], "begins with 0123456789."),
    "an unknown key": (["keys", "revoke", "0123456789"], "nothing was revoked"),
    "labels in an empty file": (["labels", "import", "EMPTY"], "Its columns are none"),
    "news in an empty file": (["news", "import", "EMPTY", *TO_TITLES], "Its columns are none"),
    "a column that there is not": (["news", "import", "TITLES", "--map", "title=heading,published_at=day"], "heading"),
    "prices that are no text": (["market", "import", "BINARY"], "--encoding"),
    "prices of nobody": (["market", "import", "TITLES"], ""),
}


@pytest.mark.parametrize("mistake", [*ASKED_WRONGLY, *FAILED])
def test_a_mistake_is_two_lines_on_stderr_and_an_exit_status(invoke: Invoke, tmp_path: Path, mistake: str) -> None:
    status, (arguments, told) = (2, ASKED_WRONGLY[mistake]) if mistake in ASKED_WRONGLY else (1, FAILED[mistake])
    for name, content in FILES.items():
        (tmp_path / f"{name}.csv").write_bytes(content)
    answered = invoke(*(str(tmp_path / f"{word}.csv") if word in FILES else word for word in arguments))
    assert answered.exit_code == status, answered.output
    assert answered.stdout == ""
    what, to_do = answered.stderr.splitlines()
    assert what.startswith("Error: ")
    assert told in f"{what} {to_do}"
    assert to_do.startswith("Usage: sentiment-platform ") == (status == 2), to_do


@pytest.mark.parametrize("mistake", TYPED_INTO_A_SETTING)
def test_sources_that_cannot_be_are_two_lines_before_anything_is_started(tmp_path: Path, mistake: str) -> None:
    variables, told = TYPED_INTO_A_SETTING[mistake]
    answered = CliRunner(env={**variables, "SENTIMENT_STATE_DIR": str(tmp_path / "state")}).invoke(main, ["run", "collect_job"])
    assert (answered.exit_code, answered.stdout) == (1, "")
    what, to_do = answered.stderr.splitlines()
    assert what.startswith(f"Error: {told}")
    assert to_do
    assert not (tmp_path / "state").exists()


def test_a_worker_that_nobody_would_give_steps_to_ends_before_anything_is_started(tmp_path: Path) -> None:
    answered = CliRunner(env={"SENTIMENT_STATE_DIR": str(tmp_path / "state")}).invoke(main, ["worker", "short"])
    assert (answered.exit_code, answered.stdout) == (1, "")
    what, to_do = answered.stderr.splitlines()
    assert what == "Error: SENTIMENT_EXECUTOR is here: nobody would put a step into the queue."
    assert "SENTIMENT_EXECUTOR=celery" in to_do
    assert not (tmp_path / "state").exists()


def broken() -> Program:
    program = Program("sentiment-platform")

    @click.command()
    def divide() -> None:
        print(1 / 0)

    @click.command()
    def interrupted() -> None:
        raise KeyboardInterrupt

    @click.command()
    def cancelled() -> None:
        raise RunInterrupted(signal.SIGTERM)

    for command in (divide, interrupted, cancelled):
        program.add_command(command)
    return program


@pytest.mark.parametrize(
    ("command", "status", "told"),
    [
        ("interrupted", 130, ["Interrupted."]),
        (
            "cancelled",
            143,
            ["Error: The run was ended by SIGTERM; it is cancelled.", "Start it again: what it finished is kept."],
        ),
    ],
)
def test_what_a_signal_ended_exits_as_a_shell_reports_it(command: str, status: int, told: list[str]) -> None:
    ended = CliRunner().invoke(broken(), [command])
    assert (ended.exit_code, ended.stdout) == (status, "")
    assert [line for line in ended.stderr.splitlines() if line] == told


def test_a_defect_is_two_lines_that_name_v_which_shows_the_traceback_before_them() -> None:
    quiet = CliRunner().invoke(broken(), ["divide"])
    assert (quiet.exit_code, quiet.stdout) == (1, "")
    what, to_do = quiet.stderr.splitlines()
    assert what == "Error: Unexpected ZeroDivisionError: division by zero"
    assert "-v" in to_do
    loud = CliRunner().invoke(broken(), ["divide", "-v"])
    assert loud.exit_code == 1
    lines = loud.stderr.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert lines[-2:] == [what, to_do]


@pytest.mark.parametrize("arguments", [["-v", "models", "verify"], ["models", "-v", "verify"], ["models", "verify", "-v"]])
def test_v_stands_before_a_command_or_after_it_and_a_lost_registry_is_named(
    environment: dict[str, str], arguments: list[str]
) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        lost = environment | {"SENTIMENT_REGISTRY_URL": f"http://127.0.0.1:{closed.getsockname()[1]}/api/v3"}
        quiet = CliRunner(env=lost).invoke(main, [word for word in arguments if word != "-v"])
        loud = CliRunner(env=lost).invoke(main, arguments)
    assert (quiet.exit_code, loud.exit_code) == (1, 1)
    what, to_do = quiet.stderr.splitlines()
    assert "http://127.0.0.1" in what
    assert "ConnectError" in what
    assert "Traceback" in loud.stderr
    assert loud.stderr.splitlines()[-2:] == [what, to_do]
