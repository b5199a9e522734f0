"""The listening socket, bound to 127.0.0.1 only: one thread a connection, and what every connection needs to know."""

import contextlib
import logging
import socket
import socketserver
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from sentiment_platform.github_server.limits import RateLimits
from sentiment_platform.github_server.messages import Access
from sentiment_platform.github_server.service import Service

HOST = "127.0.0.1"
logger = logging.getLogger(__name__)


class LoopbackServer(ThreadingHTTPServer):
    """The listening socket and what every connection needs to know."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    service: Service

    def __init__(
        self,
        port: int,
        *,
        handler: type[BaseHTTPRequestHandler],
        tokens: dict[str, Access],
        hourly_limit: int,
        anonymous_hourly_limit: int,
    ) -> None:
        self.tokens = tokens
        self.limits = RateLimits()
        self.hourly_limit = hourly_limit
        self.anonymous_hourly_limit = anonymous_hourly_limit
        self.stopping = threading.Event()
        self._open_lock = threading.Lock()
        self._open: set[socket.socket] = set()
        super().__init__((HOST, port), handler)

    def server_bind(self) -> None:
        # Not HTTPServer's: it asks the resolver for the host's full name, which can take seconds.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = HOST, self.socket.getsockname()[1]

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        with self._open_lock:
            self._open.add(request)
            if self.stopping.is_set():
                request.shutdown(socket.SHUT_RDWR)
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._open_lock:
                self._open.discard(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        if isinstance(sys.exception(), ConnectionError):
            return  # a client that went away
        logger.exception("a request from %s on %s failed", client_address, request)

    def close_connections(self) -> None:
        with self._open_lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
