"""One polite, bounded GET of a feed: conditional, capped in size and time, redirects checked one by one.

Here: the rules of fetching and the answer's bytes. Not here: which address may be connected to (`news.addresses`), what the bytes
mean (`news.parse`), what is remembered between fetches (`news.collect`).
"""

import asyncio
import zlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import httpx

from sentiment_platform.news.addresses import refuse_address
from sentiment_platform.news.errors import SourceBusyError, SourceRefusedError, SourceUnreachableError

_AGAIN = "It is tried again at the next tick."
_MAX_RETRY_AFTER = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class FetchLimits:
    """Bounds of one fetch. Times in seconds; `max_bytes` holds before and after decompression."""

    connect_s: float = 5.0
    read_s: float = 10.0
    total_s: float = 30.0
    max_bytes: int = 5 * 1024 * 1024
    max_redirects: int = 5
    allow_private_hosts: bool = False


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer that may be used. `not_modified`: the validators still hold and `body` is empty."""

    url: str
    not_modified: bool
    body: bytes
    content_type: str
    etag: str | None
    last_modified: str | None


def user_agent(contact: str) -> str:
    """How collection names itself; `contact` is a mail address or URL that a site's operator can use."""
    return f"sentiment-platform ({contact})" if contact else "sentiment-platform"


def fetch(
    url: str, *, agent: str, now: datetime, limits: FetchLimits, etag: str | None = None, last_modified: str | None = None
) -> Fetched:
    """GET `url`, following at most `limits.max_redirects` redirects. Not for use inside a running event loop.

    Proxies and certificates of the environment are not used: a proxy would connect where our address check did not look.

    Raises:
        SourceBusyError: 429 or 503.
        SourceUnreachableError: name resolution, connection, time-out, other 5xx, truncated or broken compression.
        SourceRefusedError: an address or answer that will not become better by itself.
    """
    headers = {
        "User-Agent": agent,
        "Accept": "application/rss+xml, application/atom+xml, */*;q=0.1",
        "Accept-Encoding": "gzip, deflate",
    }
    if etag:
        headers["If-None-Match"] = etag
    if last_modified:
        headers["If-Modified-Since"] = last_modified
    # Asynchronous for one reason: a total time that holds wherever the other side stalls, in the middle of its headers too.
    return asyncio.run(_fetch(url, headers, now, limits))


async def _fetch(url: str, headers: dict[str, str], now: datetime, limits: FetchLimits) -> Fetched:
    timeout = httpx.Timeout(limits.read_s, connect=limits.connect_s)
    try:
        async with (
            asyncio.timeout(limits.total_s),
            httpx.AsyncClient(headers=headers, timeout=timeout, trust_env=False, follow_redirects=False) as client,
        ):
            return await _follow(client, url, now, limits)
    except TimeoutError as error:
        raise SourceUnreachableError(f"{url} took more than {limits.total_s:g} s.", remedy=_AGAIN) from error
    except httpx.TransportError as error:
        raise SourceUnreachableError(f"{url} could not be fetched: {type(error).__name__}: {error}.", remedy=_AGAIN) from error
    except (httpx.InvalidURL, UnicodeError) as error:
        raise SourceRefusedError(f"{url!r} is no usable address: {error}.", remedy="Correct SENTIMENT_FEEDS.") from error


async def _follow(client: httpx.AsyncClient, url: str, now: datetime, limits: FetchLimits) -> Fetched:
    request = client.build_request("GET", url)
    for _ in range(limits.max_redirects + 1):
        await asyncio.to_thread(refuse_address, str(request.url), allow_private_hosts=limits.allow_private_hosts)
        response = await client.send(request, stream=True)
        try:
            if response.next_request is None:
                return await _read(response, now, limits)
            request = response.next_request
        finally:
            await response.aclose()
    raise SourceRefusedError(
        f"{url} redirects more than {limits.max_redirects} times.", remedy="Put the final address into SENTIMENT_FEEDS."
    )


async def _read(response: httpx.Response, now: datetime, limits: FetchLimits) -> Fetched:
    url, status = str(response.url), response.status_code
    if status in (429, 503):
        raise SourceBusyError(
            f"{url} answered {status}.",
            remedy="It is asked again when it said it wants to be.",
            retry_after=retry_after(response.headers.get("retry-after", ""), now),
        )
    if status >= 500:
        raise SourceUnreachableError(f"{url} answered {status}.", remedy=_AGAIN)
    if status not in (200, 304):
        raise SourceRefusedError(f"{url} answered {status}.", remedy="Check the feed's address in SENTIMENT_FEEDS.")
    chunks: list[bytes] = []
    size = 0
    async for chunk in _decoded(response, limits.max_bytes):
        chunks.append(chunk)
        size += len(chunk)
        if size > limits.max_bytes:
            raise SourceRefusedError(
                f"{url} sends more than {limits.max_bytes:,} bytes.", remedy="Feeds are small: check what is at this address."
            )
    return Fetched(
        url=url,
        not_modified=status == 304,
        body=b"".join(chunks),
        content_type=response.headers.get("content-type", ""),
        etag=response.headers.get("etag"),
        last_modified=response.headers.get("last-modified"),
    )


async def _decoded(response: httpx.Response, max_bytes: int) -> AsyncIterator[bytes]:
    """The body piece by piece, decompressed by at most `max_bytes` + 1 bytes a piece, whatever a bomb promises."""
    encoding = response.headers.get("content-encoding", "").strip().lower()
    if encoding in ("", "identity") or response.status_code == 304:
        async for raw in response.aiter_raw():
            yield raw
        return
    if encoding not in ("gzip", "x-gzip", "deflate"):
        raise SourceRefusedError(f"{response.url} uses the encoding {encoding!r}.", remedy="Only gzip and deflate were offered.")
    decoder = zlib.decompressobj(wbits=47)  # gzip or zlib, told apart by the header
    try:
        async for raw in response.aiter_raw():
            yield decoder.decompress(raw, max_bytes + 1)
    except zlib.error as error:
        raise SourceUnreachableError(f"{response.url} sent broken {encoding} data: {error}.", remedy=_AGAIN) from error
    if not decoder.eof:
        raise SourceUnreachableError(f"{response.url} sent truncated {encoding} data.", remedy=_AGAIN)


def retry_after(header: str, now: datetime) -> datetime | None:
    """When a `Retry-After` header (seconds or a date, RFC 9110 section 10.2.3) allows the next request; at most a day from now."""
    if not header.strip():
        return None
    if header.strip().isdecimal():
        wait = timedelta(seconds=min(int(header), 10**6))
    else:
        try:
            until = parsedate_to_datetime(header)
        except ValueError:  # neither form: as if it were absent
            return None
        wait = (until if until.tzinfo else until.replace(tzinfo=UTC)) - now
    return now + min(max(wait, timedelta()), _MAX_RETRY_AFTER)
