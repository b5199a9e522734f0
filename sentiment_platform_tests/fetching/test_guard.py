"""The guard of fetching at work: names are resolved once, connections go to what was checked, keys go nowhere else."""

import logging
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sentiment_platform.fetching.addresses import AllowList
from sentiment_platform.fetching.errors import SourceRefusedError, SourceUnreachableError
from sentiment_platform.fetching.http import Fetched, FetchLimits, Network, fetch
from sentiment_platform_tests.news.certificates import self_signed
from sentiment_platform_tests.news.server import ScriptedServer, canary, reply, serving

NOW = datetime(2025, 1, 6, 12, tzinfo=UTC)
LOCAL = FetchLimits(allow_private_hosts=True, read_s=1.0, total_s=2.0)
PUBLIC = FetchLimits(read_s=1.0, total_s=2.0)


class Names:
    """A resolver: each name has a list of answers, the last of which stays; `asked` lists the names."""

    def __init__(self, **answers: Sequence[Sequence[str]]) -> None:
        self.answers = {name.replace("_", "."): list(found) for name, found in answers.items()}
        self.asked: list[str] = []

    def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        found = self.answers.get(host, [[host]])
        return found.pop(0) if len(found) > 1 else found[0]


def get(url: str, limits: FetchLimits = LOCAL, network: Network | None = None, allowed: AllowList | None = None) -> Fetched:
    headers = {"Authorization": "Bearer top-secret"}
    return fetch(url, agent="tests", now=NOW, limits=limits, headers=headers, network=network, allowed=allowed)


def test_a_name_that_changes_its_mind_after_the_check_gains_nothing() -> None:
    names = Names(news_example=[["93.184.215.14"], ["127.0.0.1"]])
    with canary() as inside:
        limits = FetchLimits(connect_s=0.3, read_s=0.3, total_s=1.0)
        with pytest.raises(SourceUnreachableError):
            get(f"https://news.example:{inside.port}/", limits, Network(names))
    assert (names.asked, inside.seen) == (["news.example"], [])


@pytest.mark.parametrize("address", ["127.0.0.1", "::ffff:127.0.0.1", "0.0.0.0"])
def test_a_name_that_leads_inside_is_not_connected_to(address: str) -> None:
    with canary() as inside, pytest.raises(SourceRefusedError, match="not a public address"):
        get(f"https://news.example:{inside.port}/", PUBLIC, Network(Names(news_example=[["93.184.215.14", address]])))
    assert inside.seen == []


def test_the_canary_sees_a_connection_where_private_hosts_are_allowed() -> None:
    with canary() as inside, pytest.raises(SourceUnreachableError):
        get(f"https://news.example:{inside.port}/", LOCAL, Network(Names(news_example=[["127.0.0.1"]])))
    assert len(inside.seen) == 1


def test_the_second_address_is_asked_when_the_first_does_not_answer(feeds: ScriptedServer) -> None:
    feeds.answers["/a"] = reply(b"<rss/>")
    names = Names(news_example=[["127.0.0.3", "127.0.0.1"]])
    assert get(f"http://news.example:{feeds.port}/a", network=Network(names)).body == b"<rss/>"
    assert feeds.requests[0][1]["Host"] == f"news.example:{feeds.port}"


def test_certificates_are_checked_against_the_name_although_the_address_is_connected_to(tmp_path: Path) -> None:
    server, trust = self_signed(tmp_path, "news.example")
    names = Names(news_example=[["127.0.0.1"]], other_example=[["127.0.0.1"]])
    with serving(server) as feeds:
        feeds.answers["/a"] = reply(b"<rss/>")
        place = f":{feeds.port}/a"
        assert get(f"https://news.example{place}", network=Network(names, trust)).body == b"<rss/>"
        for url, network in (
            (f"https://other.example{place}", Network(names, trust)),
            (f"https://news.example{place}", Network(names)),
        ):
            with pytest.raises(SourceUnreachableError, match="CERTIFICATE_VERIFY_FAILED"):
                get(url, network=network)
        feeds.answers["/r"] = reply(status=302, location=f"https://other.example{place}")
        both = AllowList.of([f"https://news.example:{feeds.port}", f"https://other.example:{feeds.port}"])
        with pytest.raises(SourceUnreachableError, match="CERTIFICATE_VERIFY_FAILED"):
            get(f"https://news.example:{feeds.port}/r", network=Network(names, trust), allowed=both)
        assert [path for path, _ in feeds.requests] == ["/a", "/r"]


