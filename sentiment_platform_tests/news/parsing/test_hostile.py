"""Hostile feeds over real HTTP: each ends as items or as a named failure, in time, within memory, and touches nothing of this machine."""

import resource
import time
import urllib.request
import xml.sax
from collections import Counter
from collections.abc import Generator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from xml.sax.handler import feature_external_ges

import pytest
from sqlalchemy import Engine

from sentiment_platform.fetching.errors import SourceRefusedError, SourceUnreachableError
from sentiment_platform.fetching.http import FetchLimits
from sentiment_platform.fetching.politeness import PoliteClient, Retries
from sentiment_platform.news.admission import store_items
from sentiment_platform.news.errors import NotAFeedError
from sentiment_platform.news.items import RawItem
from sentiment_platform.news.parsing.sandbox import FeedParser
from sentiment_platform_tests.news.parsing.hostile import Hostile, Trap, corpus
from sentiment_platform_tests.news.server import Answer, Canary, ScriptedServer, canary

NOW = datetime(2025, 1, 6, 12, tzinfo=UTC)
MAX_SECONDS = 5.0
MAX_BYTES = 200 * 2**20
TOKEN = "what-only-this-machine-knows"


@pytest.fixture
def inside() -> Generator[Canary]:
    with canary() as found:
        yield found


@pytest.fixture
def trap(tmp_path: Path, inside: Canary) -> Trap:
    file = tmp_path / "secret.xml"
    file.write_text(f"<rss><channel><item><title>{TOKEN}</title></item></channel></rss>")
    return Trap(file, inside.port)


def answer(hostile: Hostile) -> Answer:
    def write(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(hostile.status)
        for name, value in hostile.headers.items():
            handler.send_header(name, value)
        if "Content-Length" not in hostile.headers:
            handler.send_header("Content-Length", str(len(hostile.body)))
        handler.end_headers()
        handler.wfile.write(hostile.body)

    return write


def address_space_bytes(pid: int) -> int:
    (line,) = (s for s in Path(f"/proc/{pid}/limits").read_text().splitlines() if s.startswith("Max address space"))
    return int(line.split()[3])


def peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


@pytest.mark.slow
def test_hostile_feeds_crash_nothing_take_little_and_reach_nothing_of_this_machine(
    feeds: ScriptedServer, engine: Engine, trap: Trap, inside: Canary
) -> None:
    client = PoliteClient(
        agent="tests", limits=FetchLimits(allow_private_hosts=True, read_s=1.0, total_s=3.0), retries=Retries(attempts=1)
    )
    ends, items, told, slow, before = Counter[str](), list[RawItem](), list[str](), dict[str, float](), peak_bytes()
    hostiles = list(corpus(trap))
    assert len({hostile.name for hostile in hostiles}) == len(hostiles) >= 200
    with FeedParser() as parser:
        for number, hostile in enumerate(hostiles):
            feeds.answers[f"/{number}"] = feeds.answers[f"/{number}?"] = answer(hostile)
            started = time.monotonic()
            try:
                fetched = client.get(f"{feeds.url}/{number}", now=NOW, per_second=1e6)
                found = parser.parse(fetched.body, source="hostile", url=fetched.url, content_type=fetched.content_type)
            except (SourceRefusedError, SourceUnreachableError, NotAFeedError) as error:
                ends[type(error).__name__] += 1
                told.append(str(error))
            else:
                ends["items" if found else "no items"] += 1
                items += found
            if (took_s := time.monotonic() - started) > MAX_SECONDS:
                slow[hostile.name] = took_s
            assert parser.pid is None or address_space_bytes(parser.pid) <= MAX_BYTES
    assert not slow
    assert peak_bytes() - before <= MAX_BYTES
    assert inside.seen == []
    assert not [text for text in told if "cannot be read" in text], "an error that nobody foresaw"
    assert not [text for text in (*told, *map(repr, items)) if TOKEN in text]
    assert min(ends[end] for end in ("items", "SourceRefusedError", "SourceUnreachableError", "NotAFeedError")) >= 20, ends
    with engine.begin() as connection:
        tally = store_items(connection, items, run_id="r", now=NOW)
    assert tally.fetched == tally.stored + tally.duplicate + tally.quarantined == len(items)
    assert min(tally.stored, tally.duplicate, tally.quarantined) > 0


def test_the_traps_work_on_readers_without_the_guard(feeds: ScriptedServer, trap: Trap, inside: Canary, tmp_path: Path) -> None:
    import feedparser

    assert TOKEN in repr(feedparser.parse(str(trap.file)))
    named = {hostile.name: hostile for hostile in corpus(trap)}
    seen = list[str]()

    class Text(xml.sax.ContentHandler):
        def characters(self, content: str) -> None:
            seen.append(content)

    for name in ("local file", "internal server"):
        document = tmp_path / "document.xml"
        document.write_bytes(named[name].body)
        reader = xml.sax.make_parser()
        reader.setFeature(feature_external_ges, True)
        reader.setContentHandler(Text())
        try:
            reader.parse(str(document))
        except (OSError, xml.sax.SAXException):
            continue
    assert TOKEN in "".join(seen)
    feeds.answers["/r"] = answer(named["redirect 301 inside"])
    with pytest.raises(OSError, match=r"."):
        urllib.request.urlopen(feeds.url + "/r", timeout=2).close()
    time.sleep(0.05)
    assert len(inside.seen) >= 2
