"""Which operating-system user runs the servers, and where that user can read and write.

PostgreSQL refuses to run as root. Nothing here creates a user or widens the permissions of a folder that is not ours: where root's
folders are closed to the unprivileged user, copies of the programs and the data live outside them.
"""

import os
import pwd
import shutil
import stat
import tempfile
from collections.abc import Callable, Sequence
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


def reachable_programs(root: Path, parts: Sequence[str], version: str, account: Account | None) -> Path:
    """`root`, or where `account` cannot enter one of its `parts` a copy of these alone; `version` names the copy.

    The parts keep their places below the root: programs find their libraries by relative paths.
    """
    if account is None or all(account.can_enter((root / part).parent) for part in parts):
        return root
    copy = SHARED_ROOT / "programs" / version
    if not copy.exists():
        copy.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
        unfinished = Path(tempfile.mkdtemp(prefix=f"{version}.", dir=copy.parent))
        unfinished.chmod(0o755)
        for part in parts:
            target = unfinished / part
            target.parent.mkdir(parents=True, exist_ok=True)
            if (root / part).is_dir():
                shutil.copytree(root / part, target, symlinks=True)
            else:
                shutil.copy2(root / part, target)
        # A second process that made the same copy meanwhile has won; ours is not needed.
        try:
            unfinished.rename(copy)
        except OSError:
            shutil.rmtree(unfinished)
    return copy


def _lets_in(account: Account, folder: Path) -> bool:
    status = folder.stat()
    if status.st_uid == account.uid:
        return bool(status.st_mode & stat.S_IXUSR)
    if status.st_gid == account.gid:
        return bool(status.st_mode & stat.S_IXGRP)
    return bool(status.st_mode & stat.S_IXOTH)
