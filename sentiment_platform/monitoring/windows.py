"""What was asked, week by week: the three newest windows, and the earlier weeks that they are compared with.

Reads and cuts only; values are shaped by `samples`, compared by `drift`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from sqlalchemy import Connection

from sentiment_platform.news.stories.near_duplicates import counted_as
from sentiment_platform.store.predictions import ServedPrediction, served_predictions

WINDOW = timedelta(days=7)
"""A whole week has every weekday and every hour once."""
WINDOWS = 3
EARLIER_WINDOWS = 8
MIN_TEXTS = 100
"""A window with fewer stories is not judged: one busy day would be most of it."""
MAX_WINDOW, MAX_EARLIER = 5_000, 10_000
"""Of more so many are compared, from all over the span: no shift worth naming hides in that many."""


@dataclass(frozen=True)
class Traffic:
    """Stories that users asked about, newest first in each list: `windows` from the newest to the oldest, `earlier` before all of them."""

    windows: tuple[list[ServedPrediction], ...]
    earlier: list[ServedPrediction]


def read_traffic(connection: Connection, feature_schema: str, version: str, now: datetime, window: timedelta = WINDOW) -> Traffic:
    """The last `WINDOWS` windows before `now` and the `EARLIER_WINDOWS` before those."""
    ends = [now - i * window for i in range(WINDOWS + 1)]
    windows = [
        stories(served_predictions(connection, feature_schema, start, end, MAX_WINDOW), version) for end, start in pairwise(ends)
    ]
    earliest = ends[-1] - EARLIER_WINDOWS * window
    earlier = stories(served_predictions(connection, feature_schema, earliest, ends[-1], MAX_EARLIER), version)
    return Traffic(tuple(windows), earlier)


def read_traffic_by_number(connection: Connection, feature_schema: str, version: str, now: datetime, texts: int) -> Traffic:
    """Windows of so many stories each instead of a week, and all before them: to try things out where a week is too long to wait."""
    told = stories(served_predictions(connection, feature_schema, None, now, MAX_EARLIER), version)
    cuts = [i * texts for i in range(WINDOWS + 1)]
    return Traffic(tuple(told[start:end] for start, end in pairwise(cuts)), told[cuts[-1] :])


def stories(served: Sequence[ServedPrediction], version: str) -> list[ServedPrediction]:
    """One prediction for each distinct text and for each text that others syndicate, newest first; the answer of `version` where it has one.

    A text that is asked again and again (a page that reloads) or comes from ten outlets is one observation: the tests take rows for
    independent draws.
    """
    oldest_first = list(reversed(served))
    distinct = {row.text_hash: row for row in oldest_first} | {
        row.text_hash: row for row in oldest_first if row.model_version == version
    }
    texts = list(distinct.values())
    counted = counted_as([row.text for row in texts], [None] * len(texts))
    return [row for position, row in enumerate(texts) if counted[position] == position][::-1]
