"""What a server answered: its status as an error or not, its body decompressed within bounds, its validators.

Here: everything after the headers of an answer arrived. Not here: sending and redirects (`fetching.http`), what the body holds.
"""

import zlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import httpx

from sentiment_platform.fetching.addresses import shown
from sentiment_platform.fetching.errors import SourceBusyError, SourceRefusedError, SourceUnreachableError
from sentiment_platform.times.reading import read_time

_AGAIN = "It is tried again at the next tick."
_MAX_RETRY_AFTER = timedelta(days=1)
_MAX_VALIDATOR = 1_000
_GZIP = b"\x1f\x8b"
_MAX_MEMBERS = 10_000
_SHOWN_CODINGS = 60
_NO_CODINGS = frozenset(
    ["identity", "none", "binary", "text", "7bit", "8bit", "us-ascii", "utf-8", "utf8", "iso-8859-1", "windows-1252"]
)
"""Values of Content-Encoding that compress nothing: careless servers name a charset or a transfer encoding there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """An answer that may be used. `not_modified`: the validators still hold and `body` is empty.

    `url` is the final address without its query: the base of relative links, fit to be stored.
    """

    url: str
    not_modified: bool
    body: bytes
    content_type: str
    etag: str | None
    last_modified: str | None

    @property
    def body_hash(self) -> str:
        """SHA-256 of the body, in hex."""
        return sha256(self.body).hexdigest()


async def read_answer(response: httpx.Response, url: httpx.URL, now: datetime, *, max_bytes: int, conditional: bool) -> Fetched:
    """The answer of `url`, which is no redirect. `conditional`: validators were sent, so that 304 makes sense.

    Raises:
        SourceBusyError: 429 or 503.
        SourceUnreachableError: other 5xx, 304 without a condition, truncated or broken compression.
        SourceRefusedError: any other status, an encoding that was not offered (brotli, zstd), or a body of more than `max_bytes`.
    """
    name, status = shown(str(url)), response.status_code
    if status in (429, 503):
        raise SourceBusyError(
            f"{name} answered {status}.",
            remedy="It is asked again when it said it wants to be.",
            retry_after=retry_after(response.headers.get("retry-after", ""), now),
        )
    if status >= 500 or (status == 304 and not conditional):
        raise SourceUnreachableError(f"{name} answered {status}.", remedy=_AGAIN)
    if status not in (200, 304):
        raise SourceRefusedError(f"{name} answered {status}.", remedy="Check the address and the key of the source.")
    chunks: list[bytes] = []
    size = 0
    async for chunk in _decoded(response, name, max_bytes):
        chunks.append(chunk)
        size += len(chunk)
        if size > max_bytes:
            raise _too_large(name, max_bytes)
    return Fetched(
        url=str(url.copy_with(query=None, fragment=None)),
        not_modified=status == 304,
        body=b"".join(chunks),
        content_type=response.headers.get("content-type", ""),
        etag=_validator(response.headers.get("etag")),
        last_modified=_validator(response.headers.get("last-modified")),
    )


def _validator(header: str | None) -> str | None:
    """A validator that can be sent back as it came; others are as good as none."""
    return header if header and len(header) <= _MAX_VALIDATOR and header.isascii() and header.isprintable() else None


def _too_large(name: str, max_bytes: int) -> SourceRefusedError:
    return SourceRefusedError(f"{name} sends more than {max_bytes:,} bytes.", remedy="Feeds are small: check what is there.")


async def _decoded(response: httpx.Response, name: str, max_bytes: int) -> AsyncIterator[bytes]:
    """The body piece by piece, decompressed by at most `max_bytes` + 1 bytes a piece, whatever a bomb promises."""
    codings = [coding for part in response.headers.get("content-encoding", "").split(",") if (coding := part.strip().lower())]
    codings = [coding for coding in codings if coding not in _NO_CODINGS]
    if not codings or response.status_code == 304:
        async for raw in response.aiter_raw():
            yield raw
        return
    if len(codings) > 1 or codings[0] not in ("gzip", "x-gzip", "deflate"):
        said = ascii(", ".join(codings)[:_SHOWN_CODINGS])
        raise SourceRefusedError(f"{name} uses the encoding {said}, which was not offered.", remedy="Only gzip and deflate were.")
    unpacking = _Unpacking(codings[0] == "deflate")
    received = 0
    try:
        async for raw in response.aiter_raw():
            received += len(raw)
            if received > max_bytes:
                raise _too_large(name, max_bytes)
            for piece in unpacking.pieces(raw, max_bytes + 1):
                yield piece
    except zlib.error as error:
        raise SourceUnreachableError(f"{name} sent broken gzip or deflate data: {error}.", remedy=_AGAIN) from error
    if not unpacking.is_complete:
        raise SourceUnreachableError(f"{name} sent truncated gzip or deflate data.", remedy=_AGAIN)


class _Unpacking:
    """One compressed body: gzip of one or more members, zlib, or with `may_be_raw` deflate without a header (RFC 1950 to 1952).

    Old servers send raw deflate where they say deflate (RFC 9110 section 8.4.1.2). Zeros may follow the end, nothing else.
    """

    def __init__(self, may_be_raw: bool) -> None:
        self._may_be_raw = may_be_raw
        self._decoder: Any = None
        self._start = b""
        self._ended = 0
        self._is_gzip = False

    @property
    def is_complete(self) -> bool:
        """Whether all that was begun came to its end, and something did."""
        return self._ended > 0 and self._decoder is None and not self._start

    def pieces(self, raw: bytes, most: int) -> Iterator[bytes]:
        """What `raw` adds to the body, each piece of at most `most` bytes; with a longer one the caller gives up.

        Raises:
            zlib.error: the data is broken, or goes on after its end.
        """
        raw = self._start + raw
        self._start = b""
        while raw:
            if self._decoder is None:
                raw = raw.lstrip(b"\0") if self._ended else raw
                if len(raw) < 2:  # which kind it is stands in two bytes
                    self._start = raw
                    return
                self._decoder = self._decoder_of(raw)
            yield self._decoder.decompress(raw, most)
            raw = b""
            if self._decoder.eof:
                raw, self._decoder = self._decoder.unused_data, None
                self._ended += 1

    def _decoder_of(self, raw: bytes) -> Any:
        is_gzip = raw.startswith(_GZIP)
        if self._ended and not (self._is_gzip and is_gzip and self._ended < _MAX_MEMBERS):
            raise zlib.error("it goes on after its end")
        self._is_gzip = is_gzip
        is_zlib = raw[0] & 0x0F == zlib.DEFLATED and int.from_bytes(raw[:2]) % 31 == 0
        return zlib.decompressobj(wbits=-15 if self._may_be_raw and not is_gzip and not is_zlib else 47)


def retry_after(header: str, now: datetime) -> datetime | None:
    """When a `Retry-After` header (seconds or a date, RFC 9110 section 10.2.3) allows the next request; at most a day from now."""
    if not header.strip():
        return None
    if header.strip().isdecimal():
        wait = timedelta(seconds=min(int(header.strip()[:9]), 10**6))
    else:
        until = read_time(header)
        if until is None:  # neither form: as if it were absent
            return None
        wait = until.at - now
    return now + min(max(wait, timedelta()), _MAX_RETRY_AFTER)
