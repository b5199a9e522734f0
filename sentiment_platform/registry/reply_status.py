"""What a status of the registry means: an answer, nothing there, a wait, or a failure that passes."""

from urllib.parse import SplitResult, urlsplit

import httpx

from sentiment_platform.errors import PermanentError, TransientError
from sentiment_platform.times.http import http_date


class NotFoundError(PermanentError):
    """The server has nothing at this address, or hides it from this token."""


class RateLimitedError(TransientError):
    """The server asked us to wait; `retry_after_s` is None where it did not say how long."""

    def __init__(self, message: str, *, remedy: str, retry_after_s: float | None) -> None:
        super().__init__(message, remedy=remedy)
        self.retry_after_s = retry_after_s


def require_ok(response: httpx.Response) -> None:
    """Let 200 and 304 pass.

    Raises:
        NotFoundError, RateLimitedError, TransientError, PermanentError: what another status means.
    """
    status = response.status_code
    if status in (200, 304):
        return
    where = shown_url(urlsplit(str(response.url)))
    limited = status == 429 or (
        status == 403 and ("Retry-After" in response.headers or response.headers.get("X-RateLimit-Remaining") == "0")
    )
    if limited:
        raise RateLimitedError(
            f"{where} answered {status}: the rate limit is used up.",
            remedy="Poll less often (SENTIMENT_POLL_S) or set SENTIMENT_REGISTRY_TOKEN.",
            retry_after_s=_retry_after_s(response),
        )
    if status == 404:
        raise NotFoundError(f"{where} answered 404.", remedy="Check SENTIMENT_REGISTRY_REPOSITORY and the token's access.")
    if status >= 500 or status in (202, 408):
        raise TransientError(f"{where} answered {status}.", remedy="It is tried again at the next poll.")
    raise PermanentError(f"{where} answered {status}.", remedy="Check SENTIMENT_REGISTRY_URL and SENTIMENT_REGISTRY_TOKEN.")


def _retry_after_s(response: httpx.Response) -> float | None:
    """What the answer says, or how long its quota is used up by the server's own clock."""
    after, reset = response.headers.get("Retry-After", ""), response.headers.get("X-RateLimit-Reset", "")
    if after.isdigit():
        return float(after)
    try:
        return max(1.0, float(reset) - http_date(response.headers["Date"]).timestamp()) if reset.isdigit() else None
    except (KeyError, ValueError):
        return None


def shown_url(url: SplitResult) -> str:
    """Without query and user: links to storage carry a signature."""
    return f"{url.scheme}://{url.hostname or ''}{url.path}"[:200]
