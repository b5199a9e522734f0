"""Reads what a decision rests on, decides, stores. The rules themselves are `decision`."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine

from sentiment_platform.labels.examples import FEEDBACK_SET
from sentiment_platform.monitoring.causes import LastTraining, LivePerformance, RetrainPolicy
from sentiment_platform.monitoring.decision import Decision, decide
from sentiment_platform.monitoring.drift import read_drift
from sentiment_platform.registry.manifest import Metric
from sentiment_platform.served.champion import watched_version
from sentiment_platform.served.performance import live_accuracy
from sentiment_platform.statistics.estimate import ACCURACY
from sentiment_platform.store.decisions import StoredDecision, newest_decisions, write_decision
from sentiment_platform.store.labels import labels_since
from sentiment_platform.store.training_sets import latest_training_set
from sentiment_platform.store.versions import RegisteredVersion

LOOKED_BACK = 100
"""So many decisions to train again are known when the next is made: at two a week the causes of a year."""


@dataclass(frozen=True)
class Outcome:
    """The decision that holds now; `new` is False where it was made before. None, with a note, when nothing is watched."""

    decision: Decision | None
    new: bool
    note: str = ""


def decide_and_store(
    engine: Engine, now: datetime, *, run_id: str, policy: RetrainPolicy | None = None, anonymous: bool = False
) -> Outcome:
    """Decide on the newest stored reports about the watched version; `anonymous`: labels without a voice count as new ones too."""
    policy = policy or RetrainPolicy()
    with engine.begin() as connection:
        version = watched_version(connection)
        if isinstance(version, str):
            return Outcome(None, False, version)
        earlier = newest_decisions(connection, LOOKED_BACK, retrain=True)
        decision = decide(
            now,
            version.version,
            read_drift(connection, version.version, now),
            live_performance(connection, version, now),
            last_training(connection, anonymous=anonymous),
            [Decision.of(stored) for stored in earlier],
            policy,
        )
        return Outcome(decision, write_decision(connection, decision.to_stored(), run_id))


def live_performance(connection: Connection, version: RegisteredVersion, now: datetime) -> LivePerformance:
    """The newest live accuracy of a version, and the one in its manifest."""
    live = live_accuracy(connection, version.version, now)
    promised = version.manifest.metrics.get(ACCURACY)
    return LivePerformance(
        Metric(value=live.value, low=live.low, high=live.high, n=live.n, dataset=live.window)
        if live and live.low is not None and live.high is not None
        else None,
        promised,
    )


def last_training(connection: Connection, *, anonymous: bool = False) -> LastTraining | None:
    """The newest training set and the labels that arrived after it."""
    newest = latest_training_set(connection)
    if newest is None:
        return None
    count, _ = labels_since(connection, newest.created_at, FEEDBACK_SET, anonymous=anonymous)
    return LastTraining(newest.digest, newest.created_at, count)


def without_reason(decisions: list[StoredDecision]) -> list[str]:
    """Ids of decisions that do not say why: no statement, or a decision to train again without a cause."""
    return [d.id for d in decisions if not d.reasons.get("statement") or (d.retrain and not d.reasons.get("causes"))]
