"""What is wrong now, by what the platform has measured and stored. Free of delivery; who hears of it is `delivery`.

What needs settings or the world outside of the tables is judged in `health`. Each function gives every incident of one source: one that it no longer gives is over.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import Connection, Engine

from sentiment_platform.alerts.remedies import EXPORT
from sentiment_platform.alerts.serving_watch import SOURCE, record_refusals
from sentiment_platform.monitoring.causes import RetrainPolicy
from sentiment_platform.monitoring.drift import read_drift
from sentiment_platform.monitoring.markdown import verdict
from sentiment_platform.monitoring.retraining import live_performance
from sentiment_platform.monitoring.severity import RESPONSES
from sentiment_platform.monitoring.swap_history import watched_swaps
from sentiment_platform.monitoring.swap_watch import NEWEST, looks, swap_incidents
from sentiment_platform.news.evaluation import WARN_SHARE, QuarantineShare
from sentiment_platform.served.champion import watched_version
from sentiment_platform.statistics.drift.by_feature import FeatureDrift
from sentiment_platform.statistics.estimate import interval
from sentiment_platform.store.collection_reports import collected_on_newest_day
from sentiment_platform.store.decisions import newest_decisions
from sentiment_platform.store.deployments import deployments
from sentiment_platform.store.incidents import FREEZES_PROMOTION, Incident, open_incidents, reconcile

Look = Callable[[Connection, datetime], list[Incident]]
DRIFT = "drift"
"""The fingerprint of the one incident on drift."""
NOT_JUDGED = " It stays open, since it could not be judged again."


@dataclass(frozen=True)
class Changes:
    """Fingerprints that one evaluation opened and resolved."""

    opened: tuple[str, ...]
    resolved: tuple[str, ...]


def quarantined(connection: Connection, now: datetime) -> list[Incident]:
    """One incident a source of whose newest day too large a share was refused.

    By source, because an imported archive would hide a broken feed. A collection without items says nothing of a source, and a source
    that brought nothing since yesterday is no longer judged.
    """
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    days = collected_on_newest_day(connection, midnight - timedelta(days=1))
    shares = [(source, day, QuarantineShare(fetched, refused)) for source, day, fetched, refused in days]
    return [_quarantine_of(source, day, share) for source, day, share in shares if not share.is_low]


def _quarantine_of(source: str, day: date, quarantine: QuarantineShare) -> Incident:
    summary = (
        f"Quarantined of {source} on {day}: {quarantine.quarantined} of {quarantine.fetched} items ({quarantine.share:.1%};"
        f" threshold {WARN_SHARE:.1%})."
    )
    severity = "critical" if quarantine.is_alarming else "warning"
    detail = {"source": source, "partition": day.isoformat(), **asdict(quarantine), "share": quarantine.share}
    return Incident(
        fingerprint=f"quarantine:{source}",
        category="data_quality",
        severity=severity,
        source="quarantine_share_is_low",
        summary=summary,
        detail=detail,
    )


def drifted(connection: Connection, now: datetime) -> list[Incident]:
    """One incident while the newest report is of a severity that alerts, whatever it names from hour to hour, until it is answered.

    A report that could judge nothing neither opens it nor ends it. It is over where nobody asks its version anything any more.
    """
    newest = next(iter(newest_decisions(connection, 1)), None)
    if newest is not None and newest.reasons.get("answered"):
        return []
    version = watched_version(connection)
    if isinstance(version, str):
        return _still_open(connection, version)
    report = read_drift(connection, version.version, now)
    if not report.tested:
        return [
            one for one in _still_open(connection, verdict(report)) if report.rows or one.detail["version"] != version.version
        ]
    response = RESPONSES[report.severity]
    if not response.alert:
        return []
    tests = [
        {"subject": row.feature, "test": row.test, "statistic": row.statistic, "threshold": row.threshold}
        for row in report.rows
        if row.drifted
    ]
    shown = "; ".join(_shown(row) for row in report.rows if row.drifted)
    frozen = " No version is promoted by itself until it is over or acknowledged." if response.freeze else ""
    summary = f"What is asked or answered differs from the weeks before ({report.severity} severity, {report.texts} stories): {shown}.{frozen}"
    incident = Incident(
        fingerprint=DRIFT,
        category="data_quality",
        severity="critical" if response.freeze else "warning",
        source="drift_is_within_bounds",
        summary=summary,
        detail={"severity": report.severity, "version": version.version, "report_id": report.report_id, "tests": tests}
        | {FREEZES_PROMOTION: response.freeze},
    )
    return [incident]


def _still_open(connection: Connection, why: str) -> list[Incident]:
    """The open incident on drift as it was last judged, with why it is not judged now; nothing where none is open."""
    return [
        Incident(
            fingerprint=DRIFT,
            category=known.category,
            severity=known.severity,
            source=known.source,
            summary=f"{known.summary.partition(NOT_JUDGED)[0]}{NOT_JUDGED} {why}",
            detail=known.detail,
        )
        for known in open_incidents(connection)
        if known.fingerprint == DRIFT
    ]


def _shown(row: FeatureDrift) -> str:
    return f"{row.feature} {row.test.upper()} {row.statistic:.3f} (matters from {row.threshold:g})"


def labels_wanted(connection: Connection, now: datetime) -> list[Incident]:
    """One incident while training again could learn nothing, because nobody has labelled what has changed."""
    del now
    newest = next(iter(newest_decisions(connection, 1)), None)
    wanted = newest.reasons.get("labels_wanted", 0) if newest else 0
    if newest is None or not wanted:
        return []
    incident = Incident(
        fingerprint="labels_wanted",
        category="data_quality",
        severity="warning",
        source="new_labels_are_there",
        summary=f"Label {wanted} of the texts that were asked lately. {newest.reasons['statement']}",
        detail={"labels": wanted, "decision": newest.id, "command": EXPORT},
    )
    return [incident]


def degraded(connection: Connection, now: datetime) -> list[Incident]:
    """The watched version is less right on what it serves than its holdout promised."""
    version = watched_version(connection)
    if isinstance(version, str):
        return []
    performance = live_performance(connection, version, now)
    if not performance.falls_short(RetrainPolicy().accuracy_margin) or performance.live is None or performance.holdout is None:
        return []
    live, holdout = performance.live, performance.holdout
    summary = (
        f"{version.version} is right on {live.value:.1%} of an audit sample of {live.n} answers (at most {live.high:.1%});"
        f" its holdout promised {interval(holdout, '.1%')}."
    )
    detail = {"version": version.version, "live": live.value, "holdout": holdout.value, "n": live.n}
    source = "live_accuracy_matches_the_holdout"
    return [
        Incident(
            fingerprint=f"accuracy:{version.version}",
            category="performance",
            severity="critical",
            source=source,
            summary=summary,
            detail=detail,
        )
    ]


def went_back(connection: Connection, now: datetime) -> list[Incident]:
    """A rollback of the last day that nobody asked for, and a swap that a person should look at."""
    history = deployments(connection, limit=NEWEST)
    return swap_incidents(history, looks(connection, watched_swaps(history, now), now), now)


STORED: Mapping[str, Look] = {
    "quarantine_share_is_low": quarantined,
    "drift_is_within_bounds": drifted,
    "new_labels_are_there": labels_wanted,
    "live_accuracy_matches_the_holdout": degraded,
    "the_new_version_answers_as_well": went_back,
}


def evaluate(engine: Engine, now: datetime, sources: Mapping[str, Look] = STORED) -> Changes:
    """Look at every source once; open what is new, resolve what is over, and leave a refused deployment in the audit trail.

    Doing it again changes nothing.
    """
    opened: list[str] = []
    resolved: list[str] = []
    for source, look in sources.items():
        with engine.begin() as connection:
            new, over = reconcile(connection, source, look(connection, now), now)
            if source == SOURCE:
                record_refusals(connection)
        opened += new
        resolved += over
    return Changes(tuple(opened), tuple(resolved))
