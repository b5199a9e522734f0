"""A real HTTP server on loopback whose answers a test scripts, path by path."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Answer = Callable[[BaseHTTPRequestHandler], None]


class ScriptedServer:
    """`answers[path]` writes the answer, with the query if there is such an entry; `requests` lists (path, headers) as they came."""

    def __init__(self, port: int, scheme: str = "http") -> None:
        self.port = port
        self.url = f"{scheme}://127.0.0.1:{port}"
        self.answers: dict[str, Answer] = {}
        self.requests: list[tuple[str, dict[str, str]]] = []


def reply(body: bytes = b"", status: int = 200, **headers: str) -> Answer:
    """An answer with a body; keyword `etag="x"` is the header, underscores are hyphens. 304 if the ETag is the one sent."""

    def write(handler: BaseHTTPRequestHandler) -> None:
        same = "etag" in headers and handler.headers.get("If-None-Match") == headers["etag"]
        handler.send_response(304 if same else status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", "0" if same else str(len(body)))
        handler.end_headers()
        handler.wfile.write(b"" if same else body)

    return write


@contextmanager
def serving(tls: ssl.SSLContext | None = None) -> Generator[ScriptedServer]:
    """Start the server, with TLS if there is a context for it; stop it at the end."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            scripted.requests.append((self.path, dict(self.headers)))
            with suppress(BrokenPipeError, ConnectionResetError):  # the client had enough
                place = self.path if self.path in scripted.answers else self.path.partition("?")[0]
                scripted.answers.get(place, reply(status=404))(self)

        def log_message(self, format: str, *args: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            pass  # a client that does not trust us, or that had enough

    server = Server(("127.0.0.1", 0), Handler)
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    scripted = ScriptedServer(server.server_address[1], "https" if tls else "http")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield scripted
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Canary:
    """A listener inside the network: `seen` lists who connected."""

    def __init__(self, listener: socket.socket) -> None:
        self.port: int = listener.getsockname()[1]
        self.seen: list[object] = []
        self._listener = listener

    def watch(self) -> None:
        with suppress(OSError):  # closed: the end
            while True:
                connection, peer = self._listener.accept()
                self.seen.append(peer)
                connection.close()


@contextmanager
def canary() -> Generator[Canary]:
    """Listen on loopback; a connection that was made before the end of the block is seen at its end."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        found = Canary(listener)
        thread = threading.Thread(target=found.watch)
        thread.start()
        try:
            yield found
        finally:
            time.sleep(0.05)
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def rss(*items: str, title: str = "A feed") -> bytes:
    """An RSS 2.0 document with these <item> elements."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"><channel><title>{title}</title><language>en</language>'
        f"{''.join(items)}</channel></rss>"
    ).encode()


def item(title: str, link: str, published: str, *, guid: str = "", extra: str = "") -> str:
    """One <item>."""
    return (
        f'<item><title>{title}</title><link>{link}</link><guid isPermaLink="false">{guid or link}</guid>'
        f"<pubDate>{published}</pubDate>{extra}</item>"
    )
