"""Drift reports and decisions as public events; what was measured or decided before is not told again."""

from datetime import datetime

from sentiment_platform.events import DriftReported, RetrainDecided, publish
from sentiment_platform.monitoring.drift import DriftReport
from sentiment_platform.monitoring.retraining import Outcome


def announce_drift(redis_url: str, report: DriftReport, now: datetime) -> int:
    """Tell of a report, with a best effort; returns how many events were told."""
    if not report.new:
        return 0
    told = DriftReported(
        at=now,
        report_id=report.report_id,
        version=report.version,
        severity=report.severity,
        drifted=list(report.drifted),
        texts=report.texts,
    )
    return publish(redis_url, [told])


def announce_decision(redis_url: str, outcome: Outcome, now: datetime) -> int:
    """Tell of a decision, with a best effort; returns how many events were told."""
    decision = outcome.decision
    if decision is None or not outcome.new:
        return 0
    told = RetrainDecided(at=now, decision_id=decision.id, retrain=decision.retrain, reason=decision.reason)
    return publish(redis_url, [told])
