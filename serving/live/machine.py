"""What the serving processes of one machine, over one state folder, do once for all: look at the registry, fetch and try a version.

Here: the lock around loading, and the note of who looked at the registry last. Both are hints: where a neighbour hangs, each goes on alone.
"""

import contextlib
import fcntl
import os
import secrets
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import msgspec

from sentiment_platform.clock import Clock
from sentiment_platform.registry.cache import RegistryCache
from sentiment_platform.registry.deployment import Deployment
from sentiment_platform.registry.reader import LatestDeployment
from sentiment_platform.registry.refusal import Refused
from sentiment_platform.registry.succession import require_successor
from serving.contract.model_bodies import RegistryStatus

LOADING_S = 120.0
"""So long a process waits for a neighbour that loads: what that one fetches and tries is then there for both."""
PAUSE_S = 0.05
LOCK, LOOKED = "loading.lock", "looked.json"


class Look(msgspec.Struct, frozen=True):
    """A look at the registry by `process`, after which `revision`, the newest, was live there and kept on the disk."""

    process: str
    status: RegistryStatus
    etag: str | None
    revision: int


class Machine:
    """One process's view of its neighbours; for the registry thread.

    Args:
        folder: the registry cache that they share.
        fresh_s: so long nobody else needs to look at the registry.
    """

    def __init__(self, folder: Path, *, fresh_s: float, clock: Clock) -> None:
        self._folder = folder
        self._fresh_s = fresh_s
        self._clock = clock
        # Containers that share a folder may have the same process ids.
        self._process = secrets.token_hex(8)

    @contextmanager
    def alone(self, limit_s: float = LOADING_S) -> Generator[bool]:
        """While no neighbour fetches, tries, loads or prunes; False where one still does after `limit_s`, or nothing can be locked."""
        with contextlib.ExitStack() as held:
            yield self._locked(held, time.monotonic() + limit_s)

    def looked(self) -> Look | None:
        """The last look, where it was a neighbour's and is fresh."""
        try:
            look = msgspec.json.decode((self._folder / LOOKED).read_bytes(), type=Look)
        except (OSError, msgspec.MsgspecError):
            return None
        at = look.status.polled_at
        fresh = at is not None and timedelta(0) <= self._clock() - at < timedelta(seconds=self._fresh_s)
        return look if fresh and look.process != self._process else None

    def followed(self, live: Deployment, cache: RegistryCache) -> tuple[Look, LatestDeployment | None] | None:
        """The look of a neighbour that has `live` too, or what follows it: then with that deployment, from the disk."""
        look = self.looked()
        if look is None or look.revision < live.revision:
            return None
        if look.revision == live.revision:
            return look, None
        kept = next(cache.kept_latest(), None)
        if kept is None or kept.document.revision != look.revision:
            return None
        try:
            require_successor(kept.document, kept.data, live)
        except Refused:
            return None
        return look, replace(kept, etag=look.etag)

    def tell(self, status: RegistryStatus, etag: str | None, revision: int) -> None:
        """Neighbours need not look for a while."""
        side = self._folder / f".{LOOKED}.{self._process}"
        with contextlib.suppress(OSError):
            side.write_bytes(msgspec.json.encode(Look(self._process, status, etag, revision)))
            side.replace(self._folder / LOOKED)

    def _locked(self, held: contextlib.ExitStack, until: float) -> bool:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            file = os.open(self._folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError:
            return False
        held.callback(os.close, file)
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > until:
                    return False
                time.sleep(PAUSE_S)
            except OSError:
                return False
            else:
                return True
