"""Which addresses collection may fetch from: public hosts over https, unless the operator allows private ones."""

import socket
from ipaddress import ip_address
from urllib.parse import urlsplit

from sentiment_platform.news.errors import SourceRefusedError, SourceUnreachableError


def refuse_address(url: str, *, allow_private_hosts: bool) -> None:
    """Refuse an address that must not be fetched; the host name is resolved and every address of it must be public.

    With `allow_private_hosts` any host over http or https is allowed (a feed server on this machine or network).

    Raises:
        SourceRefusedError: wrong scheme, or a host that is not public.
        SourceUnreachableError: the name does not resolve.
    """
    parts = urlsplit(url)
    schemes = ("http", "https") if allow_private_hosts else ("https",)
    if parts.scheme not in schemes or not parts.hostname:
        raise SourceRefusedError(
            f"{url} is not an {' or '.join(schemes)} address.",
            remedy="Feeds are fetched over https; SENTIMENT_ALLOW_PRIVATE_HOSTS=yes also allows http and private hosts.",
        )
    if allow_private_hosts:
        return
    try:
        found = socket.getaddrinfo(parts.hostname, parts.port or 443, type=socket.SOCK_STREAM)
    except OSError as error:
        raise SourceUnreachableError(
            f"The name {parts.hostname} does not resolve: {error}.", remedy="It is tried again at the next tick."
        ) from error
    for *_, address in found:
        host = str(address[0]).partition("%")[0]
        if not _is_public(host):
            raise SourceRefusedError(
                f"{parts.hostname} is at {host}, which is not a public address.",
                remedy="SENTIMENT_ALLOW_PRIVATE_HOSTS=yes allows feeds on this machine and network.",
            )


def _is_public(host: str) -> bool:
    address = ip_address(host)
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_global and not address.is_multicast
