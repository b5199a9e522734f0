"""Judgements on what was collected, free of I/O: each takes what is known and returns a frozen verdict that checks convert."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sentiment_platform.store.collection_reports import CollectionReport
from sentiment_platform.store.sources import SourceState

WARN_SHARE = 0.05
ERROR_SHARE = 0.25
ERROR_MINIMUM = 20
STALE_AFTER = timedelta(hours=24)
SILENT_DAYS = 4
"""Empty days after which a source that used to send news is stale: one more than a weekend with a holiday."""


@dataclass(frozen=True, slots=True)
class Accounting:
    """Sources whose reports do not add up, or of whose articles or refused items the database holds another number than they can."""

    collections: int
    unbalanced: tuple[str, ...]
    missing: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether every fetched item has exactly one fate."""
        return not self.unbalanced and not self.missing


@dataclass(frozen=True, slots=True)
class QuarantineShare:
    """Refused items of the fetched ones; `share` is 0 when nothing was fetched. `bad_sources`: those of which a large part is refused."""

    fetched: int
    quarantined: int
    bad_sources: tuple[str, ...] = ()

    @property
    def share(self) -> float:
        """In [0, 1]."""
        return self.quarantined / self.fetched if self.fetched else 0.0

    @property
    def is_low(self) -> bool:
        """At most WARN_SHARE, and no source stands out."""
        return self.share <= WARN_SHARE and not self.bad_sources

    @property
    def is_alarming(self) -> bool:
        """Above ERROR_SHARE of all items, of enough of them to mean something: one bad source among good ones stops nobody."""
        return self.share > ERROR_SHARE and self.fetched >= ERROR_MINIMUM


@dataclass(frozen=True, slots=True)
class Freshness:
    """Source -> why it is not fresh; empty when all are."""

    sources: int
    stale: dict[str, str]


@dataclass(frozen=True, slots=True)
class Answers:
    """How many sources were meant for a run, and how many of them work. `problem`: why nothing could be collected, None if it could."""

    meant: int
    working: int
    problem: str | None


def evaluate_answers(reports: Sequence[CollectionReport], off: Collection[str], *, nobody: str | None) -> Answers:
    """Whether anything could be collected in one run.

    A source works unless it is `off` or failed; one that rests, or has nothing new, works. `nobody`: what is wrong where no source that
    is on was meant for the days of the run, None where that is nothing wrong.
    """
    meant = {report.source for report in reports}
    working = {report.source for report in reports if report.outcome != "failed" and report.source not in off}
    failed = sorted(meant - working - set(off))
    if working:
        problem = None
    elif failed:
        problem = f"Nothing could be collected: {', '.join(failed)} failed."
    else:
        problem = nobody
    return Answers(len(meant), len(working), problem)


def evaluate_accounting(
    reports: Sequence[CollectionReport], stored_rows: Mapping[str, int], refused_rows: Mapping[str, int]
) -> Accounting:
    """Hold the reports of one run against their own arithmetic and against the rows that the database has of it, by source.

    Of refused items there may be fewer rows than reports say, since what was refused before is the same row; never more. That each
    has its row is in the sum: `admission.store_items` counts those that it finds in quarantine.
    """
    stored, refused = Counter[str](), Counter[str]()
    for report in reports:
        stored[report.source] += report.stored
        refused[report.source] += report.quarantined
    sources = dict.fromkeys((*stored, *stored_rows, *refused_rows))
    missing = tuple(s for s in sources if stored_rows.get(s, 0) != stored[s] or refused_rows.get(s, 0) > refused[s])
    return Accounting(len(reports), tuple(r.source for r in reports if not r.adds_up), missing)


def evaluate_quarantine(reports: Sequence[CollectionReport]) -> QuarantineShare:
    """The share of refused items over all the reports, and the sources that have too large a share of their own."""
    shares: dict[str, QuarantineShare] = {}
    for report in reports:
        one = shares.get(report.source, QuarantineShare(0, 0))
        shares[report.source] = QuarantineShare(one.fetched + report.fetched, one.quarantined + report.quarantined)
    bad = tuple(sorted(source for source, share in shares.items() if share.is_alarming))
    return QuarantineShare(sum(r.fetched for r in reports), sum(r.quarantined for r in reports), bad)


def evaluate_freshness(
    sources: Sequence[str],
    reports: Sequence[CollectionReport],
    states: Mapping[str, SourceState],
    now: datetime,
    empty_days: Mapping[str, int],
) -> Freshness:
    """Which of `sources` failed when last asked, have not succeeded for STALE_AFTER, or send nothing any more.

    `reports`: the newest of each source; `empty_days`: the days in a row on which it was asked and gave nothing. One empty answer says
    little: a vendor's window may well be empty at night, and for some at the weekend.
    """
    latest = {report.source: report for report in reports}
    stale: dict[str, str] = {}
    for source in sources:
        report, state = latest.get(source), states.get(source, SourceState(source=source))
        if report is not None and report.outcome == "failed":
            stale[source] = report.detail or "failed"
        elif state.last_success_at is None:
            stale[source] = "never collected"
        elif now - state.last_success_at > STALE_AFTER:
            stale[source] = f"last collected at {state.last_success_at.isoformat(timespec='seconds')}"
        elif state.items_seen and empty_days.get(source, 0) >= SILENT_DAYS:
            stale[source] = (
                f"it answers, and has sent nothing on {empty_days[source]} days; before, it sent {state.items_seen:,} items"
            )
    return Freshness(len(sources), stale)
