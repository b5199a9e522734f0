"""Redis as something that may be gone: a request's use is bounded to 50 ms, an act's to half a second, and a broken one rests for a second.

Here: the connection, its time limits and the circuit breaker. Connecting takes several round trips and has a limit of its own; no request
waits for it. Commands of concurrent requests travel together in one pipeline: under load a round trip for each would cost more than the
predictions. What is kept in Redis: `prediction_cache`, `online_features`.
"""

import asyncio
import contextlib
import logging
import time
from collections import deque
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError

from sentiment_platform.clock import Clock, utc_now
from serving.contract.health_bodies import DependencyStatus

TIMEOUT_S = 0.05
PATIENT_S = 0.5
CONNECT_S = 2.0
SLOW_S = 0.03
"""A round trip that takes longer makes requests late instead of quicker; behind it no other waits for its turn."""
BUSY = 0.5
"""Share of a round trip for which the event loop did other work."""
MOSTLY = 0.5
SLOWNESS_WEIGHT = 0.2
OPEN_AFTER = 3
OPEN_S = 1.0
LARGEST_BATCH = 100
LINGER_S = 0.025
NO_ANSWER = "too slow, or no answer within the time limit"
logger = logging.getLogger(__name__)

_Waiting = tuple[tuple[Any, ...], asyncio.Future[Any]]


