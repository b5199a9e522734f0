"""Checks of monitoring: read what was stored, evaluate, convert. A warning asks for a look; the decision is made elsewhere."""

import dagster as dg

from sentiment_platform.monitoring.assets import drift_report, performance_report, retrain_decision, swap_watch
from sentiment_platform.monitoring.causes import LivePerformance, RetrainPolicy
from sentiment_platform.monitoring.drift import DriftReport, read_drift
from sentiment_platform.monitoring.retraining import live_performance, without_reason
from sentiment_platform.monitoring.severity import RESPONSES, Severity
from sentiment_platform.monitoring.swap_judging import LEVEL
from sentiment_platform.monitoring.swap_watch import NOTHING_WATCHED, watch
from sentiment_platform.served.champion import watched_version
from sentiment_platform.statistics.estimate import with_interval
from sentiment_platform.store.decisions import newest_decisions
from sentiment_platform.store.resources import PlatformResource

POLICY = RetrainPolicy()
ALERTS_FROM: Severity = next(severity for severity, response in RESPONSES.items() if response.alert)
NOTHING_TESTED = "Nothing could be tested: too few stories in the week, or in the weeks before the last three."


def drift_result(report: DriftReport) -> dg.AssetCheckResult:
    """Green below the severity that alerts, and where nothing can be tested, which the metadata say."""
    return dg.AssetCheckResult(
        passed=not RESPONSES[report.severity].alert,
        severity=dg.AssetCheckSeverity.WARN,
        description=report.note
        or (NOTHING_TESTED if not report.tested else "")
        or f"Drift is of {report.severity} severity ({', '.join(report.drifted) or 'nothing'}); below {ALERTS_FROM} it is in bounds.",
        metadata={
            "value": report.severity,
            "bound": ALERTS_FROM,
            "drifted_subjects": len(report.drifted),
            "drifted": ", ".join(report.drifted) or "nothing",
            "subjects_tested": report.tested,
            "note": report.note or f"{report.texts} texts until {report.window_end}",
        },
    )


def accuracy_result(performance: LivePerformance) -> dg.AssetCheckResult:
    """Green unless the live interval lies below the holdout's; without enough labels it says that nothing was judged."""
    shown = {"live": performance.live, "holdout": performance.holdout}
    figures = {name: f"{with_interval(a)}, n = {a.n}, {a.dataset}" if a else "no figure" for name, a in shown.items()}
    live, holdout = performance.live, performance.holdout
    return dg.AssetCheckResult(
        passed=not performance.falls_short(POLICY.accuracy_margin),
        severity=dg.AssetCheckSeverity.WARN,
        description=f"The live interval reaches {live.high:.3f}, that of the holdout begins at {holdout.low:.3f}; no lower may it end."
        if live and holdout
        else "Nothing was judged: too few texts of the audit sample are labelled, or the holdout has no figure.",
        metadata={
            "value": live.high if live else "no figure",
            "bound": holdout.low - POLICY.accuracy_margin if holdout else "no figure",
            **figures,
            "judged": all(shown.values()),
        },
    )


@dg.asset_check(asset=drift_report, description=f"Drift is below {ALERTS_FROM} severity.")
def drift_is_within_bounds(platform: PlatformResource) -> dg.AssetCheckResult:
    with platform.engine().connect() as connection:
        version = watched_version(connection)
        if isinstance(version, str):
            return _nothing_watched(version)
        return drift_result(read_drift(connection, version.version, platform.now()))


@dg.asset_check(
    asset=performance_report,
    description="The deployed version is as right on the audit sample of its answers as it was on its holdout.",
)
def live_accuracy_matches_the_holdout(platform: PlatformResource) -> dg.AssetCheckResult:
    with platform.engine().connect() as connection:
        version = watched_version(connection)
        if isinstance(version, str):
            return _nothing_watched(version)
        return accuracy_result(live_performance(connection, version, platform.now()))


@dg.asset_check(asset=retrain_decision, description="No decision without its reason, and none to train again without a cause.")
def every_decision_names_its_reason(platform: PlatformResource) -> dg.AssetCheckResult:
    with platform.engine().connect() as connection:
        decisions = newest_decisions(connection, limit=1000)
    silent = without_reason(decisions)
    return dg.AssetCheckResult(
        passed=not silent,
        description=f"{len(silent)} of {len(decisions):,} decisions have no reason, or no cause; none may.",
        metadata={"value": len(silent), "bound": 0, "decisions": len(decisions), "without_reason": ", ".join(silent) or "none"},
    )


@dg.asset_check(asset=swap_watch, description="No version that runs answers worse than the one whose place it took.")
def the_new_version_answers_as_well(platform: PlatformResource) -> dg.AssetCheckResult:
    watched = watch(platform.engine(), platform.now())
    worse = [one for one in watched if one.reason]
    return dg.AssetCheckResult(
        passed=not worse,
        severity=dg.AssetCheckSeverity.WARN,
        description=" ".join(one.words() for one in worse or watched) or NOTHING_WATCHED,
        metadata={
            "value": min((one.reason.p for one in worse if one.reason), default=1.0),
            "bound": LEVEL,
            "worse": ", ".join(one.swap.version for one in worse) or "none",
        },
    )


def _nothing_watched(why: str) -> dg.AssetCheckResult:
    """There is nothing that could break the bound."""
    return dg.AssetCheckResult(
        passed=True,
        severity=dg.AssetCheckSeverity.WARN,
        description=why,
        metadata={"value": "nothing to judge", "bound": "none", "note": why},
    )
