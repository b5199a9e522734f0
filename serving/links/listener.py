"""One open stream of events: what waits to be sent to it, bounded."""

import asyncio
import contextlib
from collections import deque

from serving.links.event_frames import EventId

MOST_WAITING = 200
"""Events that one listener may be behind; whoever is further behind is let go and comes back with its last event."""


class Listener:
    """One open stream: frames that wait to be sent. `after`: the last event that its client has seen before."""

    def __init__(self, after: EventId | None) -> None:
        self.after = after
        self.over = False
        self._frames: deque[bytes] = deque()
        self._wake = asyncio.Event()

    def offer(self, frame: bytes) -> None:
        """Queue a frame; a listener whose queue is full is over."""
        if len(self._frames) >= MOST_WAITING:
            self.over = True
        else:
            self._frames.append(frame)
        self._wake.set()

    def end(self) -> None:
        """Nothing comes after what waits."""
        self.over = True
        self._wake.set()

    async def next(self, wait_s: float) -> bytes | None:
        """The next frame; b"" where none came within `wait_s` seconds, None when the stream is over."""
        if not self._frames and not self.over:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), wait_s)
        if self._frames:
            frame = self._frames.popleft()
            if not self._frames and not self.over:
                self._wake.clear()
            return frame
        return None if self.over else b""