class RedisLink:
    """One asynchronous client behind a circuit breaker; used from one event loop.

    Args:
        url: "" means that there is no Redis; every command then fails at once.
        timeout_s: longest time one round trip may take.
    """

    def __init__(self, url: str, *, timeout_s: float = TIMEOUT_S, clock: Clock = utc_now) -> None:
        self._client: Any = None
        if url:
            # Without `retry=` redis-py would try ten times more.
            self._client = Redis.from_url(
                url, socket_timeout=CONNECT_S, socket_connect_timeout=CONNECT_S, retry=Retry(NoBackoff(), 0)
            )
        self._timeout_s = timeout_s
        self._clock = clock
        self._waiting: deque[_Waiting] = deque()
        self._sender: asyncio.Task[None] | None = None
        self._ready = False
        self._trial: asyncio.Task[None] | None = None
        self._failures = 0
        self._rests_until = 0.0
        self._sent_at = 0.0
        self._slowness = 0.0
        self.status = DependencyStatus("unknown" if url else "unused")

    async def command(self, *arguments: Any, patient: bool = False) -> Any | None:
        """The reply to one command such as `command("GET", key)`; None where there is none, or Redis did not answer in time.

        Args:
            patient: as `patiently`.
        """
        return (await self.patiently(arguments))[0] if patient else await self._ask(arguments)

    async def patiently(self, *commands: tuple[Any, ...]) -> list[Any]:
        """The replies to these commands of a person's act, which may wait for a connection that is being made.

        They are sent as all others are, and where nothing is replied once more, with `PATIENT_S`.
        """
        replies: list[Any] = [None] * len(commands)
        if await self.connected():
            asked = [self._enqueue(arguments) for arguments in commands]
            self._start()
            replies = [None if reply is None else await reply for reply in asked]
        if replies[-1] is None and await self.connected():
            told = await self._round_trip(list(commands), PATIENT_S)
            replies = [None if isinstance(reply, Exception) else reply for reply in told]
        return replies

    async def connected(self) -> bool:
        """Whether it can be asked now; waits for a connection that is being made, `CONNECT_S` seconds at most."""
        if self._client is None:
            return False
        if not self._ready:
            self._connect()
            if self._trial is not None:
                await asyncio.wait([self._trial], timeout=CONNECT_S)
        return self._ready

    def send(self, *arguments: Any) -> None:
        """Send a command whose reply nobody waits for, with the next one or within `LINGER_S`; commands after it see what it did.

        Alone it would hold up the next request's command for a round trip: with a slow Redis a third one for that request.
        """
        if self._enqueue(arguments) is not None:
            asyncio.get_running_loop().call_later(LINGER_S, self._start)

    async def probe(self) -> None:
        """Ask for a sign of life, so that the status is fresh, and connect where that has to be."""
        if await self.connected() and await self.command("PING") is not None:
            self.status = DependencyStatus("ok", self._clock())

    async def close(self) -> None:
        """Close the connections."""
        if self._trial is not None:
            self._trial.cancel()
        if self._client is not None:
            with contextlib.suppress(TimeoutError, RedisError):
                await asyncio.wait_for(self._client.aclose(), CONNECT_S)

    async def _ask(self, arguments: tuple[Any, ...]) -> Any | None:
        reply = self._enqueue(arguments)
        if reply is None:
            return None
        self._start()
        return await reply

    def _enqueue(self, arguments: tuple[Any, ...]) -> asyncio.Future[Any] | None:
        if self._client is None:
            return None
        if not self._ready:
            self._connect()
            return None
        if self._sender is not None and time.monotonic() - self._sent_at > SLOW_S:
            return None
        reply: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting.append((arguments, reply))
        return reply

    def _connect(self) -> None:
        if self._trial is None and time.monotonic() >= self._rests_until:
            self._trial = asyncio.get_running_loop().create_task(self._try())

    async def _try(self) -> None:
        """Connect, then see whether one round trip is quick enough; only then requests use it."""
        try:
            async with asyncio.timeout(CONNECT_S):
                # A user who may not PING is told so by a server that is there.
                with contextlib.suppress(ResponseError):
                    await self._client.ping()
        except Exception as error:
            self._failures = max(self._failures, OPEN_AFTER - 1)
            self._failed(error, "no connection within the time limit")
            with contextlib.suppress(Exception):
                await self._client.connection_pool.disconnect()
        else:
            await self._round_trip([("PING",)])
        finally:
            self._trial = None

    def _start(self) -> None:
        if self._sender is None and self._waiting:
            self._sender = asyncio.get_running_loop().create_task(self._send())

    async def _send(self) -> None:
        batch: list[_Waiting] = []
        try:
            while self._waiting:
                batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), LARGEST_BATCH))]
                commands = [arguments for arguments, _ in batch]
                replies: list[Any] = await self._round_trip(commands) if self._ready else [None] * len(commands)
                for (_, future), reply in zip(batch, replies, strict=True):
                    if not future.done():
                        future.set_result(None if isinstance(reply, Exception) else reply)
        finally:
            self._sender = None
            # Where it was cancelled, nobody waits on.
            for _, future in batch:
                if not future.done():
                    future.set_result(None)

    async def _round_trip(self, commands: list[tuple[Any, ...]], limit_s: float = 0.0) -> list[Any]:
        limit_s = limit_s or self._timeout_s
        started = self._sent_at = time.monotonic()
        worked, slow = time.thread_time(), list[bool]()

        def waited(at_most_s: float) -> bool:
            # Where the event loop had other things to do, or its timer came late itself, that says nothing about Redis.
            took_s = time.monotonic() - started
            return took_s < 1.5 * at_most_s and time.thread_time() - worked < BUSY * took_s

        def look() -> None:
            slow.append(waited(SLOW_S))

        timer = asyncio.get_running_loop().call_later(SLOW_S, look)
        try:
            async with asyncio.timeout(limit_s), self._client.pipeline(transaction=False) as pipeline:
                for arguments in commands:
                    pipeline.execute_command(*arguments)
                replies: list[Any] = await pipeline.execute(raise_on_error=False)
        except (RedisError, OSError, TimeoutError) as error:
            # Its connection is closed, whoever was slow.
            self._ready = False
            if waited(limit_s):
                self._failed(error, NO_ANSWER)
            return [None] * len(commands)
        except Exception as error:
            # uvloop answers RuntimeError for a connection that was reset under it. Nobody may wait for ever, whatever it is, and
            # redis-py would hand out the dead connection again.
            self._failed(error, NO_ANSWER)
            with contextlib.suppress(Exception):
                await self._client.connection_pool.disconnect()
            return [None] * len(commands)
        finally:
            timer.cancel()
        if self._is_too_slow(slow == [True]):
            return replies
        self._ready = True
        if self._failures or self.status.status != "ok":
            self._failures = 0
            self.status = DependencyStatus("ok", self._clock())
        return replies

    def _is_too_slow(self, this_one: bool) -> bool:
        """Whether round trips mostly take longer than `SLOW_S`: it is left alone as if it did not answer, until one is quick."""
        self._slowness += SLOWNESS_WEIGHT * (this_one - self._slowness)
        if not (this_one and (self._slowness > MOSTLY or self._failures >= OPEN_AFTER)):
            return False
        if self._failures < OPEN_AFTER:
            logger.warning("Redis answers too slowly; predictions go on without it")
        self._ready, self._failures, self._slowness = False, OPEN_AFTER, 0.0
        self._rests_until = time.monotonic() + OPEN_S
        self.status = DependencyStatus("down", self._clock(), f"round trips take more than {SLOW_S * 1000:.0f} ms")
        return True

    def _failed(self, error: BaseException, why: str) -> None:
        self._ready = False
        self._failures += 1
        if self._failures == OPEN_AFTER:
            logger.warning("Redis does not answer (%s: %s); predictions go on without it", type(error).__name__, error)
        if self._failures >= OPEN_AFTER:
            # Before that it is connected anew at once: what failed may have been that one connection.
            self._rests_until = time.monotonic() + OPEN_S
            self.status = DependencyStatus("down", self._clock(), f"{type(error).__name__}: {why}")
