"""What a stored value is worth when it is read: PRESENT, STALE or MISSING.

Here: the rule and the value as read. Where values are read from is `online`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

TTL_S = 86_400
MAX_AHEAD = timedelta(days=1)
"""A source may date an article up to a day ahead (`news.quality`); a value from further in the future was not written by us."""

FeatureStatus = Literal["PRESENT", "STALE", "MISSING"]


@dataclass(frozen=True, slots=True)
class FeatureValue:
    """Values of one entity as read, by name; None unless the status is PRESENT or STALE. `as_of`: when they were true."""

    status: FeatureStatus
    values: Mapping[str, float | None] | None = None
    as_of: datetime | None = None


MISSING = FeatureValue("MISSING")


def freshness(written_at: datetime, now: datetime, ttl_s: float = TTL_S) -> FeatureStatus:
    """PRESENT up to `ttl_s` seconds after `written_at`, STALE from then on."""
    return "PRESENT" if (now - written_at).total_seconds() <= ttl_s else "STALE"
