from dataclasses import replace
from datetime import timedelta

import pytest

from sentiment_platform.monitoring.causes import TRAFFIC, Cause, LastTraining, LivePerformance
from sentiment_platform.monitoring.decision import Decision, decide
from sentiment_platform.monitoring.severity import Severity
from sentiment_platform.registry.manifest import Metric
from sentiment_platform_tests.monitoring.deciding import FALLEN, HOLDOUT, OLD, POLICY, RECENT, STEADY, UNKNOWN, drift
from sentiment_platform_tests.monitoring.seeding import NOW, VERSION


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
    decision = decide(NOW, VERSION, drift(severity), performance, training, [], POLICY)
    assert [cause.kind for cause in decision.causes] == kinds
    assert decision.retrain == bool(kinds)
    assert decision.reason
    assert all(cause.statement in decision.reason for cause in decision.causes)


@pytest.mark.parametrize(("high", "falls_short"), [(0.739, True), (0.741, False), (0.77, False)])
def test_live_accuracy_must_be_below_the_holdout_by_more_than_the_margin(high: float, falls_short: bool) -> None:
    live = Metric(value=0.7, low=0.6, high=high, n=90, dataset="audit:7d")
    assert LivePerformance(live, HOLDOUT).falls_short(0.02) == falls_short


def test_deciding_the_same_again_while_it_cools_down_is_the_standing_decision() -> None:
    first = decide(NOW, VERSION, drift("high"), STEADY, RECENT, [], POLICY)
    again = decide(NOW + timedelta(hours=23), VERSION, drift("critical"), STEADY, RECENT, [first], POLICY)
    assert again is first


def test_another_cause_within_the_cool_down_is_held_back_and_says_until_when() -> None:
    first = decide(NOW, VERSION, drift("high"), STEADY, RECENT, [], POLICY)
    held = decide(NOW + timedelta(hours=1), VERSION, drift("high"), FALLEN, RECENT, [first], POLICY)
    assert not held.retrain
    assert held.id != first.id
    assert held.reason.startswith("Held back until 2025-03-11 12:00 UTC")
    assert held == decide(NOW + timedelta(hours=1), VERSION, drift("high"), FALLEN, RECENT, [first], POLICY)


def test_a_cause_that_outlives_its_training_is_closed_until_there_are_new_labels_or_it_gets_worse() -> None:
    first = decide(NOW, VERSION, drift("high"), STEADY, RECENT, [], POLICY)
    later = NOW + timedelta(days=2)
    closed = decide(later, VERSION, drift("high"), STEADY, RECENT, [first], POLICY)
    assert (closed.retrain, closed.answered, closed.labels_wanted) == (False, False, POLICY.labels_to_ask_again)
    assert closed.reason.startswith(
        f"Nothing new to learn: no better version came of decision {first.id[:12]}, and 50 more labels"
    )
    labelled = replace(RECENT, new_labels=RECENT.new_labels + 50)
    assert decide(later, VERSION, drift("high"), STEADY, labelled, [first], POLICY).retrain
    assert decide(later, VERSION, drift("critical"), STEADY, RECENT, [first], POLICY).retrain
    # Labels that the training took in are no new ones.
    assert not decide(later, VERSION, drift("high"), STEADY, LastTraining("newer", later, 49), [first], POLICY).retrain
    assert decide(later, "v1.1.0-vader", drift("high"), UNKNOWN, LastTraining("newer", later, 0), [first], POLICY).answered


def test_a_lasting_shift_starts_one_training_in_thirty_days_and_one_more_when_labels_come() -> None:
    earlier: list[Decision] = []
    said: dict[str, Decision] = {}
    version, training, severity = VERSION, RECENT, "high"
    for hour in range(24 * 60):
        if hour == 24 * 30:
            training = replace(training, new_labels=training.new_labels + 60)
        if hour == 24 * 30 + 5:  # the training takes them in, and the gate finds its version better
            version, training = "v1.1.0-vader", LastTraining("newer", NOW + timedelta(hours=hour), 0)
        decision = decide(NOW + timedelta(hours=hour), version, drift(severity), UNKNOWN, training, earlier, POLICY)
        earlier = [decision, *earlier] if decision.retrain and decision.id not in said else earlier
        said.setdefault(decision.id, decision)
        if hour == 24 * 30 - 1:
            assert [one.retrain for one in said.values()] == [True, False]
    assert [(one.retrain, one.labels_wanted, one.answered) for one in said.values()] == [
        (True, 0, False),
        (False, 50, False),
        (True, 0, False),
        (False, 0, True),
    ]


def test_no_week_has_more_trainings_than_the_budget_however_often_a_cause_gets_new_labels() -> None:
    earlier: list[Decision] = []
    for hour in range(24 * 28):
        training = replace(RECENT, new_labels=RECENT.new_labels + 60 * (hour // 24))
        decision = decide(NOW + timedelta(hours=hour), VERSION, drift("high"), UNKNOWN, training, earlier, POLICY)
        if decision.retrain and decision not in earlier:
            earlier = [decision, *earlier]
    times = [one.decided_at for one in earlier]
    assert 6 <= len(times) <= 8
    assert all(sum(at - timedelta(days=7) < other <= at for other in times) <= POLICY.weekly_budget for at in times)


def test_quiet_decisions_have_one_id_for_the_same_reports() -> None:
    one = decide(NOW, VERSION, drift("none"), STEADY, RECENT, [], POLICY)
    later = decide(NOW + timedelta(hours=1), VERSION, drift("none"), STEADY, RECENT, [], POLICY)
    assert one.id == later.id
    assert one.id != decide(NOW, VERSION, drift("none"), FALLEN, RECENT, [], POLICY).id


def test_a_decision_survives_its_row() -> None:
    decision = decide(NOW, VERSION, drift("high"), FALLEN, OLD, [], POLICY)
    assert Decision.of(decision.to_stored()) == decision
    assert decision.causes[0] == Cause("data_drift", TRAFFIC, "drift of high severity in word_count")
