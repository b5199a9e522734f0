"""A connection that refuses predictions by itself where too much is asked: without a task, without the application.

Only what is plain is refused here. Whatever needs more care (a page elsewhere, `Expect`, the last request of a connection) goes through
the application, where the same door refuses it.
"""

import time
from functools import partial
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from serving.contract.request_context import RECEIVED
from serving.edge.door import TAKEN, Door
from serving.edge.envelope import DEFAULTS
from serving.edge.places import Places, largest_number_of_connections
from serving.edge.sockets import BoundedConnection
from serving.metrics import Metrics

READ_AT_ONCE_S = 0.001
"""What a connection had for us while it rested is read by then."""
_CAREFUL = (b"origin", b"expect", b"transfer-encoding", b"connection")
_ALWAYS = b"".join(b"%s: %s\r\n" % header for header in DEFAULTS.items())


class AdmittingConnection(BoundedConnection):
    """One client's connection, with a door before the application."""

    def __init__(self, door: Door, *args: Any, **more: Any) -> None:
        self._door = door
        self._answer: bytes | None = None
        self._may_have_come_at: float | None = None
        self._answered_at = 0.0
        super().__init__(*args, **more)

    def on_headers_complete(self) -> None:
        """Begin the request or refuse it, where that can be decided here."""
        if self.parser.get_method() == b"POST" and not self._offers_another_protocol:
            route = self.url.partition(b"?")[0]
            headers = dict(self.headers)
            # What was sent ahead is judged when its turn comes: until then it costs nothing.
            if self._idle and self._door.judges(route):
                taken = self._door.take(route, headers, self._came_at())
                if taken is not None:
                    self.scope.setdefault("state", {})[TAKEN] = taken
                elif not self._door.draining() and not any(name in headers for name in _CAREFUL):
                    answered, body = self._door.refusal(route, headers)
                    head = b"".join(b"%s: %s\r\n" % header for header in answered)
                    self._in_head, self._got_on = False, True
                    self._answer = STATUS_LINE[503] + head + _ALWAYS + b"\r\n" + body
                    return
        try:
            super().on_headers_complete()
        except Exception:
            self._give_back(self.scope)
            raise

    def on_body(self, body: bytes) -> None:
        """Of what is refused nothing is kept."""
        if self._answer is None:
            super().on_body(body)
        else:
            self._got_on = True

    def on_message_complete(self) -> None:
        """A refusal is told once the whole request is read, so that the connection can go on."""
        if self._answer is None:
            super().on_message_complete()
            return
        self._head_came()
        self.transport.write(self._answer)
        self._answer, self._answered_at = None, time.perf_counter()
        self._unset_keepalive_if_required()
        self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)
        self._places.rest(self.transport)
        self._unread.watch()
        now = time.perf_counter()
        if rest_s := self._door.rests.after_refusal(now):
            self.flow.pause_reading()
            self.loop.call_later(rest_s, self._read_again, now + rest_s / 2)

    def on_response_complete(self) -> None:
        """Whatever is read from now on came later."""
        self._answered_at = time.perf_counter()
        super().on_response_complete()

    def _read_again(self, may_have_come_at: float) -> None:
        if not self.transport.is_closing():
            # What lies in the kernel already is read at once; it came at some time while nobody looked.
            self._may_have_come_at = may_have_come_at
            self.loop.call_later(READ_AT_ONCE_S, self._forget_rest)
            self.flow.resume_reading()

    def _forget_rest(self) -> None:
        self._may_have_come_at = None

    def _came_at(self) -> float:
        # It was not sent before the client had the answer to its last one.
        return max(self._may_have_come_at or self._door.turns.came_at(), self._answered_at)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        # One that was sent ahead begins with the answer before it: its client waited for that one until now.
        state = cycle.scope.setdefault("state", {})
        state[RECEIVED] = max(state.get(RECEIVED, 0.0), self._answered_at)
        super()._start_asgi_task(cycle, app)

    def _give_back(self, scope: Any) -> None:
        if (taken := scope.get("state", {}).get(TAKEN)) is not None:
            self._door.give_back(taken)

    def _note_time(self) -> None:
        self.scope.setdefault("state", {})[RECEIVED] = self._came_at()


def admitting_connections(door: Door, metrics: Metrics) -> "partial[AdmittingConnection]":
    """What uvicorn is to make of each connection (`Config.http`)."""
    return partial(AdmittingConnection, door, metrics, Places(largest_number_of_connections(), metrics))
