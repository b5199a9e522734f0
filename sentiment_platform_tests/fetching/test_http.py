import gzip
import time
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler

import pytest

from sentiment_platform.fetching.answers import Fetched, retry_after
from sentiment_platform.fetching.errors import SourceBusyError, SourceRefusedError, SourceUnreachableError
from sentiment_platform.fetching.http import FetchLimits, fetch, user_agent
from sentiment_platform_tests.news.server import ScriptedServer, reply

NOW = datetime(2025, 1, 6, 12, tzinfo=UTC)
LOCAL = FetchLimits(allow_private_hosts=True, read_s=0.3, total_s=1.0, max_bytes=10_000)


def get(url: str, limits: FetchLimits = LOCAL, **state: str) -> Fetched:
    return fetch(url, agent=user_agent("ops@example.com"), now=NOW, limits=limits, **state)


def test_a_feed_is_fetched_once_and_then_not_modified(feeds: ScriptedServer) -> None:
    feeds.answers["/a"] = reply(b"<rss/>", etag='"v1"', last_modified="Mon, 06 Jan 2025 10:00:00 GMT", content_type="text/xml")
    first = get(feeds.url + "/a")
    assert (first.body, first.not_modified, first.content_type) == (b"<rss/>", False, "text/xml")
    again = get(feeds.url + "/a", etag=first.etag or "", last_modified=first.last_modified or "")
    assert (again.body, again.not_modified) == (b"", True)
    assert feeds.requests[0][1]["User-Agent"] == "sentiment-platform (ops@example.com)"
    assert feeds.requests[1][1]["If-Modified-Since"] == "Mon, 06 Jan 2025 10:00:00 GMT"


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("120", NOW + timedelta(seconds=120)),
        ("Mon, 06 Jan 2025 13:00:00 GMT", NOW + timedelta(hours=1)),
        ("99999999", NOW + timedelta(days=1)),
        ("Mon, 06 Jan 2020 13:00:00 GMT", NOW),
        ("soon", None),
        ("", None),
    ],
)
def test_retry_after_in_both_forms_and_at_most_a_day(header: str, expected: datetime | None) -> None:
    assert retry_after(header, NOW) == expected


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_source_says_when_to_come_back(feeds: ScriptedServer, status: int) -> None:
    feeds.answers["/a"] = reply(status=status, retry_after="60")
    with pytest.raises(SourceBusyError) as busy:
        get(feeds.url + "/a")
    assert busy.value.retry_after == NOW + timedelta(seconds=60)


@pytest.mark.parametrize(
    ("status", "error"), [(404, SourceRefusedError), (410, SourceRefusedError), (500, SourceUnreachableError)]
)
def test_an_error_status_is_permanent_or_transient(feeds: ScriptedServer, status: int, error: type[Exception]) -> None:
    feeds.answers["/a"] = reply(b"<rss/>", status=status)
    with pytest.raises(error, match=str(status)):
        get(feeds.url + "/a")


def test_compressed_answers_are_read(feeds: ScriptedServer) -> None:
    feeds.answers["/a"] = reply(gzip.compress(b"<rss/>" * 10), content_encoding="gzip")
    assert get(feeds.url + "/a").body == b"<rss/>" * 10


@pytest.mark.parametrize("compressed", [False, True])
def test_a_body_over_the_cap_is_refused_also_when_only_decompression_makes_it_large(
    feeds: ScriptedServer, compressed: bool
) -> None:
    body = b"a" * 10_001
    feeds.answers["/large"] = reply(
        gzip.compress(body) if compressed else body, **({"content_encoding": "gzip"} if compressed else {})
    )
    feeds.answers["/fits"] = reply(
        gzip.compress(body[1:]) if compressed else body[1:], **({"content_encoding": "gzip"} if compressed else {})
    )
    with pytest.raises(SourceRefusedError, match="10,000 bytes"):
        get(feeds.url + "/large")
    assert len(get(feeds.url + "/fits").body) == 10_000


def test_truncated_and_broken_compression_is_transient(feeds: ScriptedServer) -> None:
    packed = gzip.compress(bytes(range(256)) * 10)
    for path, body in {"/cut": packed[:-20], "/broken": b"no gzip at all"}.items():
        feeds.answers[path] = reply(body, content_encoding="gzip")
        with pytest.raises(SourceUnreachableError, match="gzip"):
            get(feeds.url + path)


def test_redirects_are_followed_up_to_the_limit(feeds: ScriptedServer) -> None:
    for number in range(7):
        feeds.answers[f"/{number}"] = reply(status=302, location=f"/{number + 1}")
    feeds.answers["/7"] = reply(b"end")
    assert get(feeds.url + "/2").body == b"end"
    with pytest.raises(SourceRefusedError, match="redirects more than 5 times"):
        get(feeds.url + "/1")


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/x", "gopher://127.0.0.1/"])
def test_a_redirect_to_another_scheme_is_refused(feeds: ScriptedServer, target: str) -> None:
    feeds.answers["/a"] = reply(status=302, location=target)
    with pytest.raises((SourceRefusedError, SourceUnreachableError)):
        get(feeds.url + "/a")
    assert len(feeds.requests) == 1


def test_nothing_is_asked_of_a_private_host_unless_allowed(feeds: ScriptedServer) -> None:
    with pytest.raises(SourceRefusedError):
        get(feeds.url.replace("http:", "https:") + "/a", FetchLimits())
    assert feeds.requests == []


def test_a_source_that_is_silent_is_given_up_after_the_read_time_out(feeds: ScriptedServer) -> None:
    feeds.answers["/a"] = lambda _handler: time.sleep(0.8)
    started = time.monotonic()
    with pytest.raises(SourceUnreachableError, match="ReadTimeout"):
        get(feeds.url + "/a")
    assert time.monotonic() - started < 0.8


@pytest.mark.parametrize("begun", [b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\nX-Long: "], ids=["the body", "the headers"])
def test_a_source_that_trickles_is_given_up_after_the_total_time(feeds: ScriptedServer, begun: bytes) -> None:
    def trickle(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(begun)
        for _ in range(40):
            handler.wfile.write(b"x")
            handler.wfile.flush()
            time.sleep(0.05)

    feeds.answers["/a"] = trickle
    started = time.monotonic()
    with pytest.raises(SourceUnreachableError, match="more than 1 s"):
        get(feeds.url + "/a")
    assert time.monotonic() - started < 1.8


def test_a_refused_connection_is_transient() -> None:
    with pytest.raises(SourceUnreachableError, match="ConnectError"):
        get("http://127.0.0.1:9/")
