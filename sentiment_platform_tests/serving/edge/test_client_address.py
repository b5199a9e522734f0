"""Claims about whose address a request has: nobody is believed but named proxies, and what a client wrote itself never counts."""

import pytest

from sentiment_platform.errors import SettingsError
from serving.edge.client_address import ClientAddress, trusted_networks

PROXIES = "10.0.0.0/8, 192.0.2.7, 2001:db8:1::/48"
CLIENT, OTHER = "203.0.113.5", "198.51.100.9"
SEEN: dict[str, tuple[str, list[str], str]] = {
    "straight": (CLIENT, [], CLIENT),
    "a stranger's word": (CLIENT, [OTHER], CLIENT),
    "a stranger who names a proxy": (CLIENT, ["10.1.1.1"], CLIENT),
    "one proxy": ("10.0.0.2", [CLIENT], CLIENT),
    "two proxies": ("10.0.0.2", [f"{CLIENT}, 192.0.2.7"], CLIENT),
    "two headers": ("10.0.0.2", [CLIENT, "192.0.2.7"], CLIENT),
    "the client wrote one itself": ("10.0.0.2", [f"{OTHER}, {CLIENT}"], CLIENT),
    "the client wrote a header of its own": ("10.0.0.2", [OTHER, CLIENT], CLIENT),
    "the client named a proxy": ("10.0.0.2", [f"10.9.9.9, {CLIENT}"], CLIENT),
    "a proxy that says nothing": ("10.0.0.2", [], "10.0.0.2"),
    "proxies alone": ("10.0.0.2", ["10.0.0.3, 192.0.2.7"], "10.0.0.3"),
    "garbage": ("10.0.0.2", ["unknown"], "10.0.0.2"),
    "garbage before the client": ("10.0.0.2", [f"<script>, {CLIENT}"], CLIENT),
    "garbage behind the client": ("10.0.0.2", [f"{CLIENT}, for=x"], "10.0.0.2"),
    "empty": ("10.0.0.2", [""], "10.0.0.2"),
    "a port": ("10.0.0.2", [f"{CLIENT}:51234"], CLIENT),
    "IPv4 in IPv6": ("::ffff:10.0.0.2", [f"::ffff:{CLIENT}"], CLIENT),
    "IPv6": ("2001:db8:1::1", ["2001:db8:2:3:4:5:6:7"], "2001:db8:2:3::/64"),
    "IPv6 with a port": ("2001:db8:1::1", ["[2001:db8:2:3::9]:443"], "2001:db8:2:3::/64"),
    "a neighbour in the same network": ("2001:db8:2:3:aaaa::1", [], "2001:db8:2:3::/64"),
}


@pytest.mark.parametrize(("peer", "forwarded", "expected"), SEEN.values(), ids=SEEN)
def test_the_client_is_the_first_from_the_right_that_is_no_named_proxy(peer: str, forwarded: list[str], expected: str) -> None:
    assert ClientAddress(trusted_networks(PROXIES)).of(peer, forwarded) == expected


def test_without_named_proxies_the_header_says_nothing() -> None:
    nobody = ClientAddress(trusted_networks(""))
    assert {nobody.of(CLIENT, forwarded) for forwarded in ([], [OTHER], ["10.0.0.1", OTHER])} == {CLIENT}
    assert nobody.of(None, [OTHER]) == "unknown"


@pytest.mark.parametrize("setting", ["proxy.example.org", "10.0.0.1/8", "10.0.0.0/8;192.0.2.7", "*"])
def test_what_is_no_network_is_refused_with_how_to_write_one(setting: str) -> None:
    with pytest.raises(SettingsError, match=r"Write `10\.0\.0\.0/8`"):
        trusted_networks(setting)
