"""One bounded GET: conditional, capped in time, redirects checked one by one, connected to the addresses that were checked.

Here: the rules of a single request. Not here: which addresses are allowed (`fetching.addresses`), the answer (`fetching.answers`), how
often and how soon again (`fetching.politeness`), what validators are worth (`news.collect.validators`).
No message and no log line names a query string or a header, which may hold keys.
"""

import asyncio
import logging
import ssl
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cache

import httpx

from sentiment_platform.fetching.addresses import AllowList, Resolver, allowed_url, refuse_addresses, shown, system_resolver
from sentiment_platform.fetching.answers import Fetched, read_answer
from sentiment_platform.fetching.errors import SourceRefusedError, SourceUnreachableError

_AGAIN = "It is tried again at the next tick."
_CHECK = "Check the address of the source."
_REDIRECTS = (301, 302, 303, 307, 308)


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchLimits:
    """Bounds of one fetch. Times in seconds; `max_bytes` holds before and after decompression."""

    connect_s: float = 5.0
    read_s: float = 10.0
    total_s: float = 30.0
    max_bytes: int = 5 * 1024 * 1024
    max_redirects: int = 5
    allow_private_hosts: bool = False


@dataclass(frozen=True, slots=True)
class Network:
    """How names become addresses, and whose certificates are believed (None: those of the public authorities)."""

    resolve: Resolver = system_resolver
    tls: ssl.SSLContext | None = None


def user_agent(contact: str) -> str:
    """How collection names itself; `contact` is a mail address or URL that a site's operator can use."""
    return f"sentiment-platform ({contact})" if contact else "sentiment-platform"


