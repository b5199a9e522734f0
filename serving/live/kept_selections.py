"""What people selected, beside the kept deployments: a start while the database is away answers with it, and neighbours follow a rollback.

It only names versions; a signed deployment has to vouch for each, as for those that the database knows, and its word ends these.
"""

import logging
import os
import secrets
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from serving.live.selections import Selection
from serving.live.snapshot import Facts, Snapshot

FILE = "selections.json"
MAX_BYTES = 1024 * 1024
logger = logging.getLogger(__name__)


class KeptSelections:
    """The file in `folder`, written whole or not at all; safe to use from several threads."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._lock = threading.Lock()
        self._written: list[Selection] | None = None
        self._seen = self._state()

    def read(self) -> list[Selection]:
        """Those that were in force when they were kept last; none where the file is missing or damaged."""
        try:
            with self._path.open("rb") as file:
                content = file.read(MAX_BYTES + 1)
            return msgspec.json.decode(content, type=list[Selection])
        except FileNotFoundError:
            return []
        except (OSError, msgspec.MsgspecError) as error:
            logger.warning("%s is left out: %s", self._path, error)
            return []

    def rollback_elsewhere(self, live: Facts) -> list[Selection]:
        """What a neighbour has put there since the last look: a rollback, of a deployment that no rollback leaves here yet."""
        seen, self._seen = self._seen, self._state()
        if seen == self._seen:
            return []
        left = {one.expected_revision for one in live.selections if one.restores is not None}
        return [one for one in self.read() if one.restores is not None and one.expected_revision not in left]

    def keep(self, selections: Sequence[Selection]) -> None:
        """These are in force now; what the disk refuses is logged."""
        with self._lock:
            if self._written != list(selections):
                self._write(selections)

    def before(self, announce: Callable[[Snapshot], object]) -> Callable[[Snapshot], object]:
        """`announce` of what is live now, with its selections kept first."""

        def kept_and_announced(live: Snapshot) -> object:
            self.keep(live.selections)
            return announce(live)

        return kept_and_announced

    def _state(self) -> tuple[int, int] | None:
        try:
            state = os.stat(self._path)
        except OSError:
            return None
        return state.st_ino, state.st_mtime_ns

    def _write(self, selections: Sequence[Selection]) -> None:
        # Processes of one machine share the folder.
        side = self._path.with_suffix(f".{secrets.token_hex(4)}")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            side.write_bytes(msgspec.json.encode(list(selections)))
            side.replace(self._path)
        except OSError as error:
            logger.warning("what people selected is not kept for the next start: %s", error)
            with suppress(OSError):
                side.unlink(missing_ok=True)
            return
        self._written = list(selections)
