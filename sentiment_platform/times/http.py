"""The dates of HTTP headers."""

from datetime import datetime
from email.utils import parsedate_to_datetime


def http_date(text: str) -> datetime:
    """The moment of a `Date` header (RFC 9110, section 5.6.7).

    Raises:
        ValueError: it is none.
    """
    return parsedate_to_datetime(text)
