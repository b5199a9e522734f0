"""What a connection may cost before a request is complete, and after its answer is written: a cap, times, bytes.

uvicorn's protocol bounds none of it, and answers what is no HTTP as plain text. Here that is a problem document with an id, and counted.
"""

import asyncio
import time
from typing import Any, cast

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from serving.contract.request_context import RECEIVED
from serving.edge.bare_problem import bare_problem
from serving.edge.guard import BROKEN_BODY, MAX_HEADER_BYTES, MAX_URL_BYTES
from serving.edge.offers import head_without_offer
from serving.edge.places import Places
from serving.edge.unread_answers import WRITE_TIMEOUT_S, UnreadAnswers
from serving.edge.whole_answers import WholeAnswers
from serving.metrics import Metrics

MAX_HEAD_BYTES = MAX_URL_BYTES + MAX_HEADER_BYTES + 4_096
"""Of a head that is not complete yet (the guard judges a complete one, and says which part is too large), of what
stands between the chunks of a body, and of what follows them."""
HEAD_TIMEOUT_S = 9.9  # 10 s are promised, and closing takes a moment
MAX_HEADERS = 100
LINGER_S = 1.0
"""So long a refused client may go on sending; nothing of it is read."""


class _Stopped(Exception):
    """Ends the parser's work: the request was refused while it was read."""