def test_a_redirect_leads_only_to_hosts_and_ports_on_the_list(feeds: ScriptedServer) -> None:
    feeds.answers["/good"] = reply(b"<rss/>")
    names = Names(news_example=[["127.0.0.1"]], feeds_news_example=[["127.0.0.1"]], evil_example=[["127.0.0.1"]])
    home = f"http://news.example:{feeds.port}"
    with canary() as inside:
        for target, is_followed in {
            "/good": True,
            f"http://feeds.news.example:{feeds.port}/good": True,
            f"http://evil.example:{feeds.port}/good": False,
            f"http://127.0.0.1:{feeds.port}/good": False,
            f"http://news.example:{inside.port}/": False,
            f"http://news.example@127.0.0.1:{inside.port}/": False,
            f"//127.0.0.1:{inside.port}/": False,
            "file:///etc/passwd": False,
            "http://[::1": False,
        }.items():
            feeds.answers["/r"] = reply(status=302, location=target)
            if is_followed:
                assert get(f"{home}/r", network=Network(names)).body == b"<rss/>"
            else:
                with pytest.raises(SourceRefusedError):
                    get(f"{home}/r", network=Network(names))
    assert inside.seen == []


def test_the_keys_of_one_host_are_not_shown_to_another(feeds: ScriptedServer) -> None:
    names = Names(news_example=[["127.0.0.1"]], www_news_example=[["127.0.0.1"]])
    feeds.answers["/same"] = reply(status=302, location="/end")
    feeds.answers["/other"] = reply(status=302, location=f"http://www.news.example:{feeds.port}/end")
    feeds.answers["/end"] = reply(b"<rss/>")
    for path in ("/same", "/other"):
        get(f"http://news.example:{feeds.port}{path}", network=Network(names))
    keys = [(path, "Authorization" in headers) for path, headers in feeds.requests]
    assert keys == [("/same", True), ("/end", True), ("/other", True), ("/end", False)]


def test_no_message_address_or_log_line_holds_a_key(feeds: ScriptedServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    key = "top-secret"
    feeds.answers[f"/ok?key={key}"] = reply(b"<rss/>")
    feeds.answers[f"/gone?key={key}"] = reply(status=410)
    feeds.answers[f"/busy?key={key}"] = reply(status=429)
    feeds.answers[f"/away?key={key}"] = reply(status=302, location=f"https://evil.example/?key={key}")
    feeds.answers[f"/round?key={key}"] = reply(status=302, location=f"/round?key={key}")
    assert get(f"{feeds.url}/ok?key={key}").url == f"{feeds.url}/ok"
    texts: list[str] = []
    urls = [f"{feeds.url}/{path}?key={key}" for path in ("gone", "busy", "away", "round")]
    urls += [f"http://u:{key}@127.0.0.1/", f"http://127.0.0.1:9/?key={key}", f"ftp://127.0.0.1/?key={key}", f"http://\x00/?{key}"]
    for url in urls:
        with pytest.raises((SourceRefusedError, SourceUnreachableError)) as failure:
            get(url)
        texts.append(str(failure.value))
    with pytest.raises(SourceUnreachableError) as failure:
        fetch(feeds.url, agent="tests", now=NOW, limits=LOCAL, headers={"Authorization": f"{key}\n"})
    texts.append(str(failure.value))
    assert len(texts) == 9
    assert not [text for text in [*texts, caplog.text] if key in text]


def test_a_resolver_that_hangs_is_not_waited_for() -> None:
    def hang(host: str, port: int) -> Sequence[str]:
        time.sleep(3)
        return [host]

    started = time.monotonic()
    with pytest.raises(SourceUnreachableError, match=r"more than 0\.5 s"):
        get("https://news.example/", FetchLimits(total_s=0.5), Network(hang))
    assert time.monotonic() - started < 1.5


def test_a_name_that_does_not_resolve_is_unreachable() -> None:
    with pytest.raises(SourceUnreachableError, match="does not resolve"):
        get("https://nowhere.invalid/feed", FetchLimits())


def test_a_validator_that_could_not_be_sent_back_is_forgotten(feeds: ScriptedServer) -> None:
    for etag in ("caf\xe9", "x" * 2000):
        feeds.answers["/a"] = reply(b"<rss/>", etag=etag)
        assert get(feeds.url + "/a").etag is None
