"""A person's change on its way through the registry thread: it is waited for so long, and what its caller was refused never happens later."""

import asyncio
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TypeVar

from sentiment_platform.errors import TransientError
from serving.live.poller import Poller

T = TypeVar("T")
CHANGE_S = 50.0
"""Less than the minute after which proxies give up."""
RECORDED_S = 20.0
"""What is being recorded has its own limit in the database, and the swap after it takes moments."""


class Change:
    """Until its record is being written its caller may give it up, and then nothing is begun, recorded or swapped in; from then on nobody may."""

    def __init__(self) -> None:
        self._ends = time.monotonic() + CHANGE_S
        self._lock = threading.Lock()
        self._given_up = False
        self._is_recorded = False

    async def carry_out(self, poller: Poller, work: Callable[[], T]) -> T:
        """What `work` returns, called on the registry thread.

        Raises:
            TransientError: it was not done within the limit, and will not be. What `work` raises.
        """

        def begun() -> T:
            self._require_caller()
            return work()

        running = asyncio.ensure_future(poller.on_thread(begun))
        # Where nobody waits any more, nobody asks for its error.
        running.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
        try:
            # Not cancelled with the request: a swap is never half done.
            return await asyncio.wait_for(asyncio.shield(running), self._ends - time.monotonic())
        except TimeoutError:
            if self._give_up():
                raise _not_done() from None
            return await asyncio.wait_for(asyncio.shield(running), RECORDED_S)
        finally:
            self._give_up()

    @contextmanager
    def recording(self) -> Generator[None]:
        """Around writing its record, after which it is swapped in.

        Raises:
            TransientError: its caller has given it up.
        """
        with self._lock:
            self._require_caller()
            self._is_recorded = True
        yield

    def _give_up(self) -> bool:
        with self._lock:
            self._given_up = not self._is_recorded
            return self._given_up

    def _require_caller(self) -> None:
        if self._given_up or time.monotonic() >= self._ends:
            raise _not_done()


def _not_done() -> TransientError:
    return TransientError(
        f"Nothing was changed: what came before it, or loading the version, took longer than {CHANGE_S:g} s.",
        remedy="Look at GET /models/status, and try again once no exchange is under way there.",
    )
