"""From which day on a Dagster UI of this machine shows partitions: thousands of days without news would hide those that have some."""

import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine

from sentiment_platform.store.articles import first_published

FIRST_DAY = "SENTIMENT_FIRST_DAY"
REACH = timedelta(days=31)
"""At least so far back: schedules name ranges of past days (prices: two weeks), which must have partitions without any news, too."""


def first_day_shown(engine: Engine, now: datetime, environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """SENTIMENT_FIRST_DAY as it is set, else the first of the month in which the first stored article was published."""
    if set_by_hand := (os.environ if environ is None else environ).get(FIRST_DAY, "").strip():
        return {FIRST_DAY: set_by_hand}
    latest = now.astimezone(UTC) - REACH
    with engine.connect() as connection:
        published = first_published(connection)
    first = min(latest, published.astimezone(UTC)) if published else latest
    return {FIRST_DAY: first.date().replace(day=1).isoformat()}
