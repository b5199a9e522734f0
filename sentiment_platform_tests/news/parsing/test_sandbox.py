"""The process that parses feeds: same answers, bounded time and memory, no way to files and sockets, replaced when it is lost."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from sentiment_platform.news.errors import NotAFeedError
from sentiment_platform.news.parsing.parse import parse_feed
from sentiment_platform.news.parsing.sandbox import FeedParser
from sentiment_platform_tests.news.server import item, rss

URL = "https://feeds.example/news"
GOOD = rss(item("Profit rises", "/a", "Mon, 06 Jan 2025 10:00:00 GMT"))
# Seconds of work for the parser: HTML that opens and never closes, inside a summary.
SLOW = rss(item("a", "/a", "", extra="<description>" + "&lt;div&gt;" * 100_000 + "</description>") * 5)

AFTER_RIGHTS_ARE_GONE = """
import os, socket, sys
from sentiment_platform.news.parsing import parse_worker
control, denied = [], []
def attempt(what, into):
    try:
        what().close()
        into.append("done")
    except OSError as error:
        into.append(type(error).__name__)
attempts = (lambda: open("/etc/hostname"), socket.socket)
for what in attempts: attempt(what, control)
parse_worker._give_up_rights()
for what in attempts: attempt(what, denied)
try:
    bytearray(400 * 2**20)
    denied.append("done")
except MemoryError:
    denied.append("MemoryError")
print(control, denied, "\\u20ac".encode("cp1250"), "caf\\xe9".encode("euc_jp", "replace"))
"""


def test_the_worker_answers_like_the_parser_itself_and_one_worker_serves_many_documents() -> None:
    with FeedParser() as parser:
        assert parser.pid is None
        found = [parser.parse(GOOD, source="s", url=URL, content_type="text/xml") for _ in range(3)]
        first = parser.pid
        with pytest.raises(NotAFeedError, match="an HTML page"):
            parser.parse(b"<!doctype html><html>", source="s", url=URL)
        assert parser.parse(GOOD, source="s", url=URL)
        assert parser.pid == first
    assert found == [parse_feed(GOOD, source="s", url=URL, content_type="text/xml")] * 3
    assert not Path(f"/proc/{first}").exists()


def test_a_document_that_takes_too_long_is_given_up_and_the_next_one_is_read() -> None:
    with FeedParser(parse_s=0.7) as parser:
        parser.parse(GOOD, source="s", url=URL)
        first, started = parser.pid, time.monotonic()
        with pytest.raises(NotAFeedError, match=r"more than 0\.7 s"):
            parser.parse(SLOW, source="s", url=URL)
        assert time.monotonic() - started < 1.5
        assert parser.parse(GOOD, source="s", url=URL)
        assert parser.pid != first


def test_a_worker_that_was_killed_is_replaced() -> None:
    with FeedParser() as parser:
        parser.parse(GOOD, source="s", url=URL)
        assert parser.pid is not None
        os.kill(parser.pid, signal.SIGKILL)
        time.sleep(0.1)
        assert parser.parse(GOOD, source="s", url=URL)


def test_a_document_that_kills_the_worker_is_refused() -> None:
    with FeedParser() as parser:
        parser.parse(GOOD, source="s", url=URL)
        assert parser.pid is not None
        threading.Timer(0.2, os.kill, (parser.pid, signal.SIGKILL)).start()
        with pytest.raises(NotAFeedError, match="ended the process"):
            parser.parse(SLOW, source="s", url=URL)
        assert parser.parse(GOOD, source="s", url=URL)


def test_the_worker_cannot_open_files_or_sockets_or_take_memory_and_still_knows_every_encoding() -> None:
    done = subprocess.run([sys.executable, "-c", AFTER_RIGHTS_ARE_GONE], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("['done', 'done'] ['OSError', 'OSError', 'MemoryError'] b'\\x80'")


def test_a_folder_of_pythons_path_that_changes_while_the_worker_lives_costs_no_document(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    with FeedParser() as parser:
        assert parser.parse(GOOD, source="s", url=URL)
        (tmp_path / "new").touch()
        assert parser.parse(GOOD, source="s", url=URL)


def test_the_worker_inherits_no_variable_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://user:secret@host/name")
    with FeedParser() as parser:
        parser.parse(GOOD, source="s", url=URL)
        environment = Path(f"/proc/{parser.pid}/environ").read_bytes()
    assert b"PYTHONPATH" in environment
    assert b"secret" not in environment
