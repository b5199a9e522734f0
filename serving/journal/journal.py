"""The local append-only journal: every prediction and every piece of feedback is here before anything else has it.

A line is `crc32 json`, lines live in numbered segment files. A prediction is handed to the operating system before its answer is sent
(it survives the death of the process) and reaches the disk within a second (a power cut may cost that second). Feedback is on the disk
before it is acknowledged. A full journal refuses feedback and counts the predictions it drops; nothing vanishes silently.
"""

import fcntl
import os
import threading
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

import msgspec

from sentiment_platform.errors import ConflictError, TransientError
from serving.journal.journal_records import FeedbackRecord, PredictionRecord, ShadowRecord

Record = PredictionRecord | FeedbackRecord | ShadowRecord
SEGMENT_BYTES = 4 * 1024 * 1024
MAX_BYTES = 256 * 1024 * 1024
MAX_REJECTED_BYTES = 16 * 1024 * 1024
_SUFFIX = ".journal"
_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Record)


class JournalUnavailable(TransientError):
    """The journal is full or the disk refuses it."""


@dataclass(frozen=True)
class Segment:
    """What a segment holds: records in order, and the lines whose checksum or form is wrong (a torn tail, a damaged disk)."""

    records: list[Record]
    damaged: list[bytes]


class Journal:
    """The segments under one folder; one process at a time. `append` may be called on the event loop: it never waits for the disk."""

    def __init__(self, folder: Path, *, max_bytes: int = MAX_BYTES, segment_bytes: int = SEGMENT_BYTES) -> None:
        """Open the folder, keep what an earlier process left.

        Raises:
            ConflictError: another process writes here.
        """
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.folder = folder
        self._max_bytes = max_bytes
        self._segment_bytes = segment_bytes
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
        left = sorted(path for path in folder.glob(f"*{_SUFFIX}") if path.stem.isdigit())
        self._sizes = {path: path.stat().st_size for path in left}
        self._lines = {path: path.read_bytes().count(b"\n") for path in left}
        self.backlog_records = sum(self._lines.values())
        self._next_number = 1 + max((int(path.stem) for path in left), default=0)
        self._file = -1
        self._active = folder
        self._active_bytes = 0
        self._syncing = threading.Lock()
        self._unsynced = False
        self._sealed_unsynced: list[int] = []

    def append(self, record: Record) -> None:
        """Hand the record to the operating system.

        Raises:
            JournalUnavailable: the journal is full or the write failed; nothing of it stays.
        """
        content = _encoder.encode(record)
        line = b"%08x %s\n" % (crc32(content), content)
        with self._lock:
            if self.size_bytes + len(line) > self._max_bytes:
                raise JournalUnavailable(
                    f"The journal in {self.folder} is full.", remedy="Bring the database back; it empties by itself."
                )
            try:
                if self._file < 0:
                    self._open()
                if os.write(self._file, line) < len(line):
                    raise OSError("the disk took a part only")
            except OSError as error:
                # The next record starts a new segment, behind whatever part of this one was written.
                self._seal()
                raise JournalUnavailable(
                    f"The journal in {self.folder} cannot be written: {error}.", remedy="Free space on that disk."
                ) from error
            self._active_bytes += len(line)
            self._lines[self._active] = self._lines.get(self._active, 0) + 1
            self.backlog_records += 1
            self._unsynced = True
            if self._active_bytes >= self._segment_bytes:
                self._seal()

    def sync(self) -> None:
        """Return when everything appended so far is on the disk; waits for it, so call it off the event loop.

        Raises:
            JournalUnavailable: the disk did not confirm.
        """
        # A second caller waits for the first: its record may be among those that are just being written.
        with self._syncing:
            with self._lock:
                files, self._sealed_unsynced = self._sealed_unsynced, []
                if self._unsynced and self._file >= 0:
                    files.append(os.dup(self._file))
                self._unsynced = False
            if not files:
                return
            files.append(os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
            try:
                for file in files:
                    os.fsync(file)
            except OSError as error:
                raise JournalUnavailable(f"The journal cannot be synced: {error}.", remedy="Check that disk.") from error
            finally:
                for file in files:
                    os.close(file)

    def sealed(self) -> list[Path]:
        """Segments that are complete, oldest first; when there is none, the one being written is completed."""
        with self._lock:
            if not self._sizes and self._active_bytes:
                self._seal()
            return sorted(self._sizes)

    def discard(self, segment: Path) -> None:
        """Forget a segment whose records are committed elsewhere."""
        segment.unlink(missing_ok=True)
        with self._lock:
            self._sizes.pop(segment, None)
            self.backlog_records -= self._lines.pop(segment, 0)

    def set_aside(self, lines: list[bytes]) -> None:
        """Keep lines that nobody can take, for a person to look at; bounded."""
        path = self.folder / "rejected"
        if not path.exists() or path.stat().st_size < MAX_REJECTED_BYTES:
            with path.open("ab") as file:
                file.writelines(line + b"\n" for line in lines)

    @property
    def size_bytes(self) -> int:
        """Bytes on disk that wait to be shipped."""
        return sum(self._sizes.values()) + self._active_bytes

    def close(self) -> None:
        """Sync, close, release the folder. What is not shipped stays for the next process."""
        self.sync()
        with self._lock:
            self._seal()
        os.close(self._owner)

    def _open(self) -> None:
        self._active = self.folder / f"{self._next_number:012d}{_SUFFIX}"
        self._file = os.open(self._active, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._next_number += 1
        self._active_bytes = 0

    def _seal(self) -> None:
        if self._file < 0:
            return
        self._sizes[self._active] = self._active_bytes
        if self._unsynced:
            self._sealed_unsynced.append(self._file)
        else:
            os.close(self._file)
        self._unsynced = False
        self._file = -1
        self._active_bytes = 0


def read_segment(path: Path) -> Segment:
    """Read a segment; damaged lines are returned apart and stop nothing."""
    segment = Segment([], [])
    for line in path.read_bytes().split(b"\n"):
        if not line:
            continue
        checksum, _, content = line.partition(b" ")
        try:
            if int(checksum, 16) != crc32(content):
                raise ValueError("checksum")
            segment.records.append(_decoder.decode(content))
        except (ValueError, msgspec.MsgspecError):
            segment.damaged.append(line)
    return segment
