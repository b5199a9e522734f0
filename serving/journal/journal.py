"""The local append-only journal: every prediction and every piece of feedback is here before anything else has it.

A line is `crc32 json`, in numbered segments of two lanes: predictions, and what is kept whatever comes (feedback, people's acts). A
prediction is handed to the operating system before its answer is sent, and reaches the disk within a second. Feedback is on the disk
before it is acknowledged. Where there is no room, the oldest predictions go first, and are counted; nothing vanishes silently.
"""

import asyncio
import fcntl
import logging
import os
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from zlib import crc32

import msgspec

from sentiment_platform.errors import ConflictError, TransientError
from serving.journal.journal_records import PredictionRecord, RollbackRecord, ShadowRecord
from serving.journal.lane import FULL_DISK, Lane
from serving.journal.segments import Record, rollbacks_in

SEGMENT_BYTES = 4 * 1024 * 1024
MAX_BYTES = 256 * 1024 * 1024
KEPT_SHARE = 0.25
"""Of the journal's bytes, for feedback and acts: predictions never take it."""
ACT_BYTES = 1024 * 1024
"""Beyond that share, for acts alone: a flood of feedback does not keep anybody from rolling back."""
MAX_REJECTED_BYTES = 16 * 1024 * 1024
_encoder = msgspec.json.Encoder()
logger = logging.getLogger(__name__)


class JournalUnavailable(TransientError):
    """The journal is full or the disk refuses it."""


