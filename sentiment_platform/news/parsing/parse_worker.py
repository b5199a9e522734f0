"""The other side of `news.parsing.sandbox`: reads one document after the other from its standard input, answers with items or a reason.

Run as `python -m sentiment_platform.news.parsing.parse_worker` on a socket. Before the first document it gives up what parsing does not
need: new files and sockets, child processes, memory beyond a bound. Its environment is empty, so it holds no secret either.
"""

import codecs
import encodings
import os
import pkgutil
import resource
import socket
import struct
import sys
import time
from importlib.machinery import BuiltinImporter, FrozenImporter
from pathlib import Path

import msgspec

from sentiment_platform.news.errors import NotAFeedError
from sentiment_platform.news.parsing.parse import ParsedFeed, read_feed
from sentiment_platform.times.stated import stated_clock
from sentiment_platform.times.zones import load_every_zone

MEMORY_BYTES = 150 * 2**20
CPU_S = 5
MAX_REPLY_BYTES = 64 * 2**20
HEADER = struct.Struct(">I")
_WARM_UP = (
    b'<rss version="2.0"><channel><item><title>a &lt;b&gt;c&lt;/b&gt;</title><pubDate>Mon, 06 Jan 2025 10:00:00 GMT</pubDate></item>'
    b"<item><pubDate>soon</pubDate></item></channel></rss>"
)


class ParseRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One document; `url` is the base of its relative links, `zone` and `date_format` are what its source says of its times."""

    body: bytes
    source: str
    url: str
    content_type: str
    zone: str = "UTC"
    date_format: str = ""


class ParseReply(msgspec.Struct, frozen=True):
    """Either a feed, or why there is none; `is_spent`: this process should not be given another document."""

    feed: ParsedFeed = ParsedFeed(())
    problem: str = ""
    remedy: str = ""
    is_spent: bool = False


def read_frame(channel: socket.socket, max_bytes: int, until: float | None = None) -> bytes:
    """The next message: 4 bytes of length, then as many bytes. Empty at the end of the stream or for a length above `max_bytes`.

    Raises:
        TimeoutError: it was not there at `until` (of `time.monotonic`).
    """
    (length,) = HEADER.unpack(_read(channel, HEADER.size, until) or HEADER.pack(0))
    return _read(channel, length, until) if length <= max_bytes else b""


def write_frame(channel: socket.socket, message: bytes, until: float | None = None) -> None:
    """Send a message the way `read_frame` reads it; with the same error."""
    _set_timeout(channel, until)
    channel.sendall(HEADER.pack(len(message)) + message)


def _read(channel: socket.socket, size: int, until: float | None) -> bytes:
    buffer = bytearray(size)
    view, filled = memoryview(buffer), 0
    while filled < size:
        _set_timeout(channel, until)
        received = channel.recv_into(view[filled:])
        if not received:
            return b""
        filled += received
    return bytes(buffer)


def _set_timeout(channel: socket.socket, until: float | None) -> None:
    # Never 0, which would mean "do not block".
    channel.settimeout(None if until is None else max(until - time.monotonic(), 0.001))


def _give_up_rights() -> None:
    """Load what parsing may load later, then refuse new files, sockets and processes, and bound the memory."""
    for module in pkgutil.iter_modules(encodings.__path__):
        try:
            codecs.lookup(module.name)
        except LookupError:  # not a codec, or one of another operating system
            continue
    # The files of zones and the module of strptime are opened at their first use.
    load_every_zone()
    stated_clock(date_format="%Y-%m-%d")
    read_feed(_WARM_UP, source="", url="https://feeds.example/", content_type="")
    # What is not loaded by now is not there. Feedparser asks for an optional module at each document, and Python would look for it anew in
    # every folder that has changed since, which is an error once no file may be opened.
    sys.meta_path[:] = [BuiltinImporter, FrozenImporter]
    statm = Path("/proc/self/statm")
    if statm.exists():  # where it does not, the system does not hold this limit either
        limit = int(statm.read_text().split()[0]) * resource.getpagesize() + MEMORY_BYTES
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _allow_cpu_time() -> None:
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + 1 + CPU_S, hard))


def _answer(request: ParseRequest) -> ParseReply:
    try:
        stated = stated_clock(request.zone, request.date_format)
        feed = read_feed(request.body, source=request.source, url=request.url, content_type=request.content_type, stated=stated)
        return ParseReply(feed)
    except NotAFeedError as error:
        return ParseReply(problem=error.message, remedy=error.remedy)
    except MemoryError:
        return ParseReply(problem="The feed needs too much memory to be read.", remedy="Check what is there.", is_spent=True)
    # Whatever else feedparser stumbles over is this document's fault, and it ends with this process.
    except Exception as error:
        name = type(error).__name__
        return ParseReply(problem=f"The feed cannot be read: {name}.", remedy="Check what is there.", is_spent=True)


def main() -> None:
    """Serve documents until the other side closes the socket."""
    channel = socket.socket(fileno=os.dup(0))
    sys.stdout = sys.stderr
    _give_up_rights()
    write_frame(channel, b"ready")
    while message := read_frame(channel, 2**32 - 1):
        _allow_cpu_time()
        reply = _answer(msgspec.msgpack.decode(message, type=ParseRequest))
        write_frame(channel, msgspec.msgpack.encode(reply))
        if reply.is_spent:
            return


if __name__ == "__main__":
    main()