def fetch(
    url: str,
    *,
    agent: str,
    now: datetime,
    limits: FetchLimits,
    etag: str | None = None,
    last_modified: str | None = None,
    headers: Mapping[str, str] | None = None,
    allowed: AllowList | None = None,
    network: Network | None = None,
    charge: Callable[[], None] | None = None,
) -> Fetched:
    """GET `url`, following at most `limits.max_redirects` redirects. Not for use inside a running event loop.

    `headers` (keys of an API) go to the scheme, host and port of `url` and to nobody that it redirects to. `allowed`: where `url`
    and its redirects may be, by default the host of `url`; give it where `url` itself came from an answer. `charge` is called before
    each request, those of redirects included, and may refuse it. Proxies and certificates of the environment are not used: a proxy
    would connect where our address check did not look.

    Raises:
        SourceBusyError: 429 or 503.
        SourceUnreachableError: name resolution, connection, time-out, other 5xx, truncated or broken compression.
        SourceRefusedError: an address or answer that will not become better by itself.
    """
    common = {
        "User-Agent": agent,
        "Accept": "application/rss+xml, application/atom+xml, */*;q=0.1",
        "Accept-Encoding": "gzip, deflate",
    }
    if etag:
        common["If-None-Match"] = etag
    if last_modified:
        common["If-Modified-Since"] = last_modified
    request = _Request(
        url=url,
        common=common,
        private=headers or {},
        now=now,
        limits=limits,
        allowed=allowed or AllowList.of([url]),
        network=network or Network(),
        charge=charge,
    )
    # Its debug log quotes the headers that it receives, and those that it refuses to send.
    logging.getLogger("httpcore").setLevel(logging.INFO)
    # Asynchronous for one reason: a total time that holds wherever the other side stalls, in the middle of its headers too.
    return asyncio.run(request.bounded())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    url: str
    common: dict[str, str]
    private: Mapping[str, str]
    now: datetime
    limits: FetchLimits
    allowed: AllowList
    network: Network
    charge: Callable[[], None] | None

    async def bounded(self) -> Fetched:
        name = shown(self.url)
        try:
            async with asyncio.timeout(self.limits.total_s):
                return await self._follow()
        except TimeoutError as error:
            raise SourceUnreachableError(f"{name} took more than {self.limits.total_s:g} s.", remedy=_AGAIN) from error
        except httpx.ConnectError as error:  # its text is the system's or the TLS library's
            raise SourceUnreachableError(f"{name} could not be reached: ConnectError: {error}.", remedy=_AGAIN) from error
        except httpx.TransportError as error:
            # Others quote what was sent or received, a header with a key included.
            raise SourceUnreachableError(f"{name} could not be fetched: {type(error).__name__}.", remedy=_AGAIN) from None
        except UnicodeError:
            raise SourceRefusedError(f"{name} needs a header that is not ASCII.", remedy="Check the source's settings.") from None

    async def _follow(self) -> Fetched:
        location = self.url
        first = url = self._checked(location)
        for _ in range(self.limits.max_redirects + 1):
            headers = httpx.Headers(self.common)
            if (url.scheme, url.netloc) == (first.scheme, first.netloc):
                headers.update(self.private)
            # One transport a hop: a connection kept open would be reused by address, for another name with another certificate.
            tls = self.network.tls or _public_authorities()
            async with httpx.AsyncHTTPTransport(verify=tls, trust_env=False) as transport:
                response = await self._send(transport, url, headers)
                try:
                    if response.status_code not in _REDIRECTS or "location" not in response.headers:
                        conditional = "If-None-Match" in self.common or "If-Modified-Since" in self.common
                        return await read_answer(
                            response, url, self.now, max_bytes=self.limits.max_bytes, conditional=conditional
                        )
                    location = response.headers["location"]
                finally:
                    await response.aclose()
            try:
                url = self._checked(str(url.join(location)))
            except (httpx.InvalidURL, UnicodeError, ValueError):
                raise SourceRefusedError(f"{shown(self.url)} redirects to no usable address.", remedy=_CHECK) from None
        raise SourceRefusedError(
            f"{shown(self.url)} redirects more than {self.limits.max_redirects} times.",
            remedy="Put the final address into the source's settings.",
        )

    def _checked(self, url: str) -> httpx.URL:
        return allowed_url(url, self.allowed, allow_private_hosts=self.limits.allow_private_hosts)

    async def _send(self, transport: httpx.AsyncHTTPTransport, url: httpx.URL, headers: httpx.Headers) -> httpx.Response:
        """Ask the first address of the host that lets us connect; the name stays in Host, SNI and the check of the certificate."""
        name = url.raw_host.decode("ascii")
        addresses = await _resolved(self.network.resolve, name, url.port or (80 if url.scheme == "http" else 443))
        refuse_addresses(name, addresses, allow_private_hosts=self.limits.allow_private_hosts)
        if self.charge:
            self.charge()
        headers["Host"] = url.netloc.decode("ascii")
        timeout = httpx.Timeout(self.limits.read_s, connect=self.limits.connect_s).as_dict()
        failure: httpx.TransportError | None = None
        for address in addresses:
            request = httpx.Request(
                "GET", url.copy_with(host=address), headers=headers, extensions={"timeout": timeout, "sni_hostname": name}
            )
            try:
                return await transport.handle_async_request(request)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                failure = failure or error
        raise failure or AssertionError("a host without addresses was not refused")


async def _resolved(resolve: Resolver, host: str, port: int) -> Sequence[str]:
    """Resolve in a thread that nobody waits for: the system's resolver knows no time-out, and an executor would be joined."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[Sequence[str]] = loop.create_future()

    def settle(addresses: Sequence[str], error: Exception | None) -> None:
        if answer.done():
            return
        if error is None:
            answer.set_result(addresses)
        else:
            answer.set_exception(error)

    def work() -> None:
        addresses: Sequence[str] = ()
        failure: Exception | None = None
        try:
            addresses = resolve(host, port)
        except (OSError, UnicodeError) as error:
            failure = SourceUnreachableError(f"The name {host} does not resolve: {error}.", remedy=_AGAIN)
        with suppress(RuntimeError):  # the loop is closed: it took too long
            loop.call_soon_threadsafe(settle, addresses, failure)

    threading.Thread(target=work, name=f"resolve {host}", daemon=True).start()
    return await answer


@cache
def _public_authorities() -> ssl.SSLContext:
    return httpx.create_ssl_context(trust_env=False)
