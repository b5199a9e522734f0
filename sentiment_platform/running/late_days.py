"""Earlier days that a headless collection brought articles for. Where a daemon runs, the sensor `late_news_arrived` asks for them."""

from datetime import UTC, datetime

from sentiment_platform.news.collect.days import midnight
from sentiment_platform.news.late import REMEMBERED, plan
from sentiment_platform.news.partitions import daily
from sentiment_platform.news.sensors import LATE_NEWS as LATE
from sentiment_platform.run_tags import TRIGGER
from sentiment_platform.settings import Settings
from sentiment_platform.store.engine import create_platform_engine
from sentiment_platform.store.late_news import waiting_days

LATE_NEWS = {TRIGGER: LATE}
"""The tags of such a run."""


def late_ranges(settings: Settings, now: datetime) -> list[tuple[str, str]]:
    """First and last days (ISO 8601) of the runs to make: days before today (UTC) whose articles have no features yet."""
    engine = create_platform_engine(settings.require("database_url"))
    try:
        with engine.connect() as connection:
            waiting = waiting_days(connection, since=now - REMEMBERED, before=midnight(now.astimezone(UTC).date()))
    finally:
        engine.dispose()
    late = plan([one for one in waiting if one.day >= daily.start.date()], {}, now)
    return [(first.isoformat(), last.isoformat()) for first, last in late.ranges]
