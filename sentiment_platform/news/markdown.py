"""Markdown tables of what was collected, as Dagster's metadata and the command line show them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime

from sentiment_platform.markdown_tables import markdown_table
from sentiment_platform.news.evaluation import STALE_AFTER
from sentiment_platform.news.sources.configured import ConfiguredSource, nothing_on
from sentiment_platform.store.collection_reports import CollectionReport
from sentiment_platform.store.quarantine import QuarantineCount
from sentiment_platform.store.sources import SourceState
from sentiment_platform.store.stories import StoryOutline


def summary_of(sources: Sequence[ConfiguredSource], reports: Sequence[CollectionReport], *, asked: bool) -> str:
    """A line a source that was chosen: what it brought, or why it brought nothing and what to do. For the UI and for a terminal."""
    if not asked:
        return "No source was asked: the days are made of what is stored."
    by_source: dict[str, list[CollectionReport]] = {}
    for report in reports:
        by_source.setdefault(report.source, []).append(report)
    off = {source.name: source.off for source in sources if source.off is not None}
    lines = [f"- {name}: {_what_came(name, its, off)}" for name, its in by_source.items()]
    if not any(name not in off for name in by_source):
        lines.append(f"- {nothing_for_these_days(sources)}")
    return "\n".join(lines)


def nothing_for_these_days(sources: Sequence[ConfiguredSource]) -> str:
    """Why no source was asked."""
    on = ", ".join(source.name for source in sources if source.off is None)
    return nothing_on(sources) or (
        f"What is on ({on}) cannot be asked for these days: feeds hold the newest items alone, an archive is asked for past days."
    )


def _what_came(name: str, reports: Sequence[CollectionReport], off: Mapping[str, str]) -> str:
    if name in off:
        return f"off: {off[name]}. It is asked once that is set right; or take it out of SENTIMENT_SOURCES."
    stored, known, refused = (sum(getattr(r, n) for r in reports) for n in ("stored", "duplicate", "quarantined"))
    counts = f"{stored:,} stored, {known:,} known, {refused:,} refused"
    details = "; ".join(report.detail for report in reports if report.detail)
    outcomes = {report.outcome for report in reports}
    if "failed" in outcomes:
        return f"failed: {details}" if outcomes == {"failed"} else f"{counts}, then it failed: {details}"
    if outcomes == {"skipped"}:
        return details
    if outcomes == {"not_modified"}:
        counts = "nothing new since it was last asked"
    return f"{counts} ({details})" if details else counts


def reports_table(reports: Sequence[CollectionReport]) -> str:
    """One line a source: fetched = stored + duplicate + quarantined, the outcome and its reason."""
    rows = [
        (r.source, f"{r.fetched:,}", f"{r.stored:,}", f"{r.duplicate:,}", f"{r.quarantined:,}", r.outcome, r.detail or "")
        for r in reports
    ]
    return markdown_table(
        ("source", "fetched", "stored", "duplicate", "refused", "outcome", "detail"), rows, "Nothing was fetched."
    )


def freshness_table(sources: Iterable[ConfiguredSource], states: Mapping[str, SourceState], now: datetime) -> str:
    """One line a source that somebody chose: how long ago it was last collected, and what is wrong with it."""
    rows: list[tuple[str, str, str, str]] = []
    for source in sorted((one for one in sources if one.chosen), key=lambda one: one.name):
        state = states.get(source.name, SourceState(source=source.name))
        collected, age = "never", ""
        if state.last_success_at is not None:
            collected, age = f"{state.last_success_at.astimezone(UTC):%Y-%m-%d %H:%M}", _age(state.last_success_at, now)
        rows.append((source.name, collected, age, _wrong(source, state, now)))
    return markdown_table(("source", "last collected (UTC)", "ago", "state"), rows, "No source is on.")


def _age(then: datetime, now: datetime) -> str:
    minutes = max(0, int((now - then).total_seconds() // 60))
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // (24 * 60)} days"


def _wrong(source: ConfiguredSource, state: SourceState, now: datetime) -> str:
    if source.off is not None:
        return f"off: {source.off}"
    if state.consecutive_failures:
        return f"**failed {state.consecutive_failures} times in a row**: {state.last_failure}"
    if not source.source.live:
        return "asked by backfills"
    if state.last_success_at is None or now - state.last_success_at > STALE_AFTER:
        return "**stale**"
    return "fresh"


def quarantine_table(counts: Iterable[QuarantineCount]) -> str:
    """One line for each boundary, source and rule: refused rows that wait, and those released after a fix.

    The numbers come first: Dagster cuts a wide table off at its right.
    """
    rows = [(f"{count.waiting:,}", f"{count.released:,}", count.source, count.rule, count.boundary) for count in counts]
    return markdown_table(("waiting", "released", "source", "rule", "boundary"), rows, "Nothing was ever refused.")


def counts_table(counts: Mapping[str, int] | Mapping[date, int], name: str) -> str:
    """One line a key, under the heading `name`, with its number of articles."""
    return markdown_table((name, "articles"), [(str(key), f"{count:,}") for key, count in counts.items()], "No articles.")


def stories_preview(stories: Sequence[StoryOutline]) -> str:
    """One line a story: headline of its first article, how many articles tell it, which outlets."""
    rows = [(told.title, f"{told.articles:,}", ", ".join(told.outlets)) for told in stories]
    return markdown_table(("story", "articles", "outlets"), rows, "No articles.")
