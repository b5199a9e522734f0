"""What can be wrong with what a source sent; what can go wrong with asking it is in `fetching.errors`."""

from sentiment_platform.errors import PermanentError


class NotAFeedError(PermanentError):
    """What came is no RSS or Atom feed, is broken XML, or is empty where there used to be items."""


class ArchiveError(PermanentError):
    """An archive file, or the column map for it, cannot be read."""
