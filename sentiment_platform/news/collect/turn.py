"""A source's turn: it is asked page by page, each page is one transaction, and whatever happens becomes a report.

A source that fails is reported and never stops the others. Only errors of a source are caught; a database that is gone ends the run.
Here: when a source is asked and what is remembered of it. Not here: the items (`news.admission`), the requests (`news.collect.asker`).
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import Engine

from sentiment_platform.errors import PermanentError, PlatformError
from sentiment_platform.fetching.errors import QuotaUsedError, SourceBusyError, SourceRefusedError, SourceUnreachableError
from sentiment_platform.fetching.politeness import PoliteClient
from sentiment_platform.news.admission import Tally, store_items
from sentiment_platform.news.collect.asker import Asker, remembered
from sentiment_platform.news.collect.progress import Place, Progress
from sentiment_platform.news.errors import ArchiveError, NotAFeedError
from sentiment_platform.news.parsing.sandbox import FeedParser
from sentiment_platform.news.sources.configured import ConfiguredSource
from sentiment_platform.news.sources.protocol import Page, Window
from sentiment_platform.store.collection_reports import CollectionReport, Outcome, record_collection
from sentiment_platform.store.payloads import storable_text
from sentiment_platform.store.sources import SourceState, charge_request, read_source_state, write_source_state

SOURCE_ERRORS = (SourceRefusedError, SourceUnreachableError, NotAFeedError, ArchiveError)
# Ticks are not exact to the second.
_INTERVAL_SLACK = timedelta(minutes=1)
_TOLD_PAGES = 5
"""Pages of which a person reads the notes in the report of a turn; each page has its own in the database."""


@dataclass(frozen=True, slots=True)
class Collection:
    """What the turns of one run share."""

    engine: Engine
    client: PoliteClient
    parser: FeedParser
    run_id: str
    now: datetime


def collect_live(collection: Collection, sources: Iterable[ConfiguredSource]) -> list[CollectionReport]:
    """Ask every source that is on for what is new, one after the other; a report for each, and for each that is off against a wish."""
    return [_Turn(collection, source, None).take() for source in sources if source.source.live and source.chosen]


def collect_past(collection: Collection, sources: Iterable[ConfiguredSource], window: Window) -> list[CollectionReport]:
    """Ask every source that knows the past for `window`; its articles count as available since their publication.

    What a quota or the bound of pages cuts off goes on when the same window is asked for again.
    """
    return [_Turn(collection, source, window).take() for source in sources if source.source.past and source.chosen]


class _Turn:
    """One source in one run. `past` is the window of a backfill, None for the regular collection."""

    def __init__(self, run: Collection, source: ConfiguredSource, past: Window | None) -> None:
        self._run, self._source, self._entry, self._past = run, source, source.entry, past
        with run.engine.connect() as connection:
            self._state = read_source_state(connection, source.name)
        self._progress = Progress.read(self._state.cursor)
        self._used = self._state.quota_used if self._state.quota_day == _day(run.now) else 0
        pace, known = self._entry.requests_per_s, remembered(self._state)
        self._asker = Asker(
            client=run.client,
            parser=run.parser,
            source=source.name,
            now=run.now,
            per_second=pace,
            validators=known,
            charge=self._charge,
        )
        self._total, self._pages = Tally(), 0
        self._notes: list[str] = []

    def take(self) -> CollectionReport:
        """The whole turn as one report; what is recorded is one report for each page."""
        reason = self._source.off or self._reason_to_wait()
        if reason:
            return self._skip(f"not asked: {reason}")
        place: Place | None = (
            self._progress.next_past(self._past) if self._past else self._progress.next_live(self._entry, self._run.now)
        )
        last = None
        while place is not None:
            last, place = self._walk(place)
        if last is None:
            return self._report(Tally(), "collected", None)
        told = dict.fromkeys((*self._notes[:_TOLD_PAGES], *filter(None, (last.detail,))))
        return self._report(self._total, last.outcome, "; ".join(told) or None)

    def _walk(self, place: Place) -> tuple[CollectionReport, Place | None]:
        """One window: its last report, and what this turn asks for next."""
        unanswered: Place | None = place
        try:
            for page in self._source.source.pages(place.window, place.at, self._asker):
                if place.at is None and unanswered is not None:
                    self._refuse_sudden_emptiness(page)
                unanswered, following = None, self._advance(place, page)
                bound = self._bound() if following else None
                report = self._store(page, bound)
                if bound or page.next is None:
                    return report, None if bound else following
        except QuotaUsedError as error:
            return self._skip(f"{error.message}; the rest follows"), None
        except SOURCE_ERRORS as error:
            return self._fail(error, unanswered), None
        raise AssertionError(f"{self._source.name} ended a window without its last page")

    def _reason_to_wait(self) -> str | None:
        state, now = self._state, self._run.now
        if state.retry_after is not None and now < state.retry_after:
            return f"it wants to be left alone until {state.retry_after.isoformat(timespec='seconds')}"
        quota = self._entry.quota_per_day
        if quota is not None and self._used >= quota:
            return self._used_up(quota)
        interval = timedelta(minutes=self._entry.interval_min)
        since = now - state.last_success_at if self._past is None and state.last_success_at else interval
        if timedelta() <= since < interval - _INTERVAL_SLACK:
            return f"it is asked every {self._entry.interval_min} minutes"
        return None

    def _bound(self) -> str | None:
        """Why the turn must end although there is more to ask for."""
        days = (self._past.end - self._past.start) / timedelta(days=1) if self._past else 1
        if self._pages >= self._entry.pages_per_run * max(1, days):
            return f"stopped after {self._pages:,} pages; the rest follows"
        quota = self._entry.quota_per_day
        if quota is not None and self._used >= quota:
            return f"{self._used_up(quota)}; the rest follows"
        return None

    def _used_up(self, quota: int) -> str:
        return f"its {quota:,} requests of {_day(self._run.now)} (UTC) are used up"

    def _charge(self) -> None:
        """Count a request before it is made. Under a quota in a transaction of its own: it counts whatever ends this process."""
        quota = self._entry.quota_per_day
        used: int | None = self._used + 1
        if quota is not None:
            with self._run.engine.begin() as connection:
                used = charge_request(connection, self._source.name, _day(self._run.now), quota)
        if used is None:
            raise QuotaUsedError(self._used_up(quota or 0), remedy="It is asked again on the next day.")
        self._used = used

    def _refuse_sudden_emptiness(self, page: Page) -> None:
        # A feed holds its newest items whatever was asked for; a window of a vendor may well be empty.
        if self._source.kind in ("rss", "sec") and not page.items and not page.not_modified and self._state.items_seen:
            raise NotAFeedError("The feed is empty, and it was not before.", remedy="Check what its operator changed.")

    def _advance(self, place: Place, page: Page) -> Place | None:
        """Note how far the window is; returns what there is still to ask for."""
        self._pages += 1
        if self._past:
            self._progress = self._progress.after_past(place, page.next)
            return self._progress.backfill
        self._progress = self._progress.after_live(place, page.next)
        done = page.next is None and place.end >= self._run.now
        return None if done else self._progress.next_live(self._entry, self._run.now)

    def _store(self, page: Page, bound: str | None) -> CollectionReport:
        now, validators = self._run.now, self._asker.validators
        with self._run.engine.begin() as connection:
            tally = store_items(connection, page.items, run_id=self._run.run_id, now=now, archived=self._past is not None)
            self._state = replace(
                self._counted(),
                etag=validators.etag,
                last_modified=validators.last_modified,
                body_hash=validators.body_hash,
                validators_broken=validators.are_broken,
                last_success_at=now,
                consecutive_failures=0,
                items_seen=self._state.items_seen + tally.stored + tally.duplicate,
                retry_after=None,
            )
            note = "; ".join(filter(None, (page.note, tally.note)))
            detail = "; ".join(filter(None, (note, bound))) or None
            report = self._report(tally, "not_modified" if page.not_modified else "collected", detail)
            write_source_state(connection, self._state)
            record_collection(connection, report)
        self._total += tally
        if note and not bound and page.next is not None:
            self._notes.append(note)
        return report

    def _skip(self, reason: str) -> CollectionReport:
        report = self._report(Tally(), "skipped", reason)
        with self._run.engine.begin() as connection:
            record_collection(connection, report)
        return report

    def _fail(self, error: PlatformError, unanswered: Place | None) -> CollectionReport:
        said = storable_text(str(error))  # it may quote the source
        if unanswered and isinstance(error, PermanentError):
            self._progress = self._progress.without(unanswered)
        self._state = replace(
            self._counted(),
            last_failure_at=self._run.now,
            last_failure=said,
            consecutive_failures=self._state.consecutive_failures + 1,
            retry_after=error.retry_after if isinstance(error, SourceBusyError) else None,
        )
        report = self._report(Tally(), "failed", said)
        with self._run.engine.begin() as connection:
            write_source_state(connection, self._state)
            record_collection(connection, report)
        return report

    def _counted(self) -> SourceState:
        """The state with the requests made so far and the place that was reached."""
        return replace(
            self._state,
            quota_day=_day(self._run.now),
            quota_used=self._used,
            quota_per_day=self._entry.quota_per_day,
            cursor=self._progress.kept(),
        )

    def _report(self, tally: Tally, outcome: Outcome, detail: str | None) -> CollectionReport:
        return tally.report(self._source.name, self._run.run_id, outcome, detail, self._run.now)


def _day(now: datetime) -> date:
    return now.astimezone(UTC).date()
