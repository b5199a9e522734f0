"""The running server: starts, stops, starts again over the same folder. A stop closes the connections that are open."""

import threading
from pathlib import Path
from types import TracebackType
from typing import Self

from sentiment_platform.clock import Clock, utc_now
from sentiment_platform.errors import PermanentError
from sentiment_platform.github_server.disk import RepositoryFolder
from sentiment_platform.github_server.handler import GithubHandler
from sentiment_platform.github_server.listener import HOST, LoopbackServer
from sentiment_platform.github_server.messages import Access
from sentiment_platform.github_server.routes import API
from sentiment_platform.github_server.service import open_service


class GithubServer:
    """GitHub's releases for one repository, on loopback.

    Args:
        state_dir: made when missing; holds the repository across restarts. One server at a time.
        repository: `owner/name`.
        token: may read and write; the only one that sees drafts.
        port: 0 for any free one; a later `start` uses the same again.
        read_token: may read published releases under the quota of `hourly_limit`.
        immutable: published releases can no longer be edited, nor can their assets and tags.
        hourly_limit: requests an hour with a token; 1000 is the quota of an Actions token.
        anonymous_hourly_limit: requests an hour without one.
        clock: aware UTC time.
        handler: what answers a connection; a test brings one that fails as it is told.
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
        handler: type[GithubHandler] = GithubHandler,
    ) -> None:
        owner, slash, name = repository.partition("/")
        if not (owner and slash and name) or "/" in name:
            raise PermanentError(f"{repository!r} names no repository.", remedy="Write it as owner/name.")
        if not token:
            raise PermanentError("The GitHub server has no token.", remedy="Give it one of any length.")
        self.repository = repository
        self._state_dir = state_dir
        self._port = port
        self._immutable = immutable
        self._limits = (hourly_limit, anonymous_hourly_limit)
        self._clock = clock
        self._handler = handler
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
                handler=self._handler,
                tokens=self._tokens,
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
