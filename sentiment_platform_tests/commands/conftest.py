import contextlib
import io
from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result

from sentiment_platform.cli import main
from sentiment_platform.settings import Settings

Invoke = Callable[..., Result]
OnTerminal = Callable[..., str]


class Terminal(io.StringIO):
    """Whatever is printed here is formatted for a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def environment(settings: Settings) -> dict[str, str]:
    """Of a process that uses this test's own servers."""
    return {
        "SENTIMENT_STATE_DIR": str(settings.state_dir),
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "SENTIMENT_REGISTRY_REPOSITORY": settings.registry_repository,
        "SENTIMENT_REGISTRY_URL": settings.registry_url,
        "SENTIMENT_REGISTRY_TOKEN": settings.registry_token,
        "SENTIMENT_SIGNING_KEYS": settings.signing_keys,
        "SENTIMENT_PUBLIC_KEYS": settings.public_keys,
        "COLUMNS": "200",
    }


@pytest.fixture
def invoke(environment: dict[str, str]) -> Invoke:
    """Runs a command line against this test's own servers, as a program would: nothing is a terminal."""

    def run(*arguments: str) -> Result:
        return CliRunner(env=environment).invoke(main, list(arguments), catch_exceptions=False)

    return run


@pytest.fixture
def on_terminal(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> OnTerminal:
    """Runs a command line as a person would: its output goes to a terminal of so many columns, and is returned."""

    def run(*arguments: str, columns: int = 200) -> str:
        for name, value in {**environment, "COLUMNS": str(columns), "TERM": "xterm-256color"}.items():
            monkeypatch.setenv(name, value)
        terminal = Terminal()
        with contextlib.redirect_stdout(terminal), contextlib.redirect_stderr(terminal), contextlib.suppress(SystemExit):
            main(list(arguments))
        return terminal.getvalue()

    return run