class BoundedConnection(HttpToolsProtocol):
    """One client's connection. Every limit closes it; where no answer is under way, a problem document says why."""

    def __init__(
        self,
        metrics: Metrics,
        places: Places,
        *args: Any,
        head_s: float = HEAD_TIMEOUT_S,
        write_s: float = WRITE_TIMEOUT_S,
        **more: Any,
    ) -> None:
        super().__init__(*args, **more)
        self._metrics, self._places, self._head_s, self._write_s = metrics, places, head_s, write_s
        self._refused, self._in_head, self._got_on, self._head_bytes = False, False, False, 0
        self._under_way: RequestResponseCycle | None = None
        self._head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A connection without a place is told so at once; any other has `HEAD_TIMEOUT_S` for its first request."""
        super().connection_made(transport)
        self._answers = WholeAnswers(transport, self.loop)
        self._unread = UnreadAnswers(transport, self.loop, self._metrics, self._write_s)
        if self._places.take(transport):
            self._await_head()
        else:
            self._refuse(503, "too_many_connections", "This process holds as many connections as it can; try again in a moment.")

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is awaited any more."""
        self._head_came()
        self._unread.forget()
        self._places.give_up(self.transport)
        self.pipeline.clear()
        if self._under_way is not None and not self._under_way.response_complete:
            # uvicorn tells the request that was read last, which may be another one.
            self._under_way.disconnected = True
            self._under_way.message_event.set()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse what came, unless the connection was refused; what completes no head and is no body is bounded."""
        if self._refused:
            return
        if self._idle:
            self._await_head()
        self._unset_keepalive_if_required()
        self._got_on = False
        self._read(data)
        # Where the next head began behind a body is not known: it counts from what is read next.
        self._head_bytes = 0 if self._got_on else self._head_bytes + len(data)
        if self._head_bytes > MAX_HEAD_BYTES and not self._refused:
            self._refuse(431, "headers_too_large", f"URL and headers have at most {MAX_URL_BYTES + MAX_HEADER_BYTES} bytes here.")

    def eof_received(self) -> bool:  # type: ignore[override]
        """The client sends no more (`nc -N`). What it asked is answered; a stream would go on for ever, and most likely nobody listens."""
        if self._idle or (self._under_way and self._under_way.chunked_encoding):
            return False
        self._answer_no_more()
        return True

    def on_message_begin(self) -> None:
        """A head begins; while an answer is under way it has its time too."""
        super().on_message_begin()
        self._places.wake(self.transport)
        self._note_time()
        self._in_head, self._head_bytes = True, 0
        self._await_head()

    def on_url(self, url: bytes) -> None:
        """A URL is bounded while it arrives."""
        super().on_url(url)
        if len(self.url) > MAX_URL_BYTES:
            self._stop(414, "url_too_long", f"A URL has at most {MAX_URL_BYTES} bytes here.")

    def on_header(self, name: bytes, value: bytes) -> None:
        """Small headers are bounded by their number; so are small trailers."""
        super().on_header(name, value)
        if len(self.headers) > MAX_HEADERS:
            self._stop(431, "headers_too_large", f"A request has at most {MAX_HEADERS} headers here.")

    def on_headers_complete(self) -> None:
        """The head is there: the request's own limits count from now on."""
        if self._offers_another_protocol:
            return
        if self.parser.get_http_version() == "1.1" and [name for name, _ in self.headers].count(b"host") != 1:
            self._stop(400, "invalid_http", "A request over HTTP/1.1 has exactly one `Host` header.")
        self._in_head, self._got_on = False, True
        self._head_came()
        super().on_headers_complete()
        self.cycle.transport = cast("asyncio.Transport", self._answers)
        # Trailers come to a list of their own: in the scope's they would be believed.
        self.headers = []

    def on_body(self, body: bytes) -> None:
        """A part of a body: the request's own limits count it."""
        self._got_on = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is whole; one that offers another protocol has not begun."""
        if not self._offers_another_protocol:
            self._note_time()
            super().on_message_complete()

    def on_response_complete(self) -> None:
        """What the client has not taken yet is watched; after a refusal nothing more is answered."""
        self._answers.flush()
        super().on_response_complete()
        if self._refused:
            self.pipeline.clear()
            self.transport.close()
        elif self._idle and not self._in_head:
            self._places.rest(self.transport)
        self._unread.watch()

    def pause_writing(self) -> None:
        """The client takes nothing: the answer waits, and not for ever."""
        super().pause_writing()
        self._unread.watch()

    def timeout_keep_alive_handler(self) -> None:
        """An idle connection is closed; one that still owes us its reading is cut."""
        if self.transport.get_write_buffer_size():
            self.transport.abort()
        else:
            super().timeout_keep_alive_handler()

    def send_400_response(self, msg: str) -> None:
        """What is no HTTP."""
        self.logger.debug(msg)
        self._refuse(400, "invalid_http", "This is no HTTP/1.1 request.")

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._under_way = cycle
        super()._start_asgi_task(cycle, app)

    def _note_time(self) -> None:
        self.scope.setdefault("state", {})[RECEIVED] = time.perf_counter()

    def _read(self, data: bytes) -> None:
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as offer:
            if self._offers_another_protocol:
                self._read_without_offer(data[offer.args[0] :])
        except httptools.HttpParserError:
            if not self._refused:
                self.send_400_response("Invalid HTTP request received.")

    def _read_without_offer(self, rest: bytes) -> None:
        # HTTP lets a server ignore the offer. The parser takes what follows such a head, also a body, for the other protocol.
        head = head_without_offer(self.parser.get_method(), self.url, self.headers)
        self.parser = httptools.HttpRequestParser(self)
        self._read(head)
        if rest and not self._refused:
            self._read(rest)

    @property
    def _offers_another_protocol(self) -> bool:
        return self.parser.should_upgrade() and self.parser.get_method() != b"CONNECT"

    @property
    def _idle(self) -> bool:
        return not self.cycle or self.cycle.response_complete

    def _await_head(self) -> None:
        if self._head_timer is None:
            self._head_timer = self.loop.call_later(self._head_s, self._head_is_late)

    def _head_came(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _head_is_late(self) -> None:
        self._head_timer = None
        if self._in_head:
            self._refuse(408, "head_too_slow", f"The request's head did not arrive within {self._head_s:.0f} s.")
        elif self._idle and not self.transport.is_closing():
            # Nothing was asked: browsers open connections in advance.
            self.transport.close()

    def _answer_no_more(self) -> None:
        """What was read last is answered last, and the connection ends with that."""
        self.cycle.keep_alive = False
        if self.cycle.more_body:
            # The rest of this body never comes; `guard` says so.
            cast("dict[str, Any]", self.cycle.scope)[BROKEN_BODY] = True
            self.cycle.more_body = False
            self.cycle.message_event.set()

    def _stop(self, status: int, code: str, detail: str) -> None:
        self._refuse(status, code, detail)
        raise _Stopped

    def _refuse(self, status: int, code: str, detail: str) -> None:
        self._refused = True
        self._places.wake(self.transport)
        self._head_came()
        self._metrics.connections_refused.labels(code).inc()
        if not self._idle:
            # A problem now would be taken for the answer that is under way.
            self._answer_no_more()
            return
        self._metrics.observe_request("unmatched", "OTHER", status, None)
        self.transport.write(bare_problem(status, code, detail))
        self._unread.watch()
        if self.transport in self._places:
            # Closed at once, what the client still sends would reset the connection before it has read why.
            self.transport.write_eof()
            self._head_timer = self.loop.call_later(LINGER_S, self.transport.close)
        else:
            self.transport.close()
