"""What one run collects for its days: live where the days are current, and what is there now.

Plain functions behind `raw_news`; a window is [start, end) in aware UTC, one or more whole days. Stories: `news.articles`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from hashlib import sha256

from sqlalchemy import Engine

from sentiment_platform.news.collect import Collection, collect_live, collect_past
from sentiment_platform.news.http import FetchLimits, user_agent
from sentiment_platform.news.politeness import PoliteClient
from sentiment_platform.news.sandbox import FeedParser
from sentiment_platform.news.sources.configured import ConfiguredSource
from sentiment_platform.news.sources.protocol import Window
from sentiment_platform.settings import Settings
from sentiment_platform.store.news import (
    CollectionReport,
    article_ids,
    stored_by_day,
    stored_by_source,
)

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class CollectedDays:
    """Reports of the sources, articles of the days by source, what went to other days, a digest of the ids."""

    reports: tuple[CollectionReport, ...]
    by_source: dict[str, int]
    other_days: dict[date, int]
    digest: str


def is_current(start: datetime, end: datetime, now: datetime) -> bool:
    """Whether the days include today or yesterday (UTC): only these are still in the feeds."""
    today = datetime.combine(now.astimezone(UTC).date(), time(), UTC)
    return start < today + _DAY and end > today - _DAY


def past_part(days: Window, now: datetime) -> Window | None:
    """The days before yesterday (UTC): the regular collection does not reach them."""
    end = min(days.end, datetime.combine(now.astimezone(UTC).date(), time(), UTC) - _DAY)
    return Window(days.start, end) if days.start < end else None


def collect_days(
    engine: Engine, settings: Settings, sources: Sequence[ConfiguredSource], days: Window, *, run_id: str, now: datetime
) -> CollectedDays:
    """Ask the sources that know the past for days before yesterday, and every source if the days are current; report what they hold.

    Items of other days are stored as well.
    """
    reports: list[CollectionReport] = []
    limits = FetchLimits(allow_private_hosts=settings.allow_private_hosts == "yes")
    with FeedParser() as parser:
        collection = Collection(engine, PoliteClient(agent=user_agent(settings.contact), limits=limits), parser, run_id, now)
        if (past := past_part(days, now)) is not None:
            reports += collect_past(collection, sources, past)
        if is_current(days.start, days.end, now):
            reports += collect_live(collection, sources)
    with engine.connect() as connection:
        stored = stored_by_day(connection, run_id) if reports else {}
        return CollectedDays(
            reports=tuple(reports),
            by_source=stored_by_source(connection, days.start, days.end),
            other_days={day: count for day, count in stored.items() if not days.start.date() <= day < days.end.date()},
            digest=_digest(article_ids(connection, days.start, days.end)),
        )


def _digest(parts: Iterable[str]) -> str:
    return sha256("\n".join(parts).encode()).hexdigest()[:16]
