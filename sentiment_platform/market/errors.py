"""What can be wrong with prices; what can go wrong with asking for them is in `fetching.errors`."""

from sentiment_platform.errors import PermanentError


class PriceFileError(PermanentError):
    """A file of prices, or the column map for it, cannot be read."""


class PriceSourceError(PermanentError):
    """A source's entry in the catalogue or its answer will not become better by itself."""


class SplitError(PermanentError):
    """What a person says of a split cannot be."""
