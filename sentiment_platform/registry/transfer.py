"""Plain HTTP reading with the rules that every download of the registry follows. httpx only; PyGithub is never imported here.

Redirects are followed by hand: the token goes to the origin of the API and nowhere else, and nothing but https is followed,
except http on loopback when the API itself is there. Every body has a byte cap, every call a total time cap.
What is read means nothing here: digests and signatures are `verify.py`'s.
"""

import hashlib
import ipaddress
import ssl
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from typing import BinaryIO
from urllib.parse import SplitResult, urljoin, urlsplit

import httpx

from sentiment_platform.errors import TransientError
from sentiment_platform.registry.refusal import Refused
from sentiment_platform.registry.reply_status import RateLimitedError, require_ok, shown_url

JSON_TYPE = "application/vnd.github+json"
RAW_TYPE = "application/octet-stream"
MAX_REDIRECTS = 5
UNSAID_S = 60.0
"""How long the API is left alone where it asks for it and does not say how long, as GitHub wants it."""
LONGEST_REST_S = 3600.0
_look_ends: ContextVar[float] = ContextVar("look_ends", default=float("inf"))
_REDIRECTS = (301, 302, 303, 307, 308)


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Bounds of reading: seconds to connect and between two reads, seconds and bytes in total for one model.

    `documents_s`: seconds in total for one small document, or for all that one look reads (`Transfer.one_look`).
    """

    connect_s: float = 5.0
    read_s: float = 15.0
    total_s: float = 600.0
    documents_s: float = 60.0
    max_model_bytes: int = 2 * 1024**3
    max_reply_bytes: int = 16 * 1024**2


@dataclass(frozen=True)
class Reply:
    """Status 200 or 304, the ETag if there was one, and the body."""

    status: int
    etag: str | None
    body: bytes


class Transfer:
    """Reads one GitHub API and the files it points at; safe to use from several threads."""

    def __init__(
        self,
        api_url: str,
        token: str,
        limits: Limits,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._api = _parsed(api_url.rstrip("/"))
        self._loopback_http = self._api.scheme == "http" and _is_loopback(self._api.hostname)
        self._token = token
        self.limits = limits
        self._monotonic = monotonic
        self._rests_until = 0.0
        self._require_allowed(self._api)
        # A proxy of the environment cannot reach our own loopback server.
        self._client = httpx.Client(
            timeout=httpx.Timeout(limits.read_s, connect=limits.connect_s),
            follow_redirects=False,
            trust_env=not self._loopback_http,
            verify=_authorities(not self._loopback_http),
        )

    def close(self) -> None:
        self._client.close()

    def deadline(self) -> float:
        """The moment, on this object's monotonic clock, at which a call that starts now must have ended."""
        return self._monotonic() + self.limits.total_s

    @contextmanager
    def one_look(self) -> Generator[None]:
        """All small documents that this thread reads in here have `documents_s` together."""
        token = _look_ends.set(self._monotonic() + self.limits.documents_s)
        try:
            yield
        finally:
            _look_ends.reset(token)

    def _documents_deadline(self) -> float:
        return min(self.deadline(), self._monotonic() + self.limits.documents_s, _look_ends.get())

    def get_api(self, path: str, *, etag: str | None = None) -> Reply:
        """GET `path` below the API's base; with `etag` a conditional request that may answer 304.

        Raises:
            NotFoundError, PermanentError, TransientError (RateLimitedError), Refused (size).
        """
        url = f"{self._api.geturl()}/{path.lstrip('/')}"
        headers = {"Accept": JSON_TYPE} | ({"If-None-Match": etag} if etag else {})
        deadline = self._documents_deadline()
        with self._open(url, headers, deadline) as response:
            body = b"".join(self._chunks(response, self.limits.max_reply_bytes, deadline))
            return Reply(response.status_code, response.headers.get("ETag"), body)

    def get_bytes(self, url: str, *, max_bytes: int) -> bytes:
        """The whole body of the small file at `url`; more than `max_bytes` is Refused (size)."""
        deadline = self._documents_deadline()
        with self._open(url, {"Accept": RAW_TYPE}, deadline) as response:
            return b"".join(self._chunks(response, max_bytes, deadline))

    def download(self, url: str, *, size: int, deadline: float, into: BinaryIO | None = None) -> str:
        """Stream the file at `url`, which must have exactly `size` bytes, into `into`; returns its sha256 (hex).

        Raises:
            Refused: (size) shorter, or as soon as one byte too many arrives.
        """
        sha256, read = hashlib.sha256(), 0
        with self._open(url, {"Accept": RAW_TYPE}, deadline) as response:
            for chunk in self._chunks(response, size, deadline):
                sha256.update(chunk)
                read += len(chunk)
                if into is not None:
                    into.write(chunk)
        if read != size:
            raise Refused(f"{read} of {size} bytes arrived.", reason="size", remedy="Publish the release again.")
        return sha256.hexdigest()

    @contextmanager
    def _open(self, url: str, headers: dict[str, str], deadline: float) -> Generator[httpx.Response]:
        try:
            for _ in range(MAX_REDIRECTS + 1):
                self._require_time(deadline)
                target = _parsed(url)
                self._require_allowed(target)
                of_api = _origin(target) == _origin(self._api)
                if of_api and (left_s := self._rests_until - self._monotonic()) > 0:
                    raise _asked_to_wait(self._api, left_s)
                sent = {"Accept-Encoding": "identity", "User-Agent": "sentiment-platform", **headers}
                if self._token and of_api:
                    sent["Authorization"] = f"Bearer {self._token}"
                with self._client.stream("GET", url, headers=sent) as response:
                    if response.status_code not in _REDIRECTS:
                        try:
                            require_ok(response)
                        except RateLimitedError as limited:
                            # Whoever asks meanwhile, for whatever, is not let through: asking on makes the wait longer.
                            if of_api:
                                asked_s = min(limited.retry_after_s or UNSAID_S, LONGEST_REST_S)
                                self._rests_until = self._monotonic() + asked_s
                            raise
                        yield response
                        return
                    url = urljoin(url, response.headers.get("Location", ""))
        except httpx.HTTPError as error:
            raise TransientError(
                f"Reading {shown_url(urlsplit(url))} failed: {type(error).__name__}.",
                remedy="It is tried again at the next poll.",
            ) from error
        except httpx.InvalidURL as error:
            raise _no_address(error) from error
        raise TransientError(
            f"Too many redirects from {shown_url(self._api)}.", remedy="Check SENTIMENT_REGISTRY_URL if this goes on."
        )

    def _chunks(self, response: httpx.Response, max_bytes: int, deadline: float) -> Generator[bytes]:
        read = 0
        # iter_raw without a size yields what arrived, so that a dripping body meets the deadline.
        for chunk in response.iter_raw():
            read += len(chunk)
            if read > max_bytes:
                raise Refused(
                    f"The body is larger than the {max_bytes} bytes it may have.",
                    reason="size",
                    remedy="Publish the release again.",
                )
            self._require_time(deadline)
            yield chunk

    def _require_time(self, deadline: float) -> None:
        if self._monotonic() > deadline:
            raise TransientError(
                f"Reading {shown_url(self._api)} took longer than it may.", remedy="It is tried again at the next poll."
            )

    def _require_allowed(self, url: SplitResult) -> None:
        local = self._loopback_http and url.scheme == "http" and _is_loopback(url.hostname)
        if not url.hostname or url.username or not (url.scheme == "https" or local):
            raise Refused(
                f"{shown_url(url)} may not be read.",
                reason="unsafe_url",
                remedy="The registry is read over https; http is for a loopback server only.",
            )


def _asked_to_wait(api: SplitResult, left_s: float) -> RateLimitedError:
    return RateLimitedError(
        f"{shown_url(api)} asked to be left alone for {left_s:.0f} s more.",
        remedy="It is asked again after that; poll less often (SENTIMENT_POLL_S) or set SENTIMENT_REGISTRY_TOKEN.",
        retry_after_s=left_s,
    )


@cache
def _authorities(trust_env: bool) -> ssl.SSLContext:
    """Whom TLS trusts. Read once a process: it takes 15 ms, which is longer than a request to a server nearby."""
    return httpx.create_ssl_context(trust_env=trust_env)


def _parsed(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _origin(parts)
    except ValueError as error:
        raise _no_address(error) from error
    return parts


def _no_address(error: Exception) -> Refused:
    return Refused(
        f"The server named an address that is none: {error}.", reason="unsafe_url", remedy="Check SENTIMENT_REGISTRY_URL."
    )


def _origin(url: SplitResult) -> tuple[str, str | None, int | None]:
    return url.scheme, url.hostname, url.port or {"https": 443, "http": 80}.get(url.scheme)


def _is_loopback(host: str | None) -> bool:
    if host is None:
        return False
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
