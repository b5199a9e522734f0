from ipaddress import ip_address

import httpx
import pytest

from sentiment_platform.fetching.addresses import AllowList, allowed_url, is_public, refuse_addresses, shown
from sentiment_platform.fetching.errors import SourceRefusedError, SourceUnreachableError

NEWS = AllowList.of(["https://news.example/rss", "https://www.wire.example:8443/atom"])


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "100.100.100.200",
        "169.254.169.254",
        "168.63.129.16",
        "192.0.0.192",
        "0.0.0.0",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "198.18.0.1",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:8.8.8.8",
        "64:ff9b::7f00:1",
        "64:ff9b:1::7f00:1",
        "2002:7f00:1::1",
        "2001:0:7f00:1::1",
        "fe80::1",
        "fec0::1",
        "fd00:ec2::254",
        "ff0e::1",
        "2001:db8::1",
        "3fff::1",
    ],
)
def test_an_address_that_may_lead_inside_is_not_public(address: str) -> None:
    assert not is_public(ip_address(address))
    with pytest.raises(SourceRefusedError, match="SENTIMENT_ALLOW_PRIVATE_HOSTS"):
        refuse_addresses("news.example", ["93.184.215.14", address], allow_private_hosts=False)


def test_public_addresses_of_both_kinds_are_allowed() -> None:
    refuse_addresses("news.example", ["93.184.215.14", "2606:4700::6810:84e5"], allow_private_hosts=False)


def test_a_name_without_an_address_is_unreachable() -> None:
    with pytest.raises(SourceUnreachableError):
        refuse_addresses("news.example", [], allow_private_hosts=False)


def test_the_own_network_is_allowed_where_the_operator_says_so_but_never_metadata_multicast_or_nowhere() -> None:
    refuse_addresses("feeds", ["127.0.0.1", "::1", "10.1.2.3", "fd12::1"], allow_private_hosts=True)
    for address in ("169.254.169.254", "fe80::1", "224.0.0.1", "0.0.0.0", "::", "::ffff:127.0.0.1", "64:ff9b::7f00:1"):
        with pytest.raises(SourceRefusedError):
            refuse_addresses("feeds", [address], allow_private_hosts=True)


@pytest.mark.parametrize(
    "url",
    [
        "https://news.example/other",
        "https://NEWS.example./x",
        "https://feeds.news.example/x",
        "https://www.news.example/x",
        "https://wire.example:8443/x",
        "https://www.wire.example/x",
    ],
)
def test_the_list_allows_the_host_those_below_it_and_www(url: str) -> None:
    assert allowed_url(url, NEWS, allow_private_hosts=False) == httpx.URL(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://example/x",
        "https://other.example/x",
        "https://evilnews.example/x",
        "https://news.example.evil.example/x",
        "https://feeds.wire.example/x",
        "https://news.example:6379/x",
        "https://127.0.0.1/x",
        "https://user:word@news.example/x",
        "https://news.example@evil.example/x",
        "http://news.example/x",
        "file:///etc/passwd",
        "ftp://news.example/x",
        "gopher://news.example:6379/_FLUSHALL",
        "javascript:alert(1)",
        "https:///x",
        "https://news.example\x00.evil.example/",
        "",
    ],
)
def test_everything_else_is_refused_before_any_name_is_resolved(url: str) -> None:
    with pytest.raises(SourceRefusedError):
        allowed_url(url, NEWS, allow_private_hosts=False)


def test_private_hosts_bring_http_and_not_other_hosts() -> None:
    local = AllowList.of(["http://127.0.0.1:8080/feed"])
    assert allowed_url("http://127.0.0.1:8080/next", local, allow_private_hosts=True).port == 8080
    for url in ("http://127.0.0.1:6379/", "http://localhost:8080/", "http://10.0.0.1:8080/"):
        with pytest.raises(SourceRefusedError, match="host of a configured source"):
            allowed_url(url, local, allow_private_hosts=True)


def test_messages_show_no_user_password_or_query() -> None:
    assert shown("https://user:word@news.example:8443/a/b?apikey=secret#part") == "https://news.example:8443/a/b"
    assert "secret" not in shown("https://\x00?apikey=secret")
