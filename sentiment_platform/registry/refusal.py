"""Why something from the registry was not accepted.

Belongs here: the closed list of reasons and the one error that carries them. Serving shows the reason in its status, and
monitoring, which watches that, keeps it in the audit trail.
Not here: network failures; those are plain `TransientError`s and say nothing about the content.
"""

from typing import Literal

from sentiment_platform.errors import PermanentError

Reason = Literal[
    "signature",
    "digest",
    "size",
    "missing_file",
    "extra_file",
    "unsafe_name",
    "unsafe_url",
    "older_revision",
    "wrong_model",
    "format",
    "unpublished",
]


class Refused(PermanentError):
    """Content of the registry that must not be used; `reason` is one of a closed list."""

    def __init__(self, message: str, *, reason: Reason, remedy: str) -> None:
        super().__init__(message, remedy=remedy)
        self.reason: Reason = reason


class SignatureRefused(Refused):
    """No trusted key of the right role signed these bytes."""

    def __init__(self, message: str, *, remedy: str) -> None:
        super().__init__(message, reason="signature", remedy=remedy)
