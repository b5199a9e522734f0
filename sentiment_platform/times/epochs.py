"""Numbers that count from 1970: seconds, milliseconds, microseconds or nanoseconds, told apart by their size."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST_S, LAST_S = 631_152_000, 4_102_444_800
"""1990 and 2100: what lies between them in one unit lies far outside in every other."""
FIRST_NS = 662_688_000 * 10**9
"""1991: below it lie the ticks of .NET, ten millionths of a second since the year 1, of our years too."""


def epoch_time(text: str) -> datetime | None:
    """The moment that a plain or scientific number names, aware UTC, to the microsecond; None outside of 1990 to 2100 (from 1991 in nanoseconds)."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    if not number.is_finite():
        return None
    for per_second in (1, 10**3, 10**6, 10**9):
        first = FIRST_NS if per_second == 10**9 else FIRST_S * per_second
        if first <= number < LAST_S * per_second:
            return EPOCH + timedelta(microseconds=int(number * 10**6 / per_second))
    return None
