"""A feed server on loopback: the feed files of one folder over HTTP, as a careful news site would serve them.

Conditional requests (RFC 9110 section 13), content types, gzip on request. It reads the folder at every request, so a changed file is a
changed feed. No redirects, no TLS, nothing but the files directly in the folder.
"""

import gzip
import hashlib
import signal
import socketserver
import threading
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self

from sentiment_platform.errors import PermanentError
from sentiment_platform.local.processes.ports import LOOPBACK
from sentiment_platform.times.reading import read_time

SUFFIXES = (".xml", ".rss", ".atom")
GZIP_FROM_BYTES = 1_000


def feed_files(directory: Path) -> dict[str, Path]:
    """File name -> path of the feeds directly in `directory`, sorted by name."""
    files = sorted(path for path in directory.iterdir() if path.suffix in SUFFIXES and path.is_file())
    return {path.name: path for path in files}


def feeds_setting(directory: Path, port: int) -> str:
    """SENTIMENT_FEEDS for the feeds of `directory`, named after their files: `name=url,name=url`."""
    return ",".join(f"{Path(name).stem.lower()}=http://{LOOPBACK}:{port}/{name}" for name in feed_files(directory))


def content_type(body: bytes) -> str:
    """The media type that the root element tells; a sitemap or anything else is `application/xml`."""
    head = body[:2_000].lower()
    if b"<rss" in head or b"<rdf:rdf" in head:
        return "application/rss+xml"
    return "application/atom+xml" if b"<feed" in head else "application/xml"


class FeedServer:
    """Serves `directory` from a thread of this process until `stop()`.

    Args:
        port: 0 takes any free one; a later `start()` takes the same again.
    """

    def __init__(self, directory: Path, port: int = 0) -> None:
        if not directory.is_dir():
            raise PermanentError(f"{directory} is not a folder of feeds.", remedy="Name a folder with .xml files.")
        self.directory = directory
        self.port = port
        self._listener: _Listener | None = None

    @property
    def url(self) -> str:
        """`http://127.0.0.1:port`; a feed is at `url/file name`."""
        return f"http://{LOOPBACK}:{self.port}"

    def start(self) -> Self:
        """Listen on loopback; raises `PermanentError` when the port is taken."""
        if self._listener is None:
            try:
                self._listener = _Listener(self)
            except OSError as error:
                raise PermanentError(
                    f"Cannot listen on {LOOPBACK}:{self.port}: {error.strerror}.", remedy="Choose another port, or 0."
                ) from error
            self.port = self._listener.server_port
            threading.Thread(target=self._listener.serve_forever, args=(0.05,), name="feeds", daemon=True).start()
        return self

    def stop(self) -> None:
        """Stop listening. Safe to call twice."""
        if self._listener is not None:
            self._listener.shutdown()
            self._listener.server_close()
            self._listener = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, feeds: FeedServer) -> None:
        self.feeds = feeds
        super().__init__((LOOPBACK, feeds.port), _Handler)

    def server_bind(self) -> None:
        # Not HTTPServer's: it asks the resolver for the host's full name, which can take seconds.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = LOOPBACK, self.socket.getsockname()[1]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "sentiment-platform-feeds"
    sys_version = ""
    timeout = 30
    server: _Listener  # pyright: ignore[reportIncompatibleVariableOverride]  # always the listener above

    def do_GET(self) -> None:
        name = self.path.partition("?")[0].removeprefix("/")
        # Looked up among the names in the folder, never joined to a path: `../` and links outside lead nowhere.
        path = feed_files(self.server.feeds.directory).get(name)
        if path is None:
            return self._answer(404, b"No such feed.\n", {"Content-Type": "text/plain"})
        return self._answer_feed(path)

    do_HEAD = do_GET

    def _answer_feed(self, path: Path) -> None:
        body = path.read_bytes()
        # Weak: the gzip form of the same feed carries it too.
        etag = f'W/"{hashlib.sha256(body).hexdigest()[:32]}"'
        modified = datetime.fromtimestamp(int(path.stat().st_mtime), UTC)
        headers = {
            "ETag": etag,
            "Last-Modified": format_datetime(modified, usegmt=True),
            "Cache-Control": "max-age=0",
            "Vary": "Accept-Encoding",
        }
        if self._still_valid(etag, modified):
            return self._answer(304, b"", headers)
        headers["Content-Type"] = content_type(body)
        if len(body) >= GZIP_FROM_BYTES and "gzip" in self.headers.get("Accept-Encoding", ""):
            body = gzip.compress(body, mtime=0)
            headers["Content-Encoding"] = "gzip"
        return self._answer(200, body, headers)

    def _still_valid(self, etag: str, modified: datetime) -> bool:
        if (known := self.headers.get("If-None-Match")) is not None:
            # Where both are sent the date is ignored (RFC 9110 section 13.1.3).
            tags = {tag.strip().removeprefix("W/") for tag in known.split(",")}
            return known.strip() == "*" or etag.removeprefix("W/") in tags
        since = read_time(self.headers.get("If-Modified-Since"))
        return since is not None and modified <= since.at

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 304:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nobody reads who asked for what."""


def serve(directory: Path, port: int, port_file: Path | None) -> None:
    """Serve in the foreground until SIGTERM or SIGINT; the port is written to `port_file` once it listens."""
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    with FeedServer(directory, port) as server:
        if port_file is not None:
            fresh = port_file.with_suffix(".new")
            fresh.write_text(f"{server.port}\n")
            fresh.replace(port_file)
        stopped.wait()


if __name__ == "__main__":
    import argparse

    parser = argparse.ArgumentParser(prog="python -m sentiment_platform.local.parts.feeds", description=__doc__)
    parser.add_argument("--directory", type=Path, required=True, help="folder with the feed files")
    parser.add_argument("--port", type=int, default=0, help="0: any free one")
    parser.add_argument("--port-file", type=Path, help="where to write the port once it listens")
    arguments = parser.parse_args()
    serve(arguments.directory, arguments.port, arguments.port_file)
