"""Waiting and retrying against a real server, with a clock that only moves when somebody sleeps."""

import socket
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from sentiment_platform.fetching.errors import QuotaUsedError, SourceBusyError, SourceRefusedError, SourceUnreachableError
from sentiment_platform.fetching.politeness import Pace, PoliteClient, Retries
from sentiment_platform_tests.fetching.polite import Clock, in_turn, polite
from sentiment_platform_tests.news.server import ScriptedServer, reply

NOW = datetime(2025, 1, 6, 12, tzinfo=UTC)


def test_requests_to_a_host_keep_their_distance_and_other_hosts_do_not_wait_for_them() -> None:
    clock = Clock()
    pace = Pace(monotonic=clock.monotonic, sleep=clock.sleep)
    waited = [pace.wait("www.sec.gov", 10) for _ in range(11)]
    assert waited == pytest.approx([0.0] + [0.1] * 10)
    assert pace.wait("news.example", 1) == 0.0
    clock.time += 60
    assert [pace.wait("www.sec.gov", 10), pace.wait("www.sec.gov", 10)] == pytest.approx([0.0, 0.1]), (
        "idle time saves up no burst"
    )


def test_no_window_of_a_second_sees_more_than_the_rate() -> None:
    clock, times = Clock(), list[float]()
    pace = Pace(monotonic=clock.monotonic, sleep=clock.sleep)
    for pause_s in (0.0, 0.03, 0.2, 0.0) * 25:
        pace.wait("www.sec.gov", 10)
        times.append(clock.time)
        clock.time += pause_s
    assert max(sum(start <= t < start + 0.999 for t in times) for start in times) <= 10


def test_a_transient_failure_is_tried_again_with_full_jitter_and_then_works(feeds: ScriptedServer) -> None:
    feeds.answers["/a"] = in_turn(reply(status=500), reply(status=502), reply(b"<rss/>"))
    clock, asked = Clock(), list[tuple[float, float]]()

    def uniform(low: float, high: float) -> float:
        asked.append((low, high))
        return high / 2

    client = polite(clock, uniform)
    assert client.get(feeds.url + "/a", now=NOW, per_second=1000).body == b"<rss/>"
    assert (asked, len(feeds.requests)) == ([(0.0, 1.0), (0.0, 2.0)], 3)
    assert [s for s in clock.sleeps if s > 0.01] == [0.5, 1.0]


def test_attempts_end_and_the_waits_are_capped(feeds: ScriptedServer) -> None:
    feeds.answers["/a"] = reply(status=500)
    clock = Clock()
    with pytest.raises(SourceUnreachableError, match="500"):
        polite(clock, retries=Retries(attempts=6, base_s=1, cap_s=4, total_s=1000)).get(
            feeds.url + "/a", now=NOW, per_second=1000
        )
    assert len(feeds.requests) == 6
    assert [s for s in clock.sleeps if s > 0.01] == [1, 2, 4, 4, 4]


def test_all_attempts_together_keep_within_the_bound_of_time(feeds: ScriptedServer) -> None:
    feeds.answers["/a"] = reply(status=500)
    clock = Clock()
    with pytest.raises(SourceUnreachableError):
        polite(clock, retries=Retries(attempts=100, base_s=8, cap_s=8, total_s=30)).get(feeds.url + "/a", now=NOW)
    assert clock.time - 1000 < 30
    assert len(feeds.requests) == 4


def test_what_will_not_become_better_is_asked_once(feeds: ScriptedServer) -> None:
    clock = Clock()
    with pytest.raises(SourceRefusedError, match="404"):
        polite(clock).get(feeds.url + "/none", now=NOW)
    assert (len(feeds.requests), clock.sleeps) == (1, [])


@pytest.mark.parametrize("header", ["7", "Mon, 06 Jan 2025 12:00:07 GMT"])
def test_a_busy_host_is_asked_again_exactly_when_it_said(feeds: ScriptedServer, header: str) -> None:
    feeds.answers["/a"] = in_turn(reply(status=429, retry_after=header), reply(b"<rss/>"))
    clock = Clock()
    assert polite(clock).get(feeds.url + "/a", now=NOW).body == b"<rss/>"
    assert clock.sleeps == [7.0]


def test_a_busy_host_that_wants_more_time_than_there_is_or_says_nothing_is_left_alone(feeds: ScriptedServer) -> None:
    feeds.answers["/later"] = reply(status=503, retry_after="600")
    feeds.answers["/silent"] = reply(status=429)
    clock = Clock()
    with pytest.raises(SourceBusyError) as busy:
        polite(clock).get(feeds.url + "/later", now=NOW)
    assert busy.value.retry_after == NOW + timedelta(seconds=600)
    with pytest.raises(SourceBusyError):
        polite(clock).get(feeds.url + "/silent", now=NOW)
    assert (len(feeds.requests), clock.sleeps) == (2, [])


def test_a_refused_connection_is_tried_again() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        clock = Clock()
        charged: list[int] = []
        with pytest.raises(SourceUnreachableError, match="ConnectError"):
            polite(clock).get(f"http://127.0.0.1:{closed.getsockname()[1]}/", now=NOW, charge=lambda: charged.append(1))
    assert len(charged) == 3


def allowance(requests: int) -> Callable[[], None]:
    """A charge that lets so many requests through."""
    left = [None] * requests

    def charge() -> None:
        if not left:
            raise QuotaUsedError("its requests are used up", remedy="Wait.")
        left.pop()

    return charge


def test_no_attempt_and_no_redirect_is_made_beyond_what_is_allowed(feeds: ScriptedServer) -> None:
    feeds.answers["/a"] = reply(status=500)
    with pytest.raises(SourceUnreachableError, match="answered 500"):
        polite(Clock()).get(feeds.url + "/a", now=NOW, charge=allowance(2))
    assert len(feeds.requests) == 2
    feeds.answers["/b"] = reply(status=302, location="/c")
    feeds.answers["/c"] = reply(b"<rss/>")
    with pytest.raises(QuotaUsedError):
        polite(Clock()).get(feeds.url + "/b", now=NOW, charge=allowance(1))
    assert [path for path, _ in feeds.requests[2:]] == ["/b"]
    assert polite(Clock()).get(feeds.url + "/b", now=NOW, charge=allowance(2)).body == b"<rss/>"


def test_a_request_that_the_guard_refuses_costs_nothing(feeds: ScriptedServer) -> None:
    client = PoliteClient(agent="tests", sleep=lambda _: None)
    with pytest.raises(SourceRefusedError):
        client.get(f"https://127.0.0.1:{feeds.port}/", now=NOW, charge=allowance(0))
