"""One live collection of each feed.

A source that fails is reported and never stops the others. Only errors of a source are caught; a database that is gone ends the run.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Engine

from sentiment_platform.news.admission import Tally, store_items
from sentiment_platform.news.errors import NotAFeedError, SourceBusyError, SourceRefusedError, SourceUnreachableError
from sentiment_platform.news.http import Fetched, FetchLimits, fetch
from sentiment_platform.news.items import RawItem
from sentiment_platform.news.parse import parse_feed
from sentiment_platform.news.sources import FeedSource
from sentiment_platform.store.news import (
    CollectionReport,
)
from sentiment_platform.store.news_writes import (
    record_collection,
)
from sentiment_platform.store.sources import SourceState, read_source_state, write_source_state


def collect_feeds(
    engine: Engine, sources: Iterable[FeedSource], *, agent: str, limits: FetchLimits, run_id: str, now: datetime
) -> list[CollectionReport]:
    """Collect every feed, one after the other; a report for each, whatever became of it."""
    return [collect_feed(engine, source, agent=agent, limits=limits, run_id=run_id, now=now) for source in sources]


def collect_feed(
    engine: Engine, source: FeedSource, *, agent: str, limits: FetchLimits, run_id: str, now: datetime
) -> CollectionReport:
    """Fetch one feed and store what it brings; items, source state and report are one transaction."""
    with engine.connect() as connection:
        state = read_source_state(connection, source.name)
    if state.retry_after is not None and now < state.retry_after:
        detail = f"not asked: it wants to be left alone until {state.retry_after.isoformat(timespec='seconds')}"
        return _finish(engine, Tally().report(source.name, run_id, "skipped", detail, now), state)
    try:
        fetched = fetch(source.url, agent=agent, now=now, limits=limits, etag=state.etag, last_modified=state.last_modified)
        items = _items(fetched, source, state)
    except (SourceRefusedError, SourceUnreachableError, NotAFeedError) as error:
        failed = replace(
            state,
            last_failure_at=now,
            last_failure=str(error),
            consecutive_failures=state.consecutive_failures + 1,
            retry_after=error.retry_after if isinstance(error, SourceBusyError) else None,
        )
        return _finish(engine, Tally().report(source.name, run_id, "failed", str(error), now), failed)
    with engine.begin() as connection:
        tally = store_items(connection, items, run_id=run_id, now=now)
        report = tally.report(source.name, run_id, "not_modified" if fetched.not_modified else "collected", None, now)
        succeeded = replace(
            state,
            etag=state.etag if fetched.not_modified else fetched.etag,
            last_modified=state.last_modified if fetched.not_modified else fetched.last_modified,
            last_success_at=now,
            consecutive_failures=0,
            items_seen=state.items_seen + tally.stored + tally.duplicate,
            retry_after=None,
        )
        write_source_state(connection, succeeded)
        record_collection(connection, report)
    return report


def _items(fetched: Fetched, source: FeedSource, state: SourceState) -> tuple[RawItem, ...]:
    if fetched.not_modified:
        return ()
    items = parse_feed(fetched.body, source=source.name, url=fetched.url, content_type=fetched.content_type)
    if not items and state.items_seen:
        raise NotAFeedError("The feed is empty, and it was not before.", remedy="Check what its operator changed.")
    return items


def _finish(engine: Engine, report: CollectionReport, state: SourceState) -> CollectionReport:
    with engine.begin() as connection:
        write_source_state(connection, state)
        record_collection(connection, report)
    return report
