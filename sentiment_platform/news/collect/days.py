"""What one run collects for its days: live where the days are current, and what is there now.

Plain functions behind `raw_news`; a window is [start, end) in aware UTC, one or more whole days. Stories: `news.articles`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from hashlib import sha256

from sqlalchemy import Engine

from sentiment_platform.fetching.http import FetchLimits, user_agent
from sentiment_platform.fetching.politeness import PoliteClient
from sentiment_platform.news.collect.progress import Progress
from sentiment_platform.news.collect.turn import Collection, collect_live, collect_past
from sentiment_platform.news.parsing.sandbox import FeedParser
from sentiment_platform.news.sources.configured import ConfiguredSource
from sentiment_platform.news.sources.protocol import Window
from sentiment_platform.settings import Settings
from sentiment_platform.store.articles import article_ids, stored_by_day, stored_by_source
from sentiment_platform.store.collection_reports import CollectionReport
from sentiment_platform.store.quarantine import QuarantineCount, quarantine_totals
from sentiment_platform.store.sources import SourceState, read_source_states

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectedDays:
    """Reports of the sources, articles of the days by source, what went to other days, a digest of the ids.

    `unfinished`: sources of which the past days are not all there, with the reason. `waiting`: those of them that have more to give,
    later. `states` and `quarantine` are as they now stand, of all sources.
    """

    reports: tuple[CollectionReport, ...]
    by_source: dict[str, int]
    other_days: dict[date, int]
    digest: str
    unfinished: dict[str, str]
    waiting: frozenset[str]
    states: dict[str, SourceState]
    quarantine: tuple[QuarantineCount, ...]


def midnight(day: date) -> datetime:
    """The beginning of a UTC day."""
    return datetime.combine(day, time(), UTC)


def days_to_collect(now: datetime) -> tuple[date, ...]:
    """The days that a regular tick makes: today (UTC), and in its first hour yesterday, whose last articles still come in."""
    today = now.astimezone(UTC).date()
    return (today, today - _DAY) if now.astimezone(UTC).hour == 0 else (today,)


def is_current(start: datetime, end: datetime, now: datetime) -> bool:
    """Whether the days include today or yesterday (UTC): only these are still in the feeds."""
    today = midnight(now.astimezone(UTC).date())
    return start < today + _DAY and end > today - _DAY


def past_part(days: Window, now: datetime) -> Window | None:
    """The days before yesterday (UTC): the regular collection does not reach them."""
    end = min(days.end, midnight(now.astimezone(UTC).date()) - _DAY)
    return Window(days.start, end) if days.start < end else None


def collect_days(
    engine: Engine,
    settings: Settings,
    sources: Sequence[ConfiguredSource],
    days: Window,
    *,
    run_id: str,
    now: datetime,
    ask: bool = True,
) -> CollectedDays:
    """Ask the sources that know the past for days before yesterday, and every source if the days are current; report what they hold.

    Items of other days are stored as well. Without `ask` nobody is asked: the days are reported as they are stored.
    """
    reports: list[CollectionReport] = []
    unfinished: dict[str, str] = {}
    if ask:
        limits = FetchLimits(allow_private_hosts=settings.allow_private_hosts == "yes")
        with FeedParser() as parser:
            collection = Collection(engine, PoliteClient(agent=user_agent(settings.contact), limits=limits), parser, run_id, now)
            if (past := past_part(days, now)) is not None:
                reports += collect_past(collection, sources, past)
                unfinished = unfinished_sources(engine, sources, reports, past)
            if is_current(days.start, days.end, now):
                reports += collect_live(collection, sources)
    failed = {report.source for report in reports if report.outcome == "failed"}
    with engine.connect() as connection:
        stored = stored_by_day(connection, run_id) if reports else {}
        return CollectedDays(
            reports=tuple(reports),
            by_source=stored_by_source(connection, days.start, days.end),
            other_days={day: count for day, count in stored.items() if not days.start.date() <= day < days.end.date()},
            digest=_digest(article_ids(connection, days.start, days.end)),
            unfinished=unfinished,
            waiting=frozenset(unfinished.keys() - failed),
            states=read_source_states(connection),
            quarantine=tuple(quarantine_totals(connection)),
        )


def unfinished_sources(
    engine: Engine, sources: Iterable[ConfiguredSource], reports: Iterable[CollectionReport], past: Window
) -> dict[str, str]:
    """Sources that are on and did not give all of a past window, with the reason: a quota, a bound, a rest or a failure."""
    on = {source.name for source in sources if source.off is None}
    with engine.connect() as connection:
        states = read_source_states(connection)
    reasons: dict[str, str] = {}
    for report in (report for report in reports if report.source in on):
        state = states.get(report.source)
        place = Progress.read(state.cursor).backfill if state else None
        if report.outcome in ("skipped", "failed") or (place is not None and place.window == past):
            reasons[report.source] = report.detail or report.outcome
    return reasons


def _digest(parts: Iterable[str]) -> str:
    return sha256("\n".join(parts).encode()).hexdigest()[:16]
