"""Public events on their way from Redis to everybody who listens: one reader a process, and only while somebody does.

Here: reading the stream, and what is kept for those who come back. The queue of each listener is `listener`, the HTTP side `handlers.events`.
"""

import asyncio
import logging
import random
from collections import deque
from collections.abc import Callable
from typing import Any

import msgspec
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from sentiment_platform.clock import Clock
from sentiment_platform.entities import EVENTS_KEY
from sentiment_platform.events import FIELD, Event
from serving.contract.event_bodies import StreamState
from serving.links.event_frames import EventId, frame, parse_event_id, written
from serving.links.listener import Listener

MOST_STREAMS = 100
REPLAYED = 200
BLOCK_MS = 5000
CONNECT_S = 2.0
LONGEST_PAUSE_S = 10.0
TICK_S = 0.1
NO_REDIS = "No Redis is configured (REDIS_URL): no event will come."
AWAY = "Redis does not answer: events come again when it does."
logger = logging.getLogger(__name__)


class EventHub:
    """Used from one event loop.

    Args:
        url: "" means that there is no Redis; streams then stay open and say so.
        draining: true once the process is going away; every stream ends then.
    """

    def __init__(self, url: str, *, clock: Clock, draining: Callable[[], bool]) -> None:
        self._url = url
        self._clock = clock
        self._draining = draining
        self._listeners: set[Listener] = set()
        self._recent: deque[tuple[EventId, bytes]] = deque(maxlen=REPLAYED)
        self._read_to: EventId | None = None
        self._state = b""
        self._connected: bool | None = None
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def streams(self) -> int:
        """Open streams."""
        return len(self._listeners)

    @property
    def is_full(self) -> bool:
        """Whether another stream would be one too many."""
        return self.streams >= MOST_STREAMS

    def listen(self, last_event_id: str | None = None) -> Listener:
        """A new listener, to be given back with `leave`; what came after `last_event_id` is told again, as far as it is kept."""
        listener = Listener(parse_event_id(last_event_id))
        if self.is_full or self._draining():
            listener.end()
            return listener
        self._listeners.add(listener)
        if len(self._listeners) == 1:
            self._start()
        elif self._state:
            listener.offer(self._state)
            if self._read_to is not None:
                self._replay(listener)
        return listener

    def leave(self, listener: Listener) -> None:
        """Forget a listener; with the last one the reading ends."""
        self._listeners.discard(listener)
        if not self._listeners:
            self._stop()

    def close(self) -> None:
        """End every stream and the reading."""
        for listener in tuple(self._listeners):
            listener.end()
        self._stop()

    def _start(self) -> None:
        self._recent.clear()
        self._read_to, self._state, self._connected = None, b"", None
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(self._watch_the_end()), loop.create_task(self._read())]

    def _stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        self._tasks = []

    async def _watch_the_end(self) -> None:
        while not self._draining():
            await asyncio.sleep(TICK_S)
        for listener in tuple(self._listeners):
            listener.end()

    async def _read(self) -> None:
        """Read until cancelled; while Redis is away the listeners know it."""
        if not self._url:
            self._tell_state(connected=False, message=NO_REDIS)
            return
        pause_s = 0.5
        while True:
            client: Any = Redis.from_url(
                self._url,
                protocol=2,
                socket_connect_timeout=CONNECT_S,
                socket_timeout=BLOCK_MS / 1000 + CONNECT_S,
                retry=Retry(NoBackoff(), 0),
            )
            try:
                await client.ping()
                self._tell_state(connected=True)
                if self._read_to is None:
                    await self._load(client)
                pause_s = 0.5
                while True:
                    self._take(await client.xread({EVENTS_KEY: written(self._read_to or (0, 0))}, count=100, block=BLOCK_MS))
            except Exception as error:
                # Whatever it is, the listeners are told, and it is tried again: redis-py and uvloop have errors of many kinds.
                logger.debug("events: %s: %s", type(error).__name__, error)
                self._tell_state(connected=False, message=AWAY)
            finally:
                await client.aclose()
            await asyncio.sleep(pause_s * random.uniform(0.8, 1.2))  # noqa: S311  spreads load, protects nothing
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    async def _load(self, client: Any) -> None:
        """What is there already: for those who come back, and to know where the new begins."""
        entries = await client.xrevrange(EVENTS_KEY, count=REPLAYED)
        for entry in reversed(entries):
            self._keep(entry)
        self._read_to = self._recent[-1][0] if self._recent else (0, 0)
        for listener in self._listeners:
            self._replay(listener)

    def _take(self, reply: Any) -> None:
        for _, entries in reply:
            for entry in entries:
                framed = self._keep(entry)
                if framed is not None:
                    for listener in tuple(self._listeners):
                        listener.offer(framed)

    def _keep(self, entry: tuple[bytes, dict[bytes, bytes]]) -> bytes | None:
        """The frame of an entry, kept for those who come back; None for one that is none of the events of this build."""
        identity = parse_event_id(entry[0].decode())
        if identity is None:
            return None
        self._read_to = identity
        try:
            event = msgspec.json.decode(entry[1].get(FIELD, b""), type=Event)
        except msgspec.DecodeError:
            return None
        framed = frame(event, identity)
        self._recent.append((identity, framed))
        return framed

    def _replay(self, listener: Listener) -> None:
        if listener.after is not None:
            for identity, kept in self._recent:
                if identity > listener.after:
                    listener.offer(kept)
            listener.after = None

    def _tell_state(self, *, connected: bool, message: str | None = None) -> None:
        if self._connected == connected:
            return
        self._connected = connected
        self._state = frame(StreamState(at=self._clock(), connected=connected, message=message))
        for listener in tuple(self._listeners):
            listener.offer(self._state)
