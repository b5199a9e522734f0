"""`.env` of the working folder: settings and keys that need not be exported in every shell.

The shell wins over the file; `sentiment_platform.local.session` says what of a running local stack comes below both. Values are taken
as they are written: `$` means nothing in them, quotes do. No message quotes a value.
"""

import os
from collections.abc import MutableMapping
from pathlib import Path

from sentiment_platform.errors import SettingsError

ENV_FILE = Path(".env")


def load_env_file(environ: MutableMapping[str, str] | None = None, path: Path = ENV_FILE) -> None:
    """Add the variables of `path` that `environ` (default: the process environment) does not have; an empty one counts as there.

    Raises:
        SettingsError: the file cannot be read; names the line.
    """
    variables = os.environ if environ is None else environ
    for name, value in env_file_variables(path).items():
        variables.setdefault(name, value)


def env_file_variables(path: Path = ENV_FILE) -> dict[str, str]:
    """Name -> value of every line, the last of a name; empty where there is no such file (a folder of that name is none).

    Raises:
        SettingsError: the file is no UTF-8 text, or a line is no `NAME=value`; names the line.
    """
    if not path.is_file():
        return {}
    from dotenv.parser import parse_stream

    remedy = (
        "Write NAME=value on each line, as .env.example does; `#` begins a comment, and quotes are closed where they were opened."
    )
    try:
        with path.open(encoding="utf-8-sig") as lines:
            bindings = list(parse_stream(lines))
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"{path} cannot be read: {type(error).__name__}.", remedy="It must be a readable UTF-8 text."
        ) from error
    variables: dict[str, str] = {}
    for binding in bindings:
        if binding.error or (binding.key is not None and binding.value is None) or "\0" in (binding.value or ""):
            written = binding.original.string
            blank_before = written[: len(written) - len(written.lstrip())].count("\n")
            raise SettingsError(f"{path}, line {binding.original.line + blank_before}: this is no NAME=value.", remedy=remedy)
        if binding.key is not None:
            variables[binding.key] = binding.value or ""
    return variables
