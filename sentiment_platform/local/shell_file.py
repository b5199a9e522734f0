"""`.env.local`: the variables of a running stack for a shell. Only the stack that it leads to writes it, and takes it away again."""

import shlex
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

from sentiment_platform.local.stack import ENV_FILE_MARK, LocalStack, stack_runs


def owner_of(path: Path) -> Path | None:
    """State folder of the stack that a file leads to; None where there is no file, or a person wrote it."""
    if not path.is_file():
        return None
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    if not lines or not lines[0].startswith(ENV_FILE_MARK):
        return None
    folders = [value for line in lines for name, _, value in [line.partition("=")] if name == "SENTIMENT_STATE_DIR"]
    return Path(shlex.split(folders[-1])[0]) if folders else Path()


@contextmanager
def for_shells(stack: LocalStack, path: Path) -> Generator[None]:
    """The variables of `stack` in a file, for the time of the block."""
    stack.write_env_file(path)
    try:
        yield
    finally:
        withdraw(path, stack.state_dir)


def append_variables(path: Path, variables: Mapping[str, str]) -> None:
    """Add variables to the file of a stack."""
    with path.open("a", encoding="utf-8") as file:
        file.writelines(f"{name}={shlex.quote(value)}\n" for name, value in variables.items())


def withdraw(path: Path, state_dir: Path) -> None:
    """Take a file away that leads to the stack on `state_dir`, or to one that no longer runs; a person's own stays."""
    owner = owner_of(path)
    if owner is not None and (owner == state_dir or not stack_runs(owner)):
        path.unlink(missing_ok=True)
