"""What goes wrong, in two lines on stderr: what, and what to do. The exit status says which kind it was.

Every error of every command arrives here (`program.py`), so that no command catches any to show it. What an error means that is not the
platform's own stands in `MEANINGS`.
"""

import traceback

import click

from sentiment_platform.commands.console import harmless, note, styled
from sentiment_platform.errors import PlatformError, SettingsError
from sentiment_platform.running.run_signals import RunInterrupted

FAILED, USAGE, INTERRUPTED = 1, 2, 130
"""Exit statuses: it did not work; it was asked for wrongly; Ctrl-C. A run that a signal ended has that signal's (130, 143)."""

_DATABASE = "Check DATABASE_URL and that the server runs: `sentiment-platform doctor` looks at every part."
_REDIS = "Check REDIS_URL and that the server runs: `sentiment-platform doctor` looks at every part."
_NETWORK = "Check the address and the network, then try again: `sentiment-platform doctor` looks at every part."

MEANINGS: dict[str, tuple[str, str]] = {
    "sqlalchemy.exc.OperationalError": ("PostgreSQL failed", _DATABASE),
    "sqlalchemy.exc.InterfaceError": ("PostgreSQL failed", _DATABASE),
    "sqlalchemy.exc.ProgrammingError": (
        "PostgreSQL refused a statement",
        "`sentiment-platform db upgrade` brings its tables up to date, `sentiment-platform db check` compares them.",
    ),
    "psycopg.OperationalError": ("PostgreSQL failed", _DATABASE),
    "psycopg2.OperationalError": ("PostgreSQL failed", _DATABASE),
    "redis.exceptions.RedisError": ("Redis failed", _REDIS),
    "github.GithubException.GithubException": (
        "The registry refused",
        "Check SENTIMENT_REGISTRY_REPOSITORY and what SENTIMENT_REGISTRY_TOKEN may do.",
    ),
    "requests.exceptions.RequestException": ("The registry was not reached", _NETWORK),
    "httpx.HTTPError": ("The network failed", _NETWORK),
    "builtins.OSError": ("The system refused", "Check the path, its permissions and the free space."),
}
"""By the class of an error or the nearest of its bases: what it means and what to do. By name, since importing the classes takes seconds."""


def report(error: BaseException, *, verbose: bool) -> int:
    """Say what went wrong on stderr, after its traceback where that was asked for; returns the exit status."""
    if verbose and not isinstance(error, click.UsageError):
        note("".join(traceback.format_exception(error)).rstrip())
    if isinstance(error, click.Abort) and isinstance(error.__cause__, RunInterrupted):
        error = error.__cause__
    if isinstance(error, click.Abort):
        note("Interrupted.")
        return INTERRUPTED
    what, remedy = explain(error)
    # Settings are refused together, one a line.
    lines = what.splitlines() if isinstance(error, SettingsError) else [what]
    note(styled("Error: " + "\n  ".join(map(_one_line, lines)), "bold red"))
    note(styled(_one_line(remedy), "yellow"))
    if isinstance(error, RunInterrupted):
        return error.exit_status
    return error.exit_code if isinstance(error, click.ClickException) else FAILED


def explain(error: BaseException) -> tuple[str, str]:
    """(what went wrong, what to do)."""
    if isinstance(error, PlatformError):
        return error.message, error.remedy
    if isinstance(error, RunInterrupted):
        return f"The run was {error}; it is cancelled.", "Start it again: what it finished is kept."
    if isinstance(error, click.UsageError):
        if error.ctx is None:
            return error.format_message(), "`sentiment-platform --help` shows every command."
        return error.format_message(), f"{error.ctx.get_usage()}   (`{error.ctx.command_path} --help` shows more)"
    if isinstance(error, click.ClickException):
        return error.format_message(), "Run it again with -v for the traceback."
    if isinstance(error, ModuleNotFoundError) and error.name:
        return _of_missing_module(error.name.partition(".")[0])
    for base in type(error).__mro__:
        if meaning := MEANINGS.get(f"{base.__module__}.{base.__qualname__}"):
            return f"{meaning[0]}: {_first_line(error)}", meaning[1]
    return (
        f"Unexpected {type(error).__name__}: {_first_line(error)}",
        "Run it again with -v for the traceback, and report it together with that.",
    )


def extra_of(module: str) -> str | None:
    """The extra of this package that brings a module; None: no extra does."""
    from importlib.metadata import PackageNotFoundError, requires

    try:
        requirements = requires("sentiment-platform") or []
    except PackageNotFoundError:
        return None
    name = module.replace("_", "-").lower()
    for requirement in requirements:
        package, _, condition = requirement.partition(";")
        if condition and package.lower().startswith(name):
            return condition.partition("==")[2].strip(" \"'")
    return None


def _of_missing_module(module: str) -> tuple[str, str]:
    extra = extra_of(module)
    wanted = extra or "platform,train,local"
    what = f"This command needs the extra {extra}" if extra else "This command needs a package that is not installed"
    return f"{what} (no module {module}).", f"Install it: pip install 'sentiment-platform[{wanted}]'"


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else "no message."


def _one_line(text: str) -> str:
    return " ".join(harmless(text).split())
