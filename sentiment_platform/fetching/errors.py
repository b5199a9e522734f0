"""What can go wrong with a request, and whether trying again later can help."""

from datetime import datetime

from sentiment_platform.errors import PermanentError, TransientError


class SourceRefusedError(PermanentError):
    """The address must not or cannot be fetched: scheme, private address, redirects, 4xx, a body that is too large."""


class SourceUnreachableError(TransientError):
    """No usable answer this time: name resolution, connection, time-out, 5xx, a truncated body."""


class SourceBusyError(SourceUnreachableError):
    """429 or 503; `retry_after` is when the source wants to be asked again, if it said so."""

    def __init__(self, message: str, *, remedy: str, retry_after: datetime | None) -> None:
        super().__init__(message, remedy=remedy)
        self.retry_after = retry_after


class QuotaUsedError(SourceUnreachableError):
    """The requests that a source may be asked in one day are used up; this one was not made."""
