"""Shall we train again? A pure function of what was measured, with its thresholds in one place.

New labels alone are not asked about here: they have a sensor of their own (`labels.sensors`), and one cause has one mechanism.
What a decision leads to is the sensor `retraining_was_decided`; reading and storing is `retraining`.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import msgspec

from sentiment_platform.monitoring.causes import Cause, LastTraining, LivePerformance, RetrainPolicy, find_causes
from sentiment_platform.monitoring.drift import DriftReport
from sentiment_platform.monitoring.severity import SEVERITIES
from sentiment_platform.store.decisions import StoredDecision

WEEK = timedelta(days=7)


@dataclass(frozen=True, kw_only=True)
class Decision:
    """Whether to train again. `id` is the digest of its causes, so that deciding the same twice is one row.

    `reason` is never empty: a decision not to train says why not.

    Attributes:
        answered: every cause was met by a training whose version was promoted.
        labels_wanted: so many more labels are needed before training again could learn anything; 0 where that is not what is missing.
    """

    id: str
    decided_at: datetime
    retrain: bool
    causes: tuple[Cause, ...]
    reason: str
    evidence: dict[str, Any]
    answered: bool = False
    labels_wanted: int = 0

    def to_stored(self) -> StoredDecision:
        """The row of this decision."""
        reasons = {"statement": self.reason, "causes": [asdict(cause) for cause in self.causes]}
        reasons |= {"answered": self.answered, "labels_wanted": self.labels_wanted}
        return StoredDecision(self.id, self.decided_at, self.retrain, reasons, self.evidence)

    @staticmethod
    def of(stored: StoredDecision) -> "Decision":
        """The decision of a row."""
        causes = tuple(Cause(**cause) for cause in stored.reasons["causes"])
        return Decision(
            id=stored.id,
            decided_at=stored.decided_at,
            retrain=stored.retrain,
            causes=causes,
            reason=stored.reasons["statement"],
            evidence=stored.evidence,
            answered=stored.reasons.get("answered", False),
            labels_wanted=stored.reasons.get("labels_wanted", 0),
        )


def decide(
    now: datetime,
    version: str,
    drift: DriftReport,
    performance: LivePerformance,
    last_training: LastTraining | None,
    earlier: Sequence[Decision],
    policy: RetrainPolicy,
) -> Decision:
    """Weigh what was measured of `version` against `policy`.

    `earlier` are the decisions to train again, newest first. While the newest cools down it stands: causes that it names return it
    unchanged, and others are held back. Later a cause is closed by what became of it, and asks again only with new labels or when it gets
    worse: training on the same labels would make the same version.
    """
    causes = find_causes(now, version, drift, performance, last_training, policy)
    evidence = _evidence(version, drift, performance, last_training, policy)

    def decided(kind: str, content: Any, reason: str, **more: Any) -> Decision:
        outcome: dict[str, Any] = {"retrain": False, "causes": causes} | more
        return Decision(id=_digest(kind, content), decided_at=now, reason=reason, evidence=evidence, **outcome)

    if not causes:
        trained_on = last_training.training_set if last_training else None
        inputs = [version, drift.report_id, msgspec.to_builtins(performance), trained_on]
        return decided("quiet", inputs, _calm(drift, performance))
    named, standing = _identities(causes), earlier[0] if earlier else None
    if standing is not None and now < standing.decided_at + policy.cool_down:
        if set(named) <= set(_identities(standing.causes)):
            return standing
        return decided("held back", [standing.id, named], _held_back(standing.decided_at + policy.cool_down, standing, causes))
    closed = {cause: made for cause in causes if (made := _decision_on(cause, earlier))}
    asking = [
        cause for cause in causes if cause not in closed or _asks_again(closed[cause], last_training, drift, performance, policy)
    ]
    if not asking:
        made = max(closed.values(), key=lambda decision: decision.decided_at)
        answered = all(decision.evidence.get("version") != version for decision in closed.values())
        wanted = 0 if answered else policy.labels_to_ask_again - _labels_since(made, last_training)
        reason = _closed(made, version, wanted, policy, causes, answered=answered)
        return decided("closed", [made.id, named, answered, wanted], reason, answered=answered, labels_wanted=wanted)
    of_this_week = [decision for decision in earlier if decision.decided_at > now - WEEK]
    if len(of_this_week) >= policy.weekly_budget:
        oldest = of_this_week[-1]
        return decided("budget", [oldest.id, named], _held_back(oldest.decided_at + WEEK, oldest, causes))
    return decided("retrain", [standing.id if standing else None, named], _sentence(causes), retrain=True)


def _decision_on(cause: Cause, earlier: Sequence[Decision]) -> Decision | None:
    """The newest decision to train again that names this cause."""
    same = (decision for decision in earlier if (cause.kind, cause.subject) in _identities(decision.causes))
    return next(same, None)


def _asks_again(
    made: Decision, last_training: LastTraining | None, drift: DriftReport, performance: LivePerformance, policy: RetrainPolicy
) -> bool:
    """Whether there is new input, or a worse figure, since that decision."""
    worse_drift = SEVERITIES.index(drift.severity) > SEVERITIES.index(made.evidence["drift"]["severity"])
    then, live = made.evidence["performance"]["live"], performance.live
    worse_answers = live is not None and then is not None and live.high < then["low"]
    return worse_drift or worse_answers or _labels_since(made, last_training) >= policy.labels_to_ask_again


def _labels_since(made: Decision, last_training: LastTraining | None) -> int:
    """Labels that no training has taken in and that came after the decision."""
    if last_training is None:
        return 0
    then = made.evidence["last_training"]
    waited = then["new_labels"] if then and then["training_set"] == last_training.training_set else 0
    return max(0, last_training.new_labels - waited)


def _closed(made: Decision, version: str, wanted: int, policy: RetrainPolicy, causes: Sequence[Cause], *, answered: bool) -> str:
    again = f"It asks again with {policy.labels_to_ask_again} new labels, or when it gets worse"
    if answered:
        return f"Answered by {version}, which was promoted after decision {made.id[:12]}: {_sentence(causes)} {again}."
    return (
        f"Nothing new to learn: no better version came of decision {made.id[:12]}, and {wanted} more labels are needed before training "
        f"again could find one. {_sentence(causes)} {again}."
    )


def _held_back(until: datetime, by: Decision, causes: Sequence[Cause]) -> str:
    return f"Held back until {until.astimezone(UTC):%Y-%m-%d %H:%M} UTC by decision {by.id[:12]}: {_sentence(causes)}"


def _sentence(causes: Sequence[Cause]) -> str:
    return "; ".join(cause.statement for cause in causes) + "."


def _calm(drift: DriftReport, performance: LivePerformance) -> str:
    inputs = drift.note or (
        f"{drift.tested} subjects tested, drift severity {drift.severity}."
        if drift.tested
        else "Too few predictions to test for drift."
    )
    live = performance.live
    answers = (
        f"Live accuracy {live.value:.3f} on an audit sample of {live.n} is no cause."
        if live
        else "Too few texts of the audit sample are labelled to judge the answers."
    )
    return f"Nothing calls for training. {inputs} {answers}"


def _evidence(
    version: str, drift: DriftReport, performance: LivePerformance, last_training: LastTraining | None, policy: RetrainPolicy
) -> dict[str, Any]:
    return {
        "version": version,
        "drift": {"report_id": drift.report_id, "severity": drift.severity, "drifted": list(drift.drifted), "texts": drift.texts},
        "performance": msgspec.to_builtins(performance),
        "last_training": None
        if last_training is None
        else {
            "training_set": last_training.training_set,
            "at": last_training.at.isoformat(),
            "new_labels": last_training.new_labels,
        },
        "policy": {
            "drift_severity": policy.drift_severity,
            "accuracy_margin": policy.accuracy_margin,
            "max_age_days": policy.max_age / timedelta(days=1),
            "labels_when_old": policy.labels_when_old,
            "cool_down_hours": policy.cool_down / timedelta(hours=1),
            "labels_to_ask_again": policy.labels_to_ask_again,
            "weekly_budget": policy.weekly_budget,
        },
    }


def _identities(causes: Sequence[Cause]) -> list[tuple[str, str]]:
    return sorted((cause.kind, cause.subject) for cause in causes)


def _digest(outcome: str, content: Any) -> str:
    return sha256(json.dumps([outcome, content], sort_keys=True).encode()).hexdigest()[:32]
