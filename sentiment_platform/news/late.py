"""Which days are made again because articles of theirs came late, and how often that is tried. Free of I/O.

An article is late when the regular runs no longer make its day. Its day waits until the article has a feature vector, so nothing is
forgotten that a killed run, an import or a replay left behind. Not here: asking for the runs (`news.sensors`).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import msgspec

from sentiment_platform.store.late_news import WaitingDay

ATTEMPTS = 3
"""Runs for the same articles of a day; more would fail in the same way. An article that comes later begins anew."""
RETRY_AFTER = timedelta(hours=1)
RUNS_AT_ONCE = 10
DAYS_A_RUN = 31
REMEMBERED = timedelta(days=7)
"""How long after its collection an article without a vector is looked for."""


class Asked(msgspec.Struct, frozen=True):
    """That runs were asked for a day: for which articles, how often, and when last (aware UTC)."""

    digest: str
    times: int
    at: datetime


@dataclass(frozen=True, slots=True)
class LateDays:
    """First and last days of the runs to ask for now, what to remember, and the days that were tried often enough."""

    ranges: tuple[tuple[date, date], ...]
    asked: dict[date, Asked]
    given_up: tuple[date, ...]


def plan(waiting: Sequence[WaitingDay], asked: Mapping[date, Asked], now: datetime) -> LateDays:
    """At most RUNS_AT_ONCE runs for the oldest days that are due; a run takes days that follow each other, at most DAYS_A_RUN.

    Days that wait no longer are forgotten.
    """
    known = {one.day: asked[one.day] for one in waiting if one.day in asked and asked[one.day].digest == one.digest}
    given_up = tuple(day for day, before in known.items() if before.times >= ATTEMPTS)
    due = [one for one in waiting if one.day not in given_up and (one.day not in known or now >= known[one.day].at + RETRY_AFTER)]
    ranges = tuple(_ranges(one.day for one in due))[:RUNS_AT_ONCE]
    remembered = dict(known)
    for one in due:
        if any(first <= one.day <= last for first, last in ranges):
            times = known[one.day].times if one.day in known else 0
            remembered[one.day] = Asked(one.digest, times + 1, now)
    return LateDays(ranges, remembered, given_up)


def _ranges(days: Iterable[date]) -> Iterator[tuple[date, date]]:
    """Days in order as (first, last) of those that follow each other."""
    first = last = None
    for day in days:
        if first is None or last is None:
            first = last = day
        elif day - last == timedelta(days=1) and (day - first).days < DAYS_A_RUN:
            last = day
        else:
            yield first, last
            first = last = day
    if first is not None and last is not None:
        yield first, last


def read_cursor(cursor: str | None) -> dict[date, Asked]:
    """What `write_cursor` wrote; what another version wrote and this one cannot read is forgotten, and asked for again."""
    try:
        return msgspec.json.decode(cursor or "{}", type=dict[date, Asked])
    except msgspec.DecodeError:
        return {}


def write_cursor(asked: Mapping[date, Asked]) -> str:
    """As JSON."""
    return msgspec.json.encode(dict(sorted(asked.items()))).decode()
