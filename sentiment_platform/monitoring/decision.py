"""Shall we train again? A pure function of what was measured, with its thresholds in one place.

New labels alone are not asked about here: they have a sensor of their own (`labels.sensors`), and one cause has one mechanism.
What a decision leads to is the sensor `retraining_was_decided`; reading and storing is `retraining`.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, Literal

import msgspec

from sentiment_platform.monitoring.drift import DriftReport
from sentiment_platform.monitoring.severity import Severity, at_least
from sentiment_platform.registry.manifest import Metric
from sentiment_platform.statistics.estimate import interval
from sentiment_platform.store.decisions import StoredDecision

CauseKind = Literal["data_drift", "performance_degradation", "age"]


@dataclass(frozen=True)
class RetrainPolicy:
    """When to train again.

    Attributes:
        drift_severity: a drift this bad, or worse, is a cause (`severity.RESPONSES`).
        accuracy_margin: live accuracy is a cause when the upper end of its 95 % interval lies below the lower end of the holdout's
            by more than this, in [0, 1].
        max_age: a training set older than this is a cause, given `labels_when_old` new labels: without any, training again would
            make the version that exists.
        cool_down: how long one decision to train again holds back the next, whatever its causes.
    """

    drift_severity: Severity = "high"
    accuracy_margin: float = 0.02
    max_age: timedelta = timedelta(days=30)
    labels_when_old: int = 50
    cool_down: timedelta = timedelta(hours=24)


@dataclass(frozen=True)
class LivePerformance:
    """Live accuracy of the watched version beside the accuracy its manifest promises; None where there is no such figure."""

    live: Metric | None
    holdout: Metric | None

    def falls_short(self, margin: float) -> bool:
        """Whether the live interval lies wholly below the holdout's, by more than `margin`."""
        return self.live is not None and self.holdout is not None and self.live.high < self.holdout.low - margin


@dataclass(frozen=True)
class LastTraining:
    """The newest training set: its digest, when it was made, and how many labels arrived after it."""

    training_set: str
    at: datetime
    new_labels: int


@dataclass(frozen=True)
class Cause:
    """One reason to train again. `subject` is what it is about: the same kind and subject is the same cause."""

    kind: CauseKind
    subject: str
    statement: str


@dataclass(frozen=True, kw_only=True)
class Decision:
    """Whether to train again. `id` is the digest of its causes, so that deciding the same twice is one row.

    `reasons` is never empty: a decision not to train says why not.
    """

    id: str
    decided_at: datetime
    retrain: bool
    causes: tuple[Cause, ...]
    reason: str
    evidence: dict[str, Any]

    def to_stored(self) -> StoredDecision:
        """The row of this decision."""
        reasons = {"statement": self.reason, "causes": [asdict(cause) for cause in self.causes]}
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
        )


def decide(
    now: datetime,
    version: str,
    drift: DriftReport,
    performance: LivePerformance,
    last_training: LastTraining | None,
    standing: Decision | None,
    policy: RetrainPolicy,
) -> Decision:
    """Weigh what was measured of `version` against `policy`.

    `standing` is the newest decision to train again. While it cools down it stands: causes that it names return it unchanged, and
    others are recorded as held back. After that the same causes may decide again, under a new id that follows from the old one.
    """
    causes = find_causes(now, version, drift, performance, last_training, policy)
    evidence = _evidence(version, drift, performance, last_training, policy)
    named = _identities(causes)
    if not causes:
        inputs = [
            version,
            drift.report_id,
            msgspec.to_builtins(performance),
            last_training.training_set if last_training else None,
        ]
        return Decision(
            id=_digest("quiet", inputs),
            decided_at=now,
            retrain=False,
            causes=(),
            reason=_calm(drift, performance),
            evidence=evidence,
        )
    if standing is not None and now < standing.decided_at + policy.cool_down:
        if set(named) <= set(_identities(standing.causes)):
            return standing
        until = (standing.decided_at + policy.cool_down).astimezone(UTC)
        reason = f"Held back until {until:%Y-%m-%d %H:%M} UTC by decision {standing.id[:12]}: {_sentence(causes)}"
        return Decision(
            id=_digest("held back", [standing.id, named]),
            decided_at=now,
            retrain=False,
            causes=causes,
            reason=reason,
            evidence=evidence,
        )
    after = standing.id if standing else None
    return Decision(
        id=_digest("retrain", [after, named]),
        decided_at=now,
        retrain=True,
        causes=causes,
        reason=_sentence(causes),
        evidence=evidence,
    )


def find_causes(
    now: datetime,
    version: str,
    drift: DriftReport,
    performance: LivePerformance,
    last_training: LastTraining | None,
    policy: RetrainPolicy,
) -> tuple[Cause, ...]:
    """Every cause that holds, in the order of `CauseKind`."""
    causes: list[Cause] = []
    if drift.severity != "none" and at_least(drift.severity, policy.drift_severity):
        statement = f"drift of {drift.severity} severity in {', '.join(drift.drifted)}"
        causes.append(Cause("data_drift", version, statement))
    live, holdout = performance.live, performance.holdout
    if live and holdout and performance.falls_short(policy.accuracy_margin):
        statement = (
            f"live accuracy {live.value:.3f} (at most {live.high:.3f}, n = {live.n}) below the {interval(holdout)} of the holdout"
        )
        causes.append(Cause("performance_degradation", version, statement))
    if last_training is not None:
        age = now - last_training.at
        if age > policy.max_age and last_training.new_labels >= policy.labels_when_old:
            statement = f"training set of {age.days} days ago, {last_training.new_labels} labels since"
            causes.append(Cause("age", last_training.training_set, statement))
    return tuple(causes)


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
        f"Live accuracy {live.value:.3f} over {live.n} labels is no cause." if live else "Too few labels to judge the answers."
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
        },
    }


def _identities(causes: Sequence[Cause]) -> list[tuple[str, str]]:
    return sorted((cause.kind, cause.subject) for cause in causes)


def _digest(outcome: str, content: Any) -> str:
    return sha256(json.dumps([outcome, content], sort_keys=True).encode()).hexdigest()[:32]
