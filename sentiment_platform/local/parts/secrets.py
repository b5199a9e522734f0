"""Secrets that the local stack makes once and keeps: passwords and the two signing keys, mode 0600 under the state folder."""

import os
import secrets
from collections.abc import Callable
from pathlib import Path

from sentiment_platform.registry.signing import generate_private_key, public_key_of


def kept_secret(folder: Path, name: str, make: Callable[[], str] = lambda: secrets.token_urlsafe(24)) -> str:
    """The secret `name` of `folder`, made by `make` when it does not exist yet; folder mode 0700, file mode 0600."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / name
    if not path.exists():
        unfinished = path.with_name(f".{name}.{os.getpid()}")
        with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(make())
        unfinished.rename(path)
    return path.read_text()


def signing_environment(folder: Path) -> dict[str, str]:
    """SENTIMENT_SIGNING_KEYS and SENTIMENT_PUBLIC_KEYS: a model key and an operator key, kept in `folder`."""
    private = {role: kept_secret(folder, f"signing-{role}", generate_private_key) for role in ("model", "operator")}
    return {
        "SENTIMENT_SIGNING_KEYS": ",".join(f"{role}={key}" for role, key in private.items()),
        "SENTIMENT_PUBLIC_KEYS": ",".join(f"{role}={public_key_of(key)}" for role, key in private.items()),
    }
