"""What an ETag is worth, against a real server."""

from datetime import UTC, datetime, timedelta

import pytest

from sentiment_platform.fetching.errors import SourceUnreachableError
from sentiment_platform.news.collect.validators import Validators, Visit, is_probe_due, visit
from sentiment_platform_tests.fetching.polite import Clock, in_turn, polite
from sentiment_platform_tests.news.server import ScriptedServer, reply

NOW = datetime(2025, 1, 6, 12, tzinfo=UTC)
PROBE = next(t for t in (NOW + timedelta(minutes=15 * n) for n in range(4)) if is_probe_due("wire", t))
NO_PROBE = PROBE + timedelta(minutes=15)


def look(feeds: ScriptedServer, known: Validators, now: datetime = NO_PROBE) -> Visit:
    return visit(polite(Clock()), feeds.url + "/wire", known, name="wire", now=now, per_second=1000)


def test_a_304_is_checked_once_an_hour_and_not_for_all_sources_at_the_same_time() -> None:
    ticks = [NOW + timedelta(minutes=15 * n) for n in range(96)]
    names = [f"source-{n}" for n in range(40)]
    assert {sum(is_probe_due(name, tick) for tick in ticks) for name in names} == {24}
    assert all(4 <= sum(is_probe_due(name, tick) for name in names) <= 20 for tick in ticks[:4])


def test_an_honest_server_keeps_its_validators_also_when_it_is_checked(feeds: ScriptedServer) -> None:
    feeds.answers["/wire"] = reply(b"<rss/>", etag='"1"')
    known = look(feeds, Validators()).validators
    assert (known.etag, known.are_broken) == ('"1"', False)
    for now, requests in ((NO_PROBE, 1), (PROBE, 2)):
        feeds.requests.clear()
        again = look(feeds, known, now)
        assert (again.fetched.not_modified, again.validators, len(feeds.requests)) == (True, known, requests)
    feeds.answers["/wire"] = reply(b"<rss>new</rss>", etag='"2"')
    for now in (NO_PROBE, PROBE):
        changed = look(feeds, known, now)
        assert (changed.fetched.body, changed.validators.etag, changed.validators.are_broken) == (b"<rss>new</rss>", '"2"', False)


def test_a_server_that_denies_a_change_is_caught_within_the_hour_and_asked_without_validators_from_then_on(
    feeds: ScriptedServer,
) -> None:
    feeds.answers["/wire"] = reply(b"<rss/>", etag='"fixed"')
    known = look(feeds, Validators()).validators
    feeds.answers["/wire"] = reply(b"<rss>new</rss>", etag='"fixed"')
    assert look(feeds, known).fetched.not_modified, "believed until the next probe"
    caught = look(feeds, known, PROBE)
    assert (caught.fetched.body, caught.validators.are_broken) == (b"<rss>new</rss>", True)
    feeds.answers["/wire"] = reply(b"<rss>newer</rss>", etag='"fixed"')
    assert look(feeds, caught.validators).fetched.body == b"<rss>newer</rss>"
    assert "If-None-Match" not in feeds.requests[-1][1]


def test_a_change_between_condition_and_probe_is_no_lie(feeds: ScriptedServer) -> None:
    feeds.answers["/wire"] = reply(b"<rss/>", etag='"1"')
    known = look(feeds, Validators()).validators
    feeds.answers["/wire"] = in_turn(reply(status=304), reply(b"<rss>new</rss>", etag='"2"'))
    changed = look(feeds, known, PROBE)
    assert (changed.fetched.body, changed.validators.are_broken) == (b"<rss>new</rss>", False)


def test_a_new_etag_for_the_same_bytes_is_nothing_new(feeds: ScriptedServer) -> None:
    feeds.answers["/wire"] = reply(b"<rss/>", etag='"1"')
    known = look(feeds, Validators()).validators
    feeds.answers["/wire"] = reply(b"<rss/>", etag='"2"')
    again = look(feeds, known)
    assert (again.fetched.not_modified, again.fetched.body, again.validators.etag) == (True, b"", '"2"')


def test_a_304_that_nobody_asked_for_is_a_failure(feeds: ScriptedServer) -> None:
    feeds.answers["/wire"] = reply(status=304)
    with pytest.raises(SourceUnreachableError, match="304"):
        look(feeds, Validators())
