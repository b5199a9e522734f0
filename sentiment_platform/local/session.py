"""One environment for a command: real URLs where they are set, the running local stack where there is one, else a stack of its own.

A command that starts a stack stops it again; data stays in the state folder. The variables are put into this process's environment
because Dagster's configuration and child processes read them there. What the shell or `.env` sets is never replaced.
"""

import os
import shlex
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, nullcontext
from importlib.util import find_spec
from pathlib import Path

from sqlalchemy import Engine

from sentiment_platform.errors import ConflictError
from sentiment_platform.local.joining import taken_over
from sentiment_platform.local.shell_file import for_shells, owner_of
from sentiment_platform.local.stack import LocalStack, stack_runs
from sentiment_platform.running.dead_runs import end_dead_runs, end_interrupted_runs
from sentiment_platform.settings import Settings
from sentiment_platform.store.dagster_storage import create_dagster_schema
from sentiment_platform.store.engine import create_platform_engine
from sentiment_platform.store.migrate import upgrade

ENV_FILE = "env"
REMEMBERED = "remembered.env"
"""What later commands on the same state folder go on with, unless the environment says otherwise."""


def env_file(settings: Settings) -> Path:
    """Where a running stack writes its variables for other commands."""
    return settings.state_dir.resolve() / ENV_FILE


@contextmanager
def connected_session(log: Callable[[str], None] = lambda _: None) -> Generator[tuple[Settings, Engine]]:
    """A `session` and an engine on its database, disposed of however the block ends."""
    with session(log=log) as settings:
        engine = create_platform_engine(settings.require("database_url"))
        try:
            yield settings, engine
        finally:
            engine.dispose()


def _require_extra() -> None:
    """Before servers are started for nothing: what a session uses later, and an installation of serving alone lacks."""
    for module in ("alembic", "dagster"):
        if find_spec(module) is None:
            raise ModuleNotFoundError(f"No module named {module!r}", name=module)


@contextmanager
def session(
    *,
    feeds_directory: Path | None = None,
    log: Callable[[str], None] = lambda _: None,
    join: bool = True,
    shell_file: Path | None = None,
) -> Generator[Settings]:
    """Complete settings over a migrated database, for the time of the block.

    Args:
        feeds_directory: feed files to serve and collect; only together with the local database.
        join: use a stack that another process runs on the same state folder; False makes that an error.
        shell_file: gets the variables of the stack for a shell, for the time of the block.

    Raises:
        ConflictError: another process runs a stack on the state folder, and `join` is False; or `shell_file` is of another one that runs.
    """
    _require_extra()
    before = dict(os.environ)
    for name, value in read_env_file(Settings.from_environment().state_dir / REMEMBERED).items():
        os.environ.setdefault(name, value)
    configured = Settings.from_environment()
    # The sample's invented headlines must never reach a database that somebody else set up.
    stack = LocalStack(configured, feeds_directory=None if configured.database_url else feeds_directory, log=log)
    try:
        try:
            if not join:
                _refuse_beside_another(stack, shell_file)
            stack.start()
            os.environ.update(stack.environment)
            # In a shell that knows all parts nothing was started, and the file is of whoever did that.
            if stack.starts_parts:
                stack.write_env_file(env_file(stack.settings))
        except ConflictError:
            variables = read_env_file(env_file(stack.settings)) if join else {}
            if not variables:
                raise
            os.environ.update(taken_over(variables, os.environ))
        settings = Settings.from_environment()
        create_dagster_schema(settings.direct_database_url())
        upgrade(settings.direct_database_url())
        # Nothing outlives a PostgreSQL of our own; with another, runs of others may be alive.
        close = end_interrupted_runs if "DATABASE_URL" in stack.environment else end_dead_runs
        close(settings.direct_database_url(), log)
        with for_shells(stack, shell_file) if shell_file else nullcontext():
            yield settings
    finally:
        stack.stop()
        os.environ.clear()
        os.environ.update(before)


def _refuse_beside_another(stack: LocalStack, shell_file: Path | None) -> None:
    """A shell that sourced the variables of a running stack names all parts, so that no lock would tell."""
    if not stack.starts_parts and stack_runs(stack.state_dir):
        raise ConflictError(
            f"Another local stack uses {stack.state_dir}.",
            remedy="Stop it with Ctrl-C where it runs, or set another SENTIMENT_STATE_DIR.",
        )
    if shell_file is not None and (other := owner_of(shell_file)) and other != stack.state_dir and stack_runs(other):
        raise ConflictError(
            f"{shell_file} leads to another local stack, which runs on {other}.",
            remedy="Stop it with Ctrl-C where it runs, or start this one in another folder.",
        )


def variables_of_commands() -> dict[str, str]:
    """The environment that a `session` would have here, without starting anything: shell and `.env`, what is remembered, a running stack."""
    variables = dict(os.environ)
    variables = read_env_file(Settings.from_environment(variables).state_dir / REMEMBERED) | variables
    settings = Settings.from_environment(variables)
    if stack_runs(settings.state_dir):
        variables |= taken_over(read_env_file(env_file(settings)), variables)
    return variables


def remember(settings: Settings, variables: Mapping[str, str]) -> None:
    """Let every later `session` on this state folder begin with `variables`."""
    path = settings.state_dir / REMEMBERED
    kept = read_env_file(path) | dict(variables)
    fresh = path.with_suffix(f".{os.getpid()}")
    fresh.write_text("".join(f"{name}={shlex.quote(value)}\n" for name, value in kept.items()))
    fresh.replace(path)


def read_env_file(path: Path) -> dict[str, str]:
    """Variables of a file that `LocalStack.write_env_file` or `remember` wrote; empty where there is none."""
    if not path.exists():
        return {}
    pairs = (line.partition("=") for line in path.read_text().splitlines() if "=" in line and not line.startswith("#"))
    return {name: shlex.split(value)[0] if value else "" for name, _, value in pairs}
