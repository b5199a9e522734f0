"""The running server: starts, stops, starts again over the same folder.

Bound to 127.0.0.1 only. One thread a connection; a stop closes the connections that are open.
"""

import contextlib
import logging
import socket
import socketserver
import sys
import threading
from http.server import ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sentiment_platform.clock import Clock, utc_now
from sentiment_platform.errors import PermanentError
from sentiment_platform.github_server.disk import RepositoryFolder
from sentiment_platform.github_server.faults import FaultPlan
from sentiment_platform.github_server.handler import GithubHandler
from sentiment_platform.github_server.limits import RateLimits
from sentiment_platform.github_server.messages import Access
from sentiment_platform.github_server.request_log import RequestLog
from sentiment_platform.github_server.routes import API
from sentiment_platform.github_server.service import Service, open_service

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
        tokens: dict[str, Access],
        faults: FaultPlan,
        log: RequestLog,
        hourly_limit: int,
        anonymous_hourly_limit: int,
    ) -> None:
        self.tokens = tokens
        self.faults = faults
        self.log = log
        self.limits = RateLimits()
        self.hourly_limit = hourly_limit
        self.anonymous_hourly_limit = anonymous_hourly_limit
        self.stopping = threading.Event()
        self._open_lock = threading.Lock()
        self._open: set[socket.socket] = set()
        super().__init__((HOST, port), GithubHandler)

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


class GithubServer:
    """GitHub's releases for one repository, on loopback.

    Args:
        state_dir: made when missing; holds the repository across restarts. One server at a time.
        repository: `owner/name`.
        token: may read and write; the only one that sees drafts and may use the control path.
        port: 0 for any free one; a later `start` uses the same again.
        read_token: may read published releases under the quota of `hourly_limit`.
        immutable: published releases can no longer be edited, nor can their assets and tags.
        hourly_limit: requests an hour with a token; 1000 is the quota of an Actions token.
        anonymous_hourly_limit: requests an hour without one.
        clock: aware UTC time.
    """

    def __init__(
        self,
        state_dir: Path,
        repository: str,
        token: str,
        port: int = 0,
        *,
        read_token: str | None = None,
        immutable: bool = False,
        hourly_limit: int = 5000,
        anonymous_hourly_limit: int = 60,
        clock: Clock = utc_now,
    ) -> None:
        owner, slash, name = repository.partition("/")
        if not (owner and slash and name) or "/" in name:
            raise PermanentError(f"{repository!r} names no repository.", remedy="Write it as owner/name.")
        if not token:
            raise PermanentError("The GitHub server has no token.", remedy="Give it one of any length.")
        self.repository = repository
        self.faults = FaultPlan()
        self.requests = RequestLog()
        self._state_dir = state_dir
        self._port = port
        self._immutable = immutable
        self._limits = (hourly_limit, anonymous_hourly_limit)
        self._clock = clock
        self._tokens: dict[str, Access] = {token: "write"}
        if read_token:
            self._tokens.setdefault(read_token, "read")
        self._running: tuple[LoopbackServer, RepositoryFolder, threading.Thread] | None = None

    @property
    def port(self) -> int:
        """The port it listens on; 0 before the first start of a server that may take any."""
        return self._port

    @property
    def url(self) -> str:
        """The base URL of the API, for `github.Github(base_url=...)`."""
        return f"http://{HOST}:{self._port}{API}"

    def start(self) -> Self:
        """Listen; raises `PermanentError` when the port is taken, `ConflictError` when the folder is."""
        if self._running is not None:
            return self
        folder = RepositoryFolder(self._state_dir, self.repository, self._clock)
        try:
            listener = LoopbackServer(
                self._port,
                tokens=self._tokens,
                faults=self.faults,
                log=self.requests,
                hourly_limit=self._limits[0],
                anonymous_hourly_limit=self._limits[1],
            )
        except OSError as error:
            folder.close()
            raise PermanentError(
                f"Cannot listen on {HOST}:{self._port}: {error.strerror}.", remedy="Choose another port, or 0 for any."
            ) from error
        self._port = listener.server_port
        listener.service = open_service(folder, f"http://{HOST}:{self._port}", immutable=self._immutable)
        thread = threading.Thread(target=listener.serve_forever, args=(0.05,), name="github-server", daemon=True)
        thread.start()
        self._running = (listener, folder, thread)
        return self

    def stop(self) -> None:
        """Refuse new connections, close the open ones, save. Safe to call twice."""
        if self._running is None:
            return
        listener, folder, thread = self._running
        self._running = None
        listener.stopping.set()
        listener.shutdown()
        thread.join()
        listener.server_close()
        listener.close_connections()
        folder.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.stop()
