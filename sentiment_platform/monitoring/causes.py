"""What can be a reason to train again, by which thresholds, and which of the reasons hold now. What follows from them is `decision`."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sentiment_platform.monitoring.drift import DriftReport
from sentiment_platform.monitoring.severity import Severity, at_least
from sentiment_platform.registry.manifest import Metric
from sentiment_platform.statistics.estimate import interval

CauseKind = Literal["data_drift", "performance_degradation", "age"]
TRAFFIC = "traffic"
"""What drift is about, whichever version answers: a new one does not make it another drift."""


@dataclass(frozen=True, kw_only=True)
class RetrainPolicy:
    """When to train again.

    Attributes:
        drift_severity: a drift this bad, or worse, is a cause (`severity.RESPONSES`).
        accuracy_margin: live accuracy is a cause when the upper end of its 95 % interval lies below the lower end of the holdout's
            by more than this, in [0, 1].
        max_age: a training set older than this is a cause, given `labels_when_old` new labels: without any, training again would
            make the version that exists.
        cool_down: how long one decision to train again holds back the next, whatever its causes.
        labels_to_ask_again: a cause that led to a training asks again once so many labels have come since, or when it gets worse.
        weekly_budget: trainings in any seven days that decisions may ask for.
    """

    drift_severity: Severity = "high"
    accuracy_margin: float = 0.02
    max_age: timedelta = timedelta(days=30)
    labels_when_old: int = 50
    cool_down: timedelta = timedelta(hours=24)
    labels_to_ask_again: int = 50
    weekly_budget: int = 2


@dataclass(frozen=True)
class LivePerformance:
    """Live accuracy of the watched version, on the audit sample, beside the accuracy its manifest promises; None where there is no such figure."""

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
    """One reason to train again. `subject` is what it is about: the same kind and subject is the same cause, whatever its words."""

    kind: CauseKind
    subject: str
    statement: str


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
        causes.append(Cause("data_drift", TRAFFIC, statement))
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
