"""Which addresses may be asked: the scheme, the hosts of configured sources, and the public part of the internet.

Here: judging a URL and the addresses of its host. `fetching.http` connects to exactly the addresses that were judged here and never
resolves a name a second time, so that a name which changes its mind between check and connection (DNS rebinding) gains nothing.
"""

import socket
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

import httpx

from sentiment_platform.fetching.errors import SourceRefusedError, SourceUnreachableError

Resolver = Callable[[str, int], Sequence[str]]

_ASSIGNED_IPV6 = IPv6Network("2000::/3")
# Addresses that carry an IPv4 address to somebody who may deliver it anywhere: 6to4 and Teredo (NAT64 lies outside 2000::/3).
_TUNNELS = (IPv6Network("2002::/16"), IPv6Network("2001::/32"))
# Documentation (RFC 9637), Oracle's and Azure's metadata services: called global by the tables of Python 3.11.
_DOCUMENTATION = IPv6Network("3fff::/20")
_METADATA = {IPv4Address("192.0.0.192"), IPv4Address("168.63.129.16")}
_SHOWN_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class AllowList:
    """Hosts and ports that may be asked, in order to follow a redirect or the next page.

    An entry allows its own host, the hosts below it, and itself with or without a leading `www.`: all of these belong to whoever
    runs the configured host, which needs no list of public suffixes to be sure. The port is the entry's or that of https.
    """

    places: frozenset[tuple[str, int]]

    @classmethod
    def of(cls, urls: Iterable[str]) -> "AllowList":
        """The places of configured addresses; those that cannot be read allow nothing."""
        return cls(frozenset(_place(url) for url in map(_parsed, urls) if url is not None))

    def permits(self, url: httpx.URL) -> bool:
        """Whether this address belongs to a configured host."""
        host, port = _place(url)
        return any(port in (own_port, 443) and _belongs(host, own) for own, own_port in self.places)


def system_resolver(host: str, port: int) -> tuple[str, ...]:
    """All addresses that the system knows of a host; literals stay as they are. Blocks."""
    entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(address[0]).partition("%")[0] for *_, address in entries))


def allowed_url(url: str, allowed: AllowList, *, allow_private_hosts: bool) -> httpx.URL:
    """The address as the only parser that is used for it reads it, if it may be asked as far as one can see without resolving.

    With `allow_private_hosts` http is allowed too (a feed server on this machine or network); the list of hosts holds in any case.

    Raises:
        SourceRefusedError: malformed, wrong scheme, credentials in it, or a host that is not on the list.
    """
    remedy = "Correct the address of the source."
    parsed = _parsed(url)
    if parsed is None or not parsed.host:
        raise SourceRefusedError("The source has no usable address.", remedy=remedy)
    if parsed.scheme not in (("http", "https") if allow_private_hosts else ("https",)):
        raise SourceRefusedError(
            f"{shown(url)} is not an https address.",
            remedy="Feeds are fetched over https; SENTIMENT_ALLOW_PRIVATE_HOSTS=yes also allows http and private hosts.",
        )
    if parsed.userinfo:
        raise SourceRefusedError(f"{shown(url)} has a user or password in it.", remedy="Keys belong into the source's settings.")
    if not allowed.permits(parsed):
        raise SourceRefusedError(
            f"{shown(url)} is not at a host of a configured source.",
            remedy="If it should be, make it a source of its own, or put the final address into the source's settings.",
        )
    return parsed


def refuse_addresses(host: str, addresses: Sequence[str], *, allow_private_hosts: bool) -> None:
    """Refuse a host unless each of its addresses may be connected to.

    Private and loopback addresses need `allow_private_hosts`; link-local (metadata), multicast, unspecified and translated
    addresses are never allowed.

    Raises:
        SourceRefusedError: names the first address that is not allowed.
        SourceUnreachableError: there is no address.
    """
    if not addresses:
        raise SourceUnreachableError(f"The name {host} has no address.", remedy="It is tried again at the next tick.")
    for text in addresses:
        address = ip_address(text)
        if not (is_public(address) or (allow_private_hosts and _is_own_network(address))):
            raise SourceRefusedError(
                f"{host} is at {address}, which is not a public address.",
                remedy="SENTIMENT_ALLOW_PRIVATE_HOSTS=yes allows feeds on this machine and network.",
            )


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether a packet to this address can only go to the public internet."""
    if isinstance(address, IPv4Address):
        return address.is_global and not address.is_multicast and not address.is_reserved and address not in _METADATA
    return (
        address in _ASSIGNED_IPV6
        and address.is_global
        and address not in _DOCUMENTATION
        and not any(address in network for network in _TUNNELS)
    )


def shown(url: str) -> str:
    """An address for messages: without user, password, query and fragment, which may hold secrets."""
    parsed = _parsed(url)
    if parsed is None:
        return "The address"
    return f"{parsed.scheme}://{parsed.netloc.decode('ascii')}{parsed.path}"[:_SHOWN_CHARACTERS]


def _is_own_network(address: IPv4Address | IPv6Address) -> bool:
    if address.is_loopback:
        return True
    never = address.is_link_local or address.is_multicast or address.is_unspecified or address.is_reserved
    return address.is_private and not never


def _parsed(url: str) -> httpx.URL | None:
    try:
        return httpx.URL(url)
    except (httpx.InvalidURL, UnicodeError, ValueError):
        return None


def _place(url: httpx.URL) -> tuple[str, int]:
    return url.raw_host.decode("ascii").lower().rstrip("."), url.port or (80 if url.scheme == "http" else 443)


def _belongs(host: str, own: str) -> bool:
    return host == own or host.endswith("." + own) or host == "www." + own or "www." + host == own
