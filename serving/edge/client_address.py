"""Whose request it is, by address: the connection's own, or what a proxy that the settings name says of it.

`X-Forwarded-For` is a list that every proxy adds to; what a client wrote itself stands on the left. Read is from the right, past proxies that
are trusted: the first other address is the one that a trusted proxy saw.
"""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from sentiment_platform.errors import SettingsError

Address = IPv4Address | IPv6Address
IPV6_PREFIX = 64
"""One customer has such a network whole, so that single addresses of it say nothing."""
UNKNOWN = "unknown"
"""What has no address, such as a Unix socket."""


def trusted_networks(setting: str) -> tuple[IPv4Network | IPv6Network, ...]:
    """The networks that a setting names, separated by commas.

    Raises:
        SettingsError: one is no address and no network.
    """
    networks: list[IPv4Network | IPv6Network] = []
    for item in filter(None, (item.strip() for item in setting.split(","))):
        try:
            networks.append(ip_network(item))
        except ValueError:
            raise SettingsError(
                f"SENTIMENT_TRUSTED_PROXIES: {item!r} is no address and no network.",
                remedy="Write `10.0.0.0/8` or `192.0.2.7`: a network without bits set behind its mask.",
            ) from None
    return tuple(networks)


class ClientAddress:
    """Finds it; nobody is believed who is in none of `trusted`."""

    def __init__(self, trusted: Sequence[IPv4Network | IPv6Network]) -> None:
        self._trusted = trusted

    def of(self, peer: str | None, forwarded: Sequence[str]) -> str:
        """The client behind the connection of `peer`: an IPv4 address, or the network of an IPv6 one.

        Args:
            forwarded: every `X-Forwarded-For` of the request, in order.
        """
        client = _read(peer or "")
        if client is None:
            return peer or UNKNOWN
        if self._trusted:
            for hop in reversed([hop for value in forwarded for hop in value.split(",")]):
                if not self._is_trusted(client):
                    break
                # What is no address, no proxy of ours has written: the last that was readable is the client.
                if (before := _read(hop.strip())) is None:
                    break
                client = before
        return str(client) if client.version == 4 else str(ip_network((client, IPV6_PREFIX), strict=False))

    def _is_trusted(self, address: Address) -> bool:
        return any(address in network for network in self._trusted)


def _read(text: str) -> Address | None:
    """An address as proxies write it: bare, with a port, in brackets; IPv4 within IPv6 is IPv4."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address
