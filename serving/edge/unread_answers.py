"""How long a client may take nothing of what was sent to it."""

import asyncio

from serving.metrics import Metrics

WRITE_TIMEOUT_S = 30.0
"""How long a client may take none of an answer's bytes."""


class UnreadAnswers:
    """Cuts a connection once a whole `limit_s` passed in which its client took nothing."""

    __slots__ = ("_limit_s", "_loop", "_metrics", "_timer", "_transport")

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop, metrics: Metrics, limit_s: float) -> None:
        self._transport, self._loop, self._metrics, self._limit_s = transport, loop, metrics, limit_s
        self._timer: asyncio.TimerHandle | None = None

    def watch(self, left_before: int | None = None) -> None:
        """Something was written: watch until it is taken."""
        self.forget()
        left = self._transport.get_write_buffer_size()
        if left and left == left_before:
            self._metrics.connections_refused.labels("answer_not_read").inc()
            self._transport.abort()
        elif left:
            self._timer = self._loop.call_later(self._limit_s, self.watch, left)

    def forget(self) -> None:
        """The connection ended."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
