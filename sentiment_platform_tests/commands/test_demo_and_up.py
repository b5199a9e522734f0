"""What `demo` and `up` refuse before they start anything."""

import socket
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from sentiment_platform.cli import main
from sentiment_platform.local.processes.ports import LOOPBACK, free_port


def run(state: Path, *arguments: str, **variables: str | None) -> Result:
    """On a state folder that would be made by whatever started."""
    nothing = dict.fromkeys(("DATABASE_URL", "REDIS_URL", "SENTIMENT_REGISTRY_REPOSITORY", "PORT"))
    environment = {**nothing, "SENTIMENT_STATE_DIR": str(state), **variables}
    return CliRunner(env=environment).invoke(main, list(arguments))


@pytest.mark.parametrize("command", ["demo", "up"])
def test_a_named_port_that_is_taken_is_two_lines_with_the_remedy_and_starts_nothing(command: str, tmp_path: Path) -> None:
    port = free_port()
    with socket.create_server((LOOPBACK, port)):
        by_option = run(tmp_path / "state", command, "--port", str(port))
        by_variable = run(tmp_path / "state", command, PORT=str(port))
    for refused, how in ((by_option, "--port"), (by_variable, "PORT")):
        assert refused.exit_code == 1
        problem, remedy = refused.stderr.splitlines()
        assert f"Port {port} of 127.0.0.1 is taken" in problem
        assert how in remedy
    assert not (tmp_path / "state").exists()


def test_the_demo_keeps_its_invented_headlines_from_servers_that_somebody_else_set_up(tmp_path: Path) -> None:
    refused = run(tmp_path / "state", "demo", DATABASE_URL="postgresql://somebody@elsewhere/real")
    assert refused.exit_code == 1
    problem, remedy = refused.stderr.splitlines()
    assert "DATABASE_URL" in problem
    assert "env -u DATABASE_URL" in remedy
    assert not (tmp_path / "state").exists()
