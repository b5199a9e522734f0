"""One kind of line on the disk: numbered segment files, the one that is being written, and what they take. `journal` has the locks."""

import errno
import os
from contextlib import suppress
from pathlib import Path

SUFFIX = ".journal"
FULL_DISK = frozenset({errno.ENOSPC, errno.EDQUOT})


class Lane:
    """Segments `<number><kind>.journal` in `folder`. Not thread-safe; each method may raise OSError, and then costs no file."""

    def __init__(self, folder: Path, kind: str, *, segment_bytes: int) -> None:
        self._folder = folder
        self._kind = kind
        self._segment_bytes = segment_bytes
        ending = kind + SUFFIX
        left = sorted(path for path in folder.glob(f"*{ending}") if path.name.removesuffix(ending).isdigit())
        self.sizes = {path: path.stat().st_size for path in left}
        """Of the segments that are complete, in bytes, oldest first."""
        self._lines = {path: path.read_bytes().count(b"\n") for path in left}
        self._next_number = 1 + max((int(path.name.removesuffix(ending)) for path in left), default=0)
        self._file = -1
        self._active = folder
        self._active_bytes = 0
        self._torn = False
        self._unsynced = False
        self._sealed_unsynced: dict[Path, int] = {}

    @property
    def size_bytes(self) -> int:
        """Bytes on the disk."""
        return sum(self.sizes.values()) + self._active_bytes

    @property
    def lines(self) -> int:
        """Lines in all segments."""
        return sum(self._lines.values())

    def write(self, line: bytes) -> None:
        """Append a whole line, or nothing: what a failing disk took of it is cut off, or ended by the next line."""
        if self._file < 0:
            self._open()
        whole = b"\n" + line if self._torn else line
        try:
            if os.write(self._file, whole) < len(whole):
                raise OSError(errno.ENOSPC, "the disk took a part only")
        except OSError:
            self._cut_back()
            raise
        self._torn = False
        self._unsynced = True
        self._active_bytes += len(whole)
        self._lines[self._active] = self._lines.get(self._active, 0) + 1
        if self._active_bytes >= self._segment_bytes:
            self.seal()

    def seal(self) -> None:
        """Complete the segment that is being written; one without a line is not kept."""
        if self._file < 0:
            return
        if self._active_bytes:
            self.sizes[self._active] = self._active_bytes
        else:
            with suppress(OSError):
                self._active.unlink(missing_ok=True)
        if self._unsynced:
            self._sealed_unsynced[self._active] = self._file
        else:
            os.close(self._file)
        self._file, self._active_bytes, self._torn, self._unsynced = -1, 0, False, False

    def forget(self, segment: Path) -> int:
        """Delete a complete segment; returns how many lines it had."""
        segment.unlink(missing_ok=True)
        if (file := self._sealed_unsynced.pop(segment, None)) is not None:
            # Its room is free once nobody has it open.
            os.close(file)
        self.sizes.pop(segment, None)
        return self._lines.pop(segment, 0)

    def take_unsynced(self) -> dict[Path, int]:
        """Descriptors of what was written and is not on the disk yet; whoever takes them closes them, or gives them back."""
        files, self._sealed_unsynced = self._sealed_unsynced, {}
        if self._unsynced and self._file >= 0:
            files[self._active] = os.dup(self._file)
        self._unsynced = False
        return files

    def give_back(self, files: dict[Path, int]) -> None:
        """They did not reach the disk: the next one who takes what is unsynced has them again."""
        for path, file in files.items():
            if path in self.sizes:
                self._sealed_unsynced[path] = file
                continue
            os.close(file)
            if path == self._active:
                self._unsynced = True

    def _open(self) -> None:
        path = self._folder / f"{self._next_number:012d}{self._kind}{SUFFIX}"
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._active = path
        self._next_number += 1
        self._active_bytes = 0

    def _cut_back(self) -> None:
        try:
            os.ftruncate(self._file, self._active_bytes)
        except OSError:
            self._torn = True
            with suppress(OSError):
                self._active_bytes = max(self._active_bytes, os.fstat(self._file).st_size)
