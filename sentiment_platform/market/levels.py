"""Where a series of daily bars changes its level as a split would. Plain arithmetic; what follows from it is in `market.series`.

A split is a gap between two days: the whole new day lies apart from the whole day before. A fall on news does too, but it is traded
many times as much as usual. Between the two nobody can tell for certain, so a person is asked. The figures stand in README.md.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from math import exp, log, sqrt
from statistics import median

USUAL_DAYS = 20
"""So many days before tell what is usual."""
RANGES = 4.0
"""A gap of so many usual ranges of a day is a change of level ..."""
SMALLEST, LARGEST = 0.08, 0.12
"""... of at least the first and at most the second, as logarithms: 0.12 is 12.7 % up or 11.3 % down."""
APART = 0.5
"""This share of it must lie between the ranges of the two days."""
NEWS_VOLUME = 2.0
"""So many times the usual volume, in shares of after the supposed split, is news, and the move real ..."""
NEWS_GAP = log(1.4)
"""... up to this gap. What is larger is always asked about."""
NEEDED_VOLUMES = 10
MAX_FACTOR = 2.0
"""A close beyond this multiple of the one before, or its inverse, changes the level wherever the day opened."""
LONGEST_PAUSE = timedelta(days=60)
"""Days further apart are not compared. Nearer ones are with a bound that grows with the root of the days between."""
_WEEKEND_DAYS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelDay:
    """A day's bar as far as levels go; all prices above 0."""

    session: date
    open: float
    high: float
    low: float
    close: float
    volume: float | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """From `day` on the level is another: the close before, the open of the day, and the logarithm of the new level over the old."""

    day: date
    before: float
    after: float
    shift: float


@dataclass(frozen=True, slots=True)
class Levels:
    """The changes that nobody answered, the days on another level than the days before the first of them, and the moves taken as news."""

    changes: tuple[Change, ...]
    off: frozenset[date]
    news: tuple[Change, ...]


def levels_of(
    days: Sequence[LevelDay], real: Collection[date] = (), named: Collection[date] = (), *, accept: bool = False
) -> Levels:
    """Walk through a series in the order of its days.

    Args:
        real: days whose move a person called real.
        named: days on which a person named a split, to which `days` are adjusted; what is left of the gap may be twice as large.
        accept: whatever changes is real; it is told, and no day is off the level.
    """
    changes: list[Change] = []
    news: list[Change] = []
    off: set[date] = set()
    shifted = 0.0
    for position, day in enumerate(days):
        before = days[max(0, position - USUAL_DAYS) : position]
        shift = _shift(before, day, 2.0 if day.session in named else 1.0)
        if shift and day.session not in real:
            change = Change(day.session, before[-1].close, day.open, shift)
            if shifted:
                # Back where it was before: a spike, not a level.
                shifted = 0.0 if abs(shifted + shift) < abs(shifted) / 2 else shifted + shift
            elif _is_news(before, day, shift):
                news.append(change)
            else:
                changes.append(change)
                shifted = 0.0 if accept else shift
        if shifted:
            off.add(day.session)
    return Levels(tuple(changes), frozenset(off), tuple(news))


def _shift(before: Sequence[LevelDay], day: LevelDay, slack: float) -> float:
    """Logarithm of the day's level over the one before; 0.0 where it is the same."""
    if not before or day.session - before[-1].session > LONGEST_PAUSE:
        return 0.0
    last = before[-1]
    gap, move = log(day.open / last.close), log(day.close / last.close)
    if max(abs(gap), abs(move)) < SMALLEST:
        return 0.0
    needed = slack * min(LARGEST, max(SMALLEST, RANGES * _usual_range(before)))
    needed *= sqrt(max(1.0, (day.session - last.session).days / _WEEKEND_DAYS))
    apart = log(day.low / last.high) if gap > 0 else log(last.low / day.high)
    if abs(gap) >= needed and apart >= APART * needed:
        return gap
    return move if abs(move) > max(log(MAX_FACTOR), needed) else 0.0


def _usual_range(before: Sequence[LevelDay]) -> float:
    # Where a source has one price a day, ranges are zero, and the moves between days tell how lively it is.
    ranges = median(log(day.high / day.low) for day in before)
    moves = [abs(log(day.close / earlier.close)) for earlier, day in pairwise(before)]
    return max(ranges, median(moves) if moves else 0.0)


def _is_news(before: Sequence[LevelDay], day: LevelDay, shift: float) -> bool:
    volumes = [one.volume for one in before if one.volume]
    if len(volumes) < NEEDED_VOLUMES or not day.volume or abs(shift) > NEWS_GAP:
        return False
    return day.volume / median(volumes) >= NEWS_VOLUME * max(1.0, exp(-shift))


def day_of_question(change: Change, days: Mapping[date, LevelDay], stored: Mapping[date, LevelDay]) -> date:
    """When the split was, where `days` begin with some that are `stored` on the old level: an adjusted delivery reaches further back.

    It is the first day that is not stored so; the day after the last one where all are.
    """
    known = sorted(session for session in days if session >= change.day)
    for session in known:
        if session not in stored or not _nearer(log(days[session].close / stored[session].close), change.shift):
            return session
    return known[-1] + timedelta(days=1)


def _nearer(quotient: float, shift: float) -> bool:
    """Whether a quotient (logarithm) is nearer to a shift than to none."""
    return abs(quotient - shift) < abs(quotient)
