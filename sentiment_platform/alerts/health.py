"""What is wrong with the parts that run: news sources, jobs and serving. Each function gives what `incidents.evaluate` takes.

Left out of an answer is what cannot be known now: that is neither opened nor resolved.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from sentiment_platform.alerts.incidents import Look
from sentiment_platform.alerts.serving_watch import SOURCE, ask_serving, not_live, unanswered
from sentiment_platform.errors import SettingsError
from sentiment_platform.news.evaluation import evaluate_freshness
from sentiment_platform.news.sources.configured import configured_sources
from sentiment_platform.settings import Settings
from sentiment_platform.store.collection_reports import empty_days, latest_collections
from sentiment_platform.store.incidents import Incident
from sentiment_platform.store.sources import SourceState, read_source_states

FAILURES = 3
"""So many collections of a source fail in a row before anybody hears of it: most failures are over at the next one."""


def looks_at_sources(settings: Settings, environ: Mapping[str, str]) -> dict[str, Look]:
    """The sources that are collected by themselves, as `settings` and the keys in `environ` switch them on."""
    try:
        sources = configured_sources(settings, environ)
    except SettingsError:
        return {}  # Collection fails of the same, and other incidents must not wait for it.
    names = [source.name for source in sources if source.source.live and source.off is None]
    return {"sources_are_fresh": lambda connection, now: stale(names, connection, now)}


def stale(names: Sequence[str], connection: Connection, now: datetime) -> list[Incident]:
    """One incident a source that failed `FAILURES` times in a row, has not succeeded for a day or fell silent; not one never asked."""
    states = {name: state for name, state in read_source_states(connection).items() if name in names and _is_judged(state)}
    failing = {name for name, state in states.items() if state.consecutive_failures >= FAILURES}
    reports = [report for report in latest_collections(connection) if report.source in failing]
    freshness = evaluate_freshness(list(states), reports, states, now, empty_days(connection, list(states), now))
    return [_stale(states[source], why) for source, why in freshness.stale.items()]


def _is_judged(state: SourceState) -> bool:
    return state.last_success_at is not None or state.consecutive_failures >= FAILURES


def _stale(state: SourceState, why: str) -> Incident:
    last = state.last_success_at.isoformat() if state.last_success_at else None
    detail = {"source": state.source, "last_success_at": last, "consecutive_failures": state.consecutive_failures}
    summary = f"{state.source} brings nothing new: {why}"
    return Incident(
        fingerprint=f"stale:{state.source}",
        category="data_quality",
        severity="warning",
        source="sources_are_fresh",
        summary=summary,
        detail=detail,
    )


@dataclass(frozen=True)
class FailedRun:
    """The newest ended run of a job, where that failed; `steps`: those that failed, none where the process died."""

    job: str
    run_id: str
    steps: tuple[str, ...]


def looks_at_runs(failed: Sequence[FailedRun]) -> dict[str, Look]:
    """One incident a job whose newest run failed, until a run of it succeeds."""
    return {"newest_run_succeeded": lambda *_: [_failed(run) for run in failed]}


def _failed(run: FailedRun) -> Incident:
    where = f"in {', '.join(run.steps)}" if run.steps else "outside of its steps"
    summary = f"The newest run of {run.job} failed {where}, run {run.run_id}."
    detail = {"job": run.job, "run_id": run.run_id, "steps": list(run.steps)}
    return Incident(
        fingerprint=f"run:{run.job}",
        category="system",
        severity="warning",
        source="newest_run_succeeded",
        summary=summary,
        detail=detail,
    )


def looks_at_serving(url: str) -> dict[str, Look]:
    """Ask serving at `url` now; nobody asks where it is "". Without an answer it is unknown what runs."""
    if not url:
        return {}
    status = ask_serving(url)
    if isinstance(status, str):
        return {"serving_answers": lambda connection, _: unanswered(connection, url, status)}
    return {
        "serving_answers": lambda *_: [],
        SOURCE: lambda connection, now: not_live(connection, status, now),
    }
