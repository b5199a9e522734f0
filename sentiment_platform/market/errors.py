"""What can go wrong with prices, and whether trying again later can help."""

from sentiment_platform.errors import PermanentError, TransientError


class PriceFileError(PermanentError):
    """A file of prices, or the column map for it, cannot be read."""


class PriceSourceError(PermanentError):
    """A source's entry in the catalogue, its key or its answer will not become better by itself."""


class PriceSourceBusyError(TransientError):
    """No usable answer this time: connection, time-out, 429 or 5xx."""