class Journal:
    """The segments under one folder; one process at a time. `append` may be called on the event loop: it never waits for the disk.

    Args:
        max_bytes: what the folder may hold, `KEPT_SHARE` of it for feedback and acts.
        on_drop: called with the number of predictions that are given up for newer ones.
    """

    def __init__(
        self,
        folder: Path,
        *,
        max_bytes: int = MAX_BYTES,
        segment_bytes: int = SEGMENT_BYTES,
        on_drop: Callable[[int], object] = lambda _: None,
    ) -> None:
        """Open the folder, keep what an earlier process left.

        Raises:
            ConflictError: another process writes here.
        """
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.folder = folder
        self._on_drop = on_drop
        self._lock = threading.Lock()
        self._owner = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._owner, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._owner)
            raise ConflictError(
                f"Another process writes the journal in {folder}.",
                remedy="Stop it, or give this one its own SENTIMENT_STATE_DIR.",
            ) from None
        self._kept_bytes = int(max_bytes * KEPT_SHARE)
        self._prediction_bytes = max_bytes - self._kept_bytes
        # A dozen segments at least, so that dropping the oldest is a small loss.
        segment_bytes = max(1, min(segment_bytes, self._prediction_bytes // 12))
        # Segments of earlier versions hold all kinds of lines: they count as kept.
        self._kept = Lane(folder, "", segment_bytes=segment_bytes)
        self._predictions = Lane(folder, ".predictions", segment_bytes=segment_bytes)
        self._lanes = (self._predictions, self._kept)
        self._in_hand: Path | None = None
        self._syncing = threading.Lock()
        self._appended = self._synced = self._sync_failures = self._gave_up = 0

    @property
    def backlog_records(self) -> int:
        """Records that wait to be shipped."""
        return sum(lane.lines for lane in self._lanes)

    @property
    def size_bytes(self) -> int:
        """Bytes on disk that wait to be shipped."""
        return sum(lane.size_bytes for lane in self._lanes)

    @property
    def used(self) -> float:
        """Share of the room that is taken: of predictions, or of what is kept whatever comes, whichever is more."""
        return max(
            self._predictions.size_bytes / max(1, self._prediction_bytes), self._kept.size_bytes / max(1, self._kept_bytes)
        )

    def append(self, record: Record) -> None:
        """Hand the record to the operating system.

        Raises:
            JournalUnavailable: the journal is full or the write failed; nothing of it stays.
        """
        content = _encoder.encode(record)
        line = b"%08x %s\n" % (crc32(content), content)
        lane = self._predictions if isinstance(record, PredictionRecord | ShadowRecord) else self._kept
        with self._lock:
            self._require_room(lane, len(line), extra=ACT_BYTES if isinstance(record, RollbackRecord) else 0)
            try:
                self._write(lane, line)
            except OSError as error:
                raise JournalUnavailable(
                    f"The journal in {self.folder} cannot be written: {error}.", remedy="Free space on that disk."
                ) from error
            self._appended += 1

    def sync(self) -> None:
        """Return when everything appended so far is on the disk; waits for it, so call it off the event loop.

        Raises:
            JournalUnavailable: the disk did not confirm.
        """
        wanted, failures = self._appended, self._sync_failures
        # A second caller waits for the first: its record may be among those that are just being written, or that the disk refused.
        with self._syncing:
            if failures == self._sync_failures and wanted <= self._synced:
                return
            with self._lock:
                reached = self._appended
                files = {lane: lane.take_unsynced() for lane in self._lanes}
            try:
                for file in (number for numbers in files.values() for number in numbers.values()):
                    os.fsync(file)
                _sync_folder(self.folder)
            except OSError as error:
                self._sync_failures += 1
                with self._lock:
                    for lane, numbers in files.items():
                        lane.give_back(numbers)
                raise JournalUnavailable(f"The journal cannot be synced: {error}.", remedy="Check that disk.") from error
            for file in (number for numbers in files.values() for number in numbers.values()):
                os.close(file)
            self._synced = reached
            if failures != self._sync_failures:
                raise JournalUnavailable("The disk refused what was written at that moment.", remedy="Send it again.")

    async def confirmed(self, limit_s: float) -> None:
        """`sync`, for the event loop.

        Raises:
            JournalUnavailable: the disk did not confirm within `limit_s` seconds.
        """
        try:
            await asyncio.wait_for(asyncio.to_thread(self.sync), limit_s)
        except TimeoutError:
            raise JournalUnavailable(
                f"The disk of {self.folder} did not confirm within {limit_s:g} s.", remedy="Check that disk."
            ) from None

    def sealed(self) -> list[Path]:
        """Segments that are complete, predictions first, oldest first; of a lane that has none, the one being written is completed."""
        with self._lock:
            for lane in self._lanes:
                if not lane.sizes:
                    lane.seal()
            return [path for lane in self._lanes for path in sorted(lane.sizes)]

    @contextmanager
    def in_hand(self, segment: Path) -> Generator[None]:
        """While a segment is being shipped it is not given up."""
        with self._lock:
            self._in_hand = segment
        try:
            yield
        finally:
            self._in_hand = None

    def discard(self, segment: Path) -> None:
        """Forget a segment whose records are committed elsewhere."""
        with self._lock:
            for lane in self._lanes:
                if segment in lane.sizes:
                    lane.forget(segment)
            if self._gave_up and not self._predictions.sizes:
                logger.warning("the journal has room again; %d predictions were given up", self._gave_up)
                self._gave_up = 0

    def rollbacks_left(self) -> list[RollbackRecord]:
        """What a process before this one decided and did not ship."""
        return [record for path in sorted(self._kept.sizes) for record in rollbacks_in(path)]

    def set_aside(self, lines: list[bytes]) -> None:
        """Keep lines that nobody can take, for a person to look at; bounded."""
        path = self.folder / "rejected"
        if not path.exists() or path.stat().st_size < MAX_REJECTED_BYTES:
            with path.open("ab") as file:
                file.writelines(line + b"\n" for line in lines)

    def close(self) -> None:
        """Sync, close, release the folder. What is not shipped stays for the next process."""
        try:
            self.sync()
        finally:
            with self._lock:
                for lane in self._lanes:
                    lane.seal()
            os.close(self._owner)

    def _require_room(self, lane: Lane, length: int, *, extra: int) -> None:
        most = self._prediction_bytes if lane is self._predictions else self._kept_bytes + extra
        while lane.size_bytes + length > most:
            if lane is self._kept or not self._drop_oldest():
                raise JournalUnavailable(
                    f"The journal in {self.folder} is full.",
                    remedy="Bring the database back; it empties by itself. SENTIMENT_JOURNAL_BYTES bounds it.",
                )

    def _write(self, lane: Lane, line: bytes) -> None:
        try:
            lane.write(line)
        except OSError as error:
            if error.errno not in FULL_DISK or not self._drop_oldest():
                raise
            lane.write(line)

    def _drop_oldest(self) -> bool:
        """Give up the oldest segment of predictions that nobody ships just now."""
        oldest = next((path for path in sorted(self._predictions.sizes) if path != self._in_hand), None)
        if oldest is None:
            return False
        if not self._gave_up:
            logger.error("no room in the journal (%.0f %% of its bytes): the oldest predictions are given up", 100 * self.used)
        lost = self._predictions.forget(oldest)
        self._gave_up += lost
        self._on_drop(lost)
        return True


def _sync_folder(folder: Path) -> None:
    file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)
