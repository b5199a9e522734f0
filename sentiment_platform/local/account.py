"""Which operating-system user runs the servers, and where that user can read and write.

PostgreSQL refuses to run as root. Nothing here creates a user or widens the permissions of a folder that is not ours: where root's
folders are closed to the unprivileged user, copies of the programs and the data live outside them.
"""

import os
import pwd
import shutil
import stat
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sentiment_platform.errors import SettingsError

CANDIDATES = ("postgres", "nobody")
SHARED_ROOT = Path("/var/lib/sentiment-platform")


@dataclass(frozen=True)
class Account:
    """An unprivileged user."""

    name: str
    uid: int
    gid: int

    def can_enter(self, folder: Path) -> bool:
        """Whether this user can reach `folder` and read what is readable for all in it."""
        return all(_lets_in(self, parent) for parent in (folder, *folder.parents))


def unprivileged_account() -> Account | None:
    """The user that servers run as when we are root; None when we are not, and servers run as ourselves.

    Raises:
        SettingsError: root, and the machine has none of the users `postgres` and `nobody`.
    """
    if os.geteuid() != 0:
        return None
    for name in CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name, entry.pw_uid, entry.pw_gid)
    raise SettingsError(
        "PostgreSQL does not run as root, and this machine has no user `postgres` or `nobody`.",
        remedy="Run as another user, or set DATABASE_URL and REDIS_URL.",
    )


def own_folder(folder: Path, account: Account | None) -> Path:
    """Make `folder` (mode 0700) and give it to `account`."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if account is not None:
        os.chown(folder, account.uid, account.gid)
    folder.chmod(0o700)
    return folder


def reachable_home(state_dir: Path, account: Account | None, log: Callable[[str], None]) -> Path:
    """The folder for the servers' data: `state_dir`, or one of its own elsewhere when `account` cannot enter that.

    Elsewhere is /var/lib/sentiment-platform, for a temporary state folder the temporary directory. `state_dir/home` remembers which,
    so that a new state folder is never joined with old data.
    """
    if account is None or account.can_enter(state_dir):
        return state_dir
    mark = state_dir / "home"
    if not mark.exists():
        temporary = Path(tempfile.gettempdir()).resolve() in state_dir.parents
        parent = Path(tempfile.gettempdir()) if temporary else SHARED_ROOT
        parent.mkdir(parents=True, exist_ok=True, mode=0o755)
        mark.write_text(tempfile.mkdtemp(prefix="sentiment-", dir=parent))
        log(f"User {account.name} cannot enter {state_dir}: the servers' data is in {mark.read_text()}.")
    home = Path(mark.read_text())
    home.mkdir(parents=True, exist_ok=True)
    home.chmod(0o711)
    return home


def reachable_programs(folder: Path, version: str, account: Account | None) -> Path:
    """`folder` with programs, or a copy of it under /var/lib where `account` cannot enter it; `version` names the copy."""
    if account is None or account.can_enter(folder):
        return folder
    copy = SHARED_ROOT / "programs" / version
    if not copy.exists():
        copy.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
        unfinished = copy.with_name(f"{version}.{os.getpid()}")
        shutil.copytree(folder, unfinished, symlinks=True, ignore=shutil.ignore_patterns("include", "*.so.debug"))
        unfinished.rename(copy)
    return copy


def _lets_in(account: Account, folder: Path) -> bool:
    found = folder.stat()
    if found.st_uid == account.uid:
        return bool(found.st_mode & stat.S_IXUSR)
    if found.st_gid == account.gid:
        return bool(found.st_mode & stat.S_IXGRP)
    return bool(found.st_mode & stat.S_IXOTH)
