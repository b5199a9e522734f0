"""The turns of the event loop: it looks at all sockets, runs what is ready, and looks again. Nobody may make a turn long.

While a turn lasts, what arrives lies in the kernel, where nobody sees its age, and nothing can be refused.
"""

import asyncio
import time

LONGEST_S = 0.01
"""No request is begun later than that in a turn."""


class Turns:
    """Used from one event loop, by every connection."""

    def __init__(self) -> None:
        self._looking = False
        self._busy = False
        self._began = 0.0
        self._came_at = 0.0
        self._asked_for_next = False

    def came_at(self) -> float:
        """`time.perf_counter()` when what is being read now arrived; to be called while it is read.

        What is read after a busy turn came at some time during that turn: its middle is taken. After an idle one it came just now.
        """
        if not self._looking:
            now = time.perf_counter()
            self._came_at = (now + self._began) / 2 if self._busy else now
            self._began = now
            self._looking = True
            asyncio.get_running_loop().call_soon(self._run_what_is_ready)
        return self._came_at

    async def short_one(self) -> None:
        """Wait for a turn in which there is still time to begin something."""
        while time.perf_counter() - self._began > LONGEST_S:
            if not self._asked_for_next:
                self._asked_for_next = True
                asyncio.get_running_loop().call_soon(self._begin)
            await asyncio.sleep(0)

    def _begin(self) -> None:
        self._asked_for_next = False
        if not self._looking:
            self._began = time.perf_counter()

    def _run_what_is_ready(self) -> None:
        self._looking = False
        self._busy = True
        # Runs in the next turn, after the sockets were looked at; with it waiting the loop does not sleep in between.
        asyncio.get_running_loop().call_soon(self._look_again)

    def _look_again(self) -> None:
        self._busy = self._looking
