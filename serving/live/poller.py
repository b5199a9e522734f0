"""When to look at the registry: at the start, then every `poll_s` with jitter; sooner while nothing is live and it cannot be reached."""

import asyncio
import logging
import random
import time
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from serving.links.database import Database, DatabaseUnavailable
from serving.live.live import LiveModels
from serving.live.selections import Selection, merged
from serving.live.snapshot import Snapshot
from serving.live.unrecorded import UnrecordedRollbacks

T = TypeVar("T")
RECOVERY_S = 3.0
NEIGHBOURS_S = 2.0
"""How often to see whether a neighbour has brought something new live, or went back."""
JITTER_SHARE = 0.1
SELECTIONS_LIMIT_S = 3.0
logger = logging.getLogger(__name__)


class Poller:
    """Drives `LiveModels` on a thread of its own, one piece of work at a time: polls and selections never interleave.

    Args:
        asked: how many requests there were; while nobody asks for anything, PostgreSQL is left asleep.
    """

    def __init__(
        self,
        live: LiveModels,
        database: Database,
        unrecorded: UnrecordedRollbacks,
        asked: Callable[[], int],
        *,
        poll_s: float,
    ) -> None:
        self._asked = asked
        self._asked_then = 0
        self._read: list[Selection] | None = None
        self._unrecorded = unrecorded
        self._live = live
        self._database = database
        self._poll_s = poll_s
        self._failures = 0
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="registry")
        self.started = asyncio.Event()
        """Set once the disk cache was tried: other background work, heavy to import, waits so that the first answer does not."""

    async def on_thread(self, work: Callable[[], T]) -> T:
        """Run `work` on the registry thread, after whatever it is doing."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    async def run(self) -> None:
        """Start from the disk cache, then poll until cancelled."""
        # What a neighbour decided, and the database does not have yet, holds for who starts meanwhile too.
        self._unrecorded.follow(self._live.kept.read())
        # Ready means: with what people selected. A database that is away costs this one limited wait.
        selections = await self._selections()
        if selections is None:
            selections = merged(self._live.kept.read(), self._unrecorded.selections())
        await self._safely(partial(self._live.start_from_cache, selections))
        self.started.set()
        while True:
            seen = _weak(self._live.current)
            await self._safely(partial(self._poll, await self._selections(), seen))
            await self._rest(self._pause_s())

    def close(self) -> None:
        """Let the thread end after what it is doing."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _poll(self, selections: list[Selection] | None, seen: Callable[[], Snapshot | None]) -> None:
        # A choice that was made while they were read is not among them: what runs stays, and the next look has it.
        self._live.poll(selections if self._live.current is seen() else None)

    async def _selections(self) -> list[Selection] | None:
        # Read before the registry: a selection is closed after its revision is published, so one that is missing here is covered there.
        asked = self._asked()
        if self._read is not None and asked == self._asked_then and _follows(self._live, self._read):
            # A choice made elsewhere would change no answer here, and is read once there is one to change.
            return None
        live = self._live.facts
        revision = live.deployment.revision if live else 0
        try:
            read = partial(self._unrecorded.in_force, live_revision=revision)
            self._asked_then, self._read = asked, await self._database.call(read, limit_s=SELECTIONS_LIMIT_S)
        except DatabaseUnavailable:
            self._read = None
        return self._read

    async def _rest(self, pause_s: float) -> None:
        ends = time.monotonic() + pause_s
        while (left_s := ends - time.monotonic()) > 0:
            await asyncio.sleep(min(left_s, NEIGHBOURS_S, self._poll_s / 4))
            if self._live.is_behind() or await self._went_back():
                return

    async def _went_back(self) -> bool:
        """Whether a neighbour rolled back, which is followed at once: neither the database nor the registry is asked."""
        live = self._live.facts
        decided = self._live.usable(self._live.kept.rollback_elsewhere(live), live.deployment) if live else []
        if live is not None and decided:
            self._unrecorded.follow(decided)
            await self._safely(partial(self._live.apply, live, [*live.selections, *decided]))
        return bool(decided)

    def _pause_s(self) -> float:
        pause_s = self._poll_s
        if self._live.current is None and self._live.registry.reachable is False:
            # Each failure counts as a call where the server answered it; they are not to use up the quota.
            pause_s = min(pause_s, RECOVERY_S * 2**self._failures)
            self._failures = min(self._failures + 1, 10)
        else:
            self._failures = 0
        return pause_s * random.uniform(1 - JITTER_SHARE, 1 + JITTER_SHARE)  # noqa: S311  spreads load, protects nothing

    async def _safely(self, work: Callable[[], None]) -> None:
        try:
            await self.on_thread(work)
        except Exception:
            # A defect here must not end the polling: what runs stays, the next look may succeed.
            logger.exception("looking at the registry failed")


def _weak(live: Snapshot | None) -> Callable[[], Snapshot | None]:
    """What is seen must not be kept: it may be unloaded to make room for what follows."""
    return weakref.ref(live) if live is not None else lambda: None


def _follows(live: LiveModels, selections: list[Selection]) -> bool:
    """Whether what answers is what `selections` ask for, as far as it can be."""
    facts = live.facts
    return facts is not None and live.usable(selections, facts.deployment) == list(facts.selections)
