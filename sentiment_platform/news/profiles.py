"""Whether a source still delivers what it used to: a renamed field, a changed unit or a surge of missing values shows as a jump
against the days before. Free of I/O; the profiles are `store.profiles`, what is refused outright is `news.quality`.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sentiment_platform.store.profiles import SourceProfile

HISTORY = timedelta(days=28)
MINIMUM_ARTICLES = 20
MINIMUM_DAYS = 5
MISSING_WARN, MISSING_ERROR = 0.25, 0.5
"""How far beyond its range of before a share of missing values may go, as a share."""
SIZE_WARN, SIZE_ERROR = 2.0, 5.0
"""How many times beyond its range of before a size may go."""


@dataclass(frozen=True, slots=True)
class Jump:
    """A field of a source that is not what it was: in words, and whether training must wait for somebody to look."""

    source: str
    day: date
    field: str
    detail: str
    is_error: bool


@dataclass(frozen=True, slots=True)
class SchemaDrift:
    """What jumped; `compared` counts pairs of source and day with enough articles and enough days before to say so."""

    compared: int
    jumps: tuple[Jump, ...]

    @property
    def is_alarming(self) -> bool:
        """Whether any jump is large."""
        return any(jump.is_error for jump in self.jumps)


def evaluate_schema(profiles: Sequence[SourceProfile], start: date, end: date) -> SchemaDrift:
    """Compare each source on each day in [start, end) with its own days in the HISTORY before.

    Only days with MINIMUM_ARTICLES count, on both sides, and only sources with MINIMUM_DAYS of them before.
    """
    by_source: defaultdict[str, list[SourceProfile]] = defaultdict(list)
    for profile in profiles:
        if profile.articles >= MINIMUM_ARTICLES:
            by_source[profile.source].append(profile)
    compared, jumps = 0, list[Jump]()
    for source in sorted(by_source):
        for profile in by_source[source]:
            if not start <= profile.day < end:
                continue
            before = [one for one in by_source[source] if profile.day - HISTORY <= one.day < profile.day]
            if len(before) >= MINIMUM_DAYS:
                compared += 1
                jumps += _jumps(profile, before)
    return SchemaDrift(compared, tuple(jumps))


def _jumps(profile: SourceProfile, before: Sequence[SourceProfile]) -> Iterable[Jump]:
    for field, (low, high) in _ranges(one.missing for one in before).items():
        share = profile.missing.get(field, 0.0)
        beyond = max(share - high, low - share)
        if beyond > MISSING_WARN:
            detail = f"missing in {share:.0%} of the articles, {low:.0%} to {high:.0%} before"
            yield Jump(profile.source, profile.day, field, detail, beyond > MISSING_ERROR)
    for field, (low, high) in _ranges(one.sizes for one in before).items():
        size = profile.sizes.get(field)
        if size is None or low <= 0:
            continue
        # A delay of minutes doubles easily: only what also moves by an hour, a character or a ticker counts.
        beyond = max(size / high, low / size) if size > 0 and max(size - high, low - size) >= 1 else 1.0
        if beyond > SIZE_WARN:
            detail = f"{_UNITS[field]} {size:,.1f}, {low:,.1f} to {high:,.1f} before"
            # A delay grows after an outage of ours as well; that is worth a look, and no reason to stop.
            yield Jump(profile.source, profile.day, field, detail, beyond > SIZE_ERROR and field != "published_at")


_UNITS = {
    "title": "mean length in characters",
    "summary": "mean length in characters",
    "tickers": "mean number",
    "published_at": "mean hours until it was fetched",
}


def _ranges(days: Iterable[Mapping[str, float]]) -> dict[str, tuple[float, float]]:
    values: defaultdict[str, list[float]] = defaultdict(list)
    for day in days:
        for field, value in day.items():
            values[field].append(value)
    return {field: (min(daily), max(daily)) for field, daily in values.items()}
