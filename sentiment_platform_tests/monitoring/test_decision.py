from dataclasses import replace
from datetime import timedelta

import pytest

from sentiment_platform.monitoring.decision import (
    Cause,
    Decision,
    LastTraining,
    LivePerformance,
    RetrainPolicy,
    decide,
)
from sentiment_platform.monitoring.drift import DriftReport
from sentiment_platform.monitoring.severity import Severity
from sentiment_platform.registry.manifest import Metric
from sentiment_platform.statistics.drift.by_feature import FeatureDrift
from sentiment_platform_tests.monitoring.seeding import NOW, VERSION

POLICY = RetrainPolicy()
HOLDOUT = Metric(value=0.8, low=0.76, high=0.84, n=400, dataset="its test part")
STEADY = LivePerformance(Metric(value=0.79, low=0.7, high=0.88, n=90, dataset="feedback:7d"), HOLDOUT)
FALLEN = LivePerformance(Metric(value=0.6, low=0.5, high=0.7, n=90, dataset="feedback:7d"), HOLDOUT)
UNKNOWN = LivePerformance(None, HOLDOUT)
RECENT = LastTraining("set", NOW - timedelta(days=3), 10)
OLD = LastTraining("set", NOW - timedelta(days=31), 50)


def drift(severity: Severity) -> DriftReport:
    drifted = severity != "none"
    row = FeatureDrift(
        feature="word_count",
        test="ks",
        statistic=0.3 if drifted else 0.01,
        p_value=0.0,
        adjusted_p=0.0,
        effect_size=0.5,
        threshold=0.1,
        drifted=drifted,
        n_reference=800,
        n_current=600,
    )
    return DriftReport(
        report_id="report",
        version=VERSION,
        window_start=NOW - timedelta(days=1),
        window_end=NOW,
        texts=600,
        severity=severity,
        rows=(row,),
        windows_moved={"word_count": 2 * drifted},
        missing={},
    )


@pytest.mark.parametrize(
    ("severity", "performance", "training", "kinds"),
    [
        ("none", STEADY, RECENT, []),
        ("none", UNKNOWN, None, []),
        ("low", STEADY, RECENT, []),
        ("medium", STEADY, RECENT, []),
        ("high", STEADY, RECENT, ["data_drift"]),
        ("critical", UNKNOWN, None, ["data_drift"]),
        ("none", FALLEN, RECENT, ["performance_degradation"]),
        ("none", STEADY, OLD, ["age"]),
        ("none", STEADY, replace(OLD, new_labels=49), []),
        ("none", STEADY, replace(OLD, at=NOW - timedelta(days=29)), []),
        ("high", FALLEN, OLD, ["data_drift", "performance_degradation", "age"]),
    ],
)
def test_each_cause_alone_and_all_together(
    severity: Severity, performance: LivePerformance, training: LastTraining | None, kinds: list[str]
) -> None:
    decision = decide(NOW, VERSION, drift(severity), performance, training, None, POLICY)
    assert [cause.kind for cause in decision.causes] == kinds
    assert decision.retrain == bool(kinds)
    assert decision.reason
    assert all(cause.statement in decision.reason for cause in decision.causes)


@pytest.mark.parametrize(("high", "falls_short"), [(0.739, True), (0.741, False), (0.77, False)])
def test_live_accuracy_must_be_below_the_holdout_by_more_than_the_margin(high: float, falls_short: bool) -> None:
    live = Metric(value=0.7, low=0.6, high=high, n=90, dataset="feedback:7d")
    assert LivePerformance(live, HOLDOUT).falls_short(0.02) == falls_short


def test_deciding_the_same_again_while_it_cools_down_is_the_standing_decision() -> None:
    first = decide(NOW, VERSION, drift("high"), STEADY, RECENT, None, POLICY)
    again = decide(NOW + timedelta(hours=23), VERSION, drift("critical"), STEADY, RECENT, first, POLICY)
    assert again is first


def test_another_cause_within_the_cool_down_is_held_back_and_says_until_when() -> None:
    first = decide(NOW, VERSION, drift("high"), STEADY, RECENT, None, POLICY)
    held = decide(NOW + timedelta(hours=1), VERSION, drift("high"), FALLEN, RECENT, first, POLICY)
    assert not held.retrain
    assert held.id != first.id
    assert held.reason.startswith("Held back until 2025-03-11 12:00 UTC")
    assert held == decide(NOW + timedelta(hours=1), VERSION, drift("high"), FALLEN, RECENT, first, POLICY)


def test_a_cause_that_outlives_the_cool_down_decides_again_once() -> None:
    first = decide(NOW, VERSION, drift("high"), STEADY, RECENT, None, POLICY)
    second = decide(NOW + POLICY.cool_down, VERSION, drift("high"), STEADY, RECENT, first, POLICY)
    assert second.retrain
    assert second.id != first.id
    assert decide(NOW + POLICY.cool_down, VERSION, drift("high"), STEADY, RECENT, second, POLICY) is second


def test_a_cause_that_never_ends_decides_at_most_once_a_cool_down() -> None:
    standing: Decision | None = None
    made: set[str] = set()
    for hour in range(24 * 14):
        decision = decide(NOW + timedelta(hours=hour), VERSION, drift("high"), FALLEN, OLD, standing, POLICY)
        standing = decision if decision.retrain else standing
        made.add(decision.id)
    assert len(made) == 14


def test_quiet_decisions_have_one_id_for_the_same_reports() -> None:
    one = decide(NOW, VERSION, drift("none"), STEADY, RECENT, None, POLICY)
    later = decide(NOW + timedelta(hours=1), VERSION, drift("none"), STEADY, RECENT, None, POLICY)
    assert one.id == later.id
    assert one.id != decide(NOW, VERSION, drift("none"), FALLEN, RECENT, None, POLICY).id


def test_a_decision_survives_its_row() -> None:
    decision = decide(NOW, VERSION, drift("high"), FALLEN, OLD, None, POLICY)
    assert Decision.of(decision.to_stored()) == decision
    assert decision.causes[0] == Cause("data_drift", VERSION, "drift of high severity in word_count")
