"""How often a host is asked, and how soon again after it failed: the only layer of collection that waits and retries.

Here: a token bucket for each host, Retry-After, capped full-jitter backoff, all within one bound of time. Not here: a single request
(`fetching.http`), what is remembered between two runs (`news.collect`). Time, sleep and chance are arguments.
"""

import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import httpx

from sentiment_platform.fetching.addresses import AllowList
from sentiment_platform.fetching.errors import QuotaUsedError, SourceBusyError, SourceUnreachableError
from sentiment_platform.fetching.http import Fetched, FetchLimits, Network, fetch

GENTLE_PER_SECOND = 1.0
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
_LOOPBACK_PER_SECOND = 1_000.0


@dataclass(frozen=True, slots=True)
class Retries:
    """At most `attempts` requests, all of them and the waiting between them within `total_s` seconds.

    Before attempt n+1 a time between 0 and min(cap_s, base_s * 2**(n-1)) is waited, evenly distributed: "full jitter",
    https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/.
    """

    attempts: int = 3
    base_s: float = 1.0
    cap_s: float = 10.0
    total_s: float = 45.0


class Pace:
    """A token bucket of one token for each host: requests to it are at least 1 / rate apart. For several threads."""

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep) -> None:
        self._monotonic, self._sleep = monotonic, sleep
        self._next: dict[str, float] = {}
        self._lock = threading.Lock()

    def wait(self, host: str, per_second: float) -> float:
        """Take the next token of `host`; returns the seconds that were waited for it."""
        with self._lock:
            now = self._monotonic()
            turn = max(now, self._next.get(host, now))
            self._next[host] = turn + 1 / per_second
        if turn > now:
            self._sleep(turn - now)
        return turn - now


class PoliteClient:
    """GETs for one collection of any number of sources.

    Args:
        agent: the User-Agent, with a contact (`http.user_agent`).
        allowed: where every address and redirect must be; None: at the host of each address itself.
    """

    def __init__(
        self,
        *,
        agent: str,
        limits: FetchLimits | None = None,
        allowed: AllowList | None = None,
        retries: Retries | None = None,
        network: Network | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._agent, self._allowed, self._network = agent, allowed, network
        self._limits, self._retries = limits or FetchLimits(), retries or Retries()
        self._monotonic, self._sleep, self._uniform = monotonic, sleep, uniform
        self._pace = Pace(monotonic=monotonic, sleep=sleep)

    def get(
        self,
        url: str,
        *,
        now: datetime,
        etag: str | None = None,
        last_modified: str | None = None,
        headers: Mapping[str, str] | None = None,
        per_second: float = GENTLE_PER_SECOND,
        charge: Callable[[], None] | None = None,
    ) -> Fetched:
        """`fetch` in this host's turn; again after a transient failure, while attempts and time last. `now`: when this call starts.

        `charge` is called before each request and raises QuotaUsedError where it must not be made.

        A busy host that says when to come back is asked then, or not at all if that is beyond the bound of time; one that does not
        say is left alone.

        Raises:
            SourceBusyError, SourceUnreachableError, SourceRefusedError: of the last attempt.
            QuotaUsedError: nothing was asked.
        """
        failure: SourceUnreachableError | None = None
        started = self._monotonic()
        host = _host(url)
        for attempt in range(1, self._retries.attempts + 1):
            self._pace.wait(host, per_second)
            passed_s = self._monotonic() - started
            limits = replace(self._limits, total_s=min(self._limits.total_s, max(self._retries.total_s - passed_s, 1.0)))
            try:
                return fetch(
                    url,
                    agent=self._agent,
                    now=now + timedelta(seconds=passed_s),
                    limits=limits,
                    etag=etag,
                    last_modified=last_modified,
                    headers=headers,
                    allowed=self._allowed,
                    network=self._network,
                    charge=charge,
                )
            except QuotaUsedError as error:
                # What the source answered last says more than that it may not be asked again.
                raise failure or error from None
            except SourceUnreachableError as error:
                failure = error
                passed_s = self._monotonic() - started
                wait_s = self._wait_s(error, attempt, now + timedelta(seconds=passed_s))
                if wait_s is None or attempt == self._retries.attempts or passed_s + wait_s >= self._retries.total_s:
                    raise
                self._sleep(wait_s)
        raise AssertionError("the last attempt neither answered nor failed")

    def _wait_s(self, error: SourceUnreachableError, attempt: int, now: datetime) -> float | None:
        if not isinstance(error, SourceBusyError):
            return self._uniform(0.0, min(self._retries.cap_s, self._retries.base_s * 2 ** (attempt - 1)))
        return None if error.retry_after is None else (error.retry_after - now).total_seconds()


def pace_of(url: str, per_second: float) -> float:
    """How often the host of `url` may be asked: a server on this machine is our own, and it needs no rest."""
    return _LOOPBACK_PER_SECOND if _host(url) in _LOOPBACK else per_second


def _host(url: str) -> str:
    try:
        return httpx.URL(url).host
    except (httpx.InvalidURL, UnicodeError):
        return ""  # refused by the fetch itself
