"""The state folder: one JSON document replaced atomically, one file for the bytes of each asset, one lock.

It survives `kill -9` at any point; it does not call fsync, so it is no store for anything that must survive a power cut.
"""

import fcntl
import hashlib
import threading
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from sentiment_platform.clock import Clock
from sentiment_platform.errors import ConflictError, PermanentError
from sentiment_platform.github_server.records import Asset, Release, RepositoryState


def _new_repository(full_name: str, now: datetime) -> RepositoryState:
    head = hashlib.sha1(f"{full_name} {now.isoformat()}".encode(), usedforsecurity=False).hexdigest()
    return RepositoryState(
        full_name=full_name,
        id=int(head[:7], 16),
        created_at=now,
        default_branch="main",
        commits={head: now},
        refs={"refs/heads/main": head},
    )


class RepositoryFolder:
    """Owns the state of one repository; every reader and writer goes through `reading` or `writing`."""

    def __init__(self, folder: Path, full_name: str, clock: Clock) -> None:
        self._folder = folder
        self._document = folder / "repository.json"
        self._lock = threading.RLock()
        self.clock = clock
        for name in ("blobs", "incoming"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        self._claim = (folder / "owner.lock").open("w")
        try:
            fcntl.flock(self._claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._claim.close()
            raise ConflictError(
                f"Another GitHub server already uses {folder}.", remedy="Stop it, or give this one its own folder."
            ) from None
        try:
            self._state = self._load(full_name)
        except BaseException:
            self._claim.close()
            raise
        self._remove_leftovers()

    def _load(self, full_name: str) -> RepositoryState:
        if not self._document.exists():
            state = _new_repository(full_name, self.now())
            self._save(state)
            return state
        try:
            state = msgspec.json.decode(self._document.read_bytes(), type=RepositoryState)
        except msgspec.MsgspecError as error:
            raise PermanentError(
                f"{self._document} is not readable: {error}.", remedy="Restore it or start with an empty folder."
            ) from error
        if state.full_name != full_name:
            raise PermanentError(f"{self._folder} holds {state.full_name}, not {full_name}.", remedy="Name another state folder.")
        return state

    def _save(self, state: RepositoryState) -> None:
        fresh = self._document.with_suffix(".new")
        fresh.write_bytes(msgspec.json.encode(state))
        fresh.replace(self._document)

    def _remove_leftovers(self) -> None:
        """Drop the bytes of uploads and deletions that a killed process did not finish."""
        known = {str(a.id) for r in self._state.releases.values() for a in r.assets if a.state == "uploaded"}
        for path in (self._folder / "incoming").iterdir():
            path.unlink()
        for path in (self._folder / "blobs").iterdir():
            if path.name not in known:
                path.unlink()

    @contextmanager
    def reading(self) -> Generator[RepositoryState]:
        with self._lock:
            yield self._state

    @contextmanager
    def writing(self) -> Generator[RepositoryState]:
        """Change the state and save it; a refusal inside leaves both memory and disk as they were.

        Raises `ConnectionError` after `close`: the folder may already belong to another server.
        """
        with self._lock:
            if self._claim.closed:
                raise ConnectionError("the server has stopped")
            before = msgspec.json.encode(self._state)
            try:
                yield self._state
                self._save(self._state)
            except BaseException:
                self._state = msgspec.json.decode(before, type=RepositoryState)
                raise

    def now(self) -> datetime:
        """Whole seconds: GitHub's timestamps have no fraction."""
        return self.clock().astimezone(UTC).replace(microsecond=0)

    def blob(self, asset_id: int) -> Path:
        return self._folder / "blobs" / str(asset_id)

    def incoming(self, asset_id: int) -> Path:
        return self._folder / "incoming" / str(asset_id)

    def close(self) -> None:
        with self._lock:
            self._save(self._state)
            self._claim.close()


def find_release(state: RepositoryState, release_id: int) -> Release | None:
    return state.releases.get(release_id)


def find_asset(state: RepositoryState, asset_id: int) -> tuple[Release, Asset] | None:
    for release in state.releases.values():
        for asset in release.assets:
            if asset.id == asset_id:
                return release, asset
    return None


def with_asset(release: Release, asset: Asset) -> Release:
    """The release with this asset put in, in place of the one with the same id if there is one."""
    others = tuple(a for a in release.assets if a.id != asset.id)
    return msgspec.structs.replace(release, assets=tuple(sorted((*others, asset), key=lambda a: a.id)))
