"""Feeds are parsed in a process that can be lost: one worker for many documents, killed and replaced when it is in trouble.

Here: starting, asking, timing and ending the worker. What it may do and what it does are in `news.parsing.parse_worker`.
"""

import contextlib
import os
import socket
import subprocess
import sys
import time
from types import TracebackType
from typing import Self

import msgspec

from sentiment_platform.errors import TransientError
from sentiment_platform.news.errors import NotAFeedError
from sentiment_platform.news.items import RawItem
from sentiment_platform.news.parsing.parse import ParsedFeed
from sentiment_platform.news.parsing.parse_worker import MAX_REPLY_BYTES, ParseReply, ParseRequest, read_frame, write_frame

PARSE_S = 4.5
_START_S = 30.0
_MAX_DOCUMENTS = 500


class ParserUnavailableError(TransientError):
    """The process that parses feeds does not start: the machine's fault, not a source's."""


class FeedParser:
    """Parses feeds outside of this process. A context manager; the worker is started by the first document. Not for threads.

    Args:
        parse_s: wall-clock seconds that one document may take.
    """

    def __init__(self, *, parse_s: float = PARSE_S) -> None:
        self._parse_s = parse_s
        self._process: subprocess.Popen[bytes] | None = None
        self._channel: socket.socket | None = None
        self._documents = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    @property
    def pid(self) -> int | None:
        """The worker's process id, None while there is none."""
        return self._process.pid if self._process else None

    def parse(self, body: bytes, *, source: str, url: str, content_type: str = "") -> tuple[RawItem, ...]:
        """The items of `read`, with the same errors."""
        return self.read(body, source=source, url=url, content_type=content_type).items

    def read(
        self, body: bytes, *, source: str, url: str, content_type: str = "", zone: str = "UTC", date_format: str = ""
    ) -> ParsedFeed:
        """A feed, as `read_feed` gives it; `zone` and `date_format` as for `times.stated.stated_clock`.

        Raises:
            NotAFeedError: what `read_feed` raises, and a document that takes too much time or memory or kills the worker.
            ParserUnavailableError: no worker could be started.
        """
        channel = self._ready()
        wanted = ParseRequest(body=body, source=source, url=url, content_type=content_type, zone=zone, date_format=date_format)
        request = msgspec.msgpack.encode(wanted)
        self._documents += 1
        try:
            reply = self._ask(channel, request)
        except BaseException:
            self.close()
            raise
        if reply.is_spent or self._documents >= _MAX_DOCUMENTS:
            self.close()
        if reply.problem:
            raise NotAFeedError(reply.problem, remedy=reply.remedy)
        return reply.feed

    def close(self) -> None:
        """End the worker, whatever it is doing."""
        if self._channel is not None:
            self._channel.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._process = self._channel = None
        self._documents = 0

    def _ask(self, channel: socket.socket, request: bytes) -> ParseReply:
        remedy = "Check what is at the address of the source."
        until = time.monotonic() + self._parse_s
        try:
            write_frame(channel, request, until)
            answer = read_frame(channel, MAX_REPLY_BYTES, until)
        except TimeoutError as error:
            raise NotAFeedError(f"The feed takes more than {self._parse_s:g} s to read.", remedy=remedy) from error
        except OSError as error:
            raise NotAFeedError("The feed ended the process that read it.", remedy=remedy) from error
        try:
            return msgspec.msgpack.decode(answer, type=ParseReply)
        except msgspec.DecodeError as error:  # an empty answer too
            raise NotAFeedError("The feed ended the process that read it.", remedy=remedy) from error

    def _ready(self) -> socket.socket:
        if self._channel is not None and self._process is not None and self._process.poll() is None:
            return self._channel
        self.close()
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "sentiment_platform.news.parsing.parse_worker"],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={"PYTHONPATH": os.pathsep.join(os.path.abspath(entry) for entry in sys.path), "PYTHONUTF8": "1"},
            )
        self._channel = ours
        with contextlib.suppress(OSError):
            if read_frame(ours, MAX_REPLY_BYTES, time.monotonic() + _START_S) == b"ready":
                return ours
        self.close()
        raise ParserUnavailableError("The process that parses feeds does not start.", remedy="Check memory and process limits.")
