"""Why a version that is what was signed is not served here."""

from sentiment_platform.errors import PermanentError


class ModelRefused(PermanentError):
    """A version that is what was signed, and still cannot be served here; `reason` is a closed code."""

    def __init__(self, message: str, *, reason: str, remedy: str) -> None:
        super().__init__(message, remedy=remedy)
        self.reason = reason
