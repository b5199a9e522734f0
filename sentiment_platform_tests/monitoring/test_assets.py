from datetime import timedelta

import dagster as dg
import pytest
from sqlalchemy import Engine

from sentiment_platform.alerts import assets as alert_assets
from sentiment_platform.experiments.assets import online_evaluation
from sentiment_platform.features.schema import V1
from sentiment_platform.monitoring import assets, checks
from sentiment_platform.monitoring.jobs import monitor_job
from sentiment_platform.monitoring.schedules import monitoring_schedule
from sentiment_platform.monitoring.sensors import retraining_was_decided
from sentiment_platform.store.audit_sample import A_DAY
from sentiment_platform.store.decisions import newest_decisions
from sentiment_platform.store.resources import PlatformResource
from sentiment_platform_tests.monitoring.seeding import (
    NOW,
    VERSION,
    audit_everything,
    features,
    probabilities,
    seed_decision,
    seed_deployed,
    seed_predictions,
    seed_weeks,
)

CHECKS = [
    checks.drift_is_within_bounds,
    checks.live_accuracy_matches_the_holdout,
    checks.every_decision_names_its_reason,
]
ASSETS = [assets.drift_report, assets.performance_report, assets.retrain_decision]


def materialize(platform: PlatformResource) -> dg.ExecuteInProcessResult:
    with dg.DagsterInstance.ephemeral() as instance:
        return dg.materialize([assets.predictions, *ASSETS, *CHECKS], instance=instance, resources={"platform": platform})


def shown(result: dg.ExecuteInProcessResult, asset: str) -> dict[str, object]:
    (materialization,) = result.asset_materializations_for_node(asset)
    return {name: value.value for name, value in materialization.metadata.items()}


def passed(result: dg.ExecuteInProcessResult) -> dict[str, bool]:
    return {found.check_name: found.passed for found in result.get_asset_check_evaluations()}


def seed_served(engine: Engine, *, shift: float = 0.0, right: int = 9) -> None:
    """Five weeks; `right`: so many answers of ten are, as people say who were asked."""
    seed_deployed(engine)
    seed_weeks(engine, (2, 3, 4))
    seed_weeks(engine, (0, 1), shift=dict.fromkeys(V1.names[:8], shift))
    audit_everything(engine, right=right)


def test_a_quiet_week_is_reported_and_nothing_is_decided(engine: Engine, platform: PlatformResource) -> None:
    seed_served(engine)
    result = materialize(platform)
    assert passed(result) == {
        "drift_is_within_bounds": True,
        "live_accuracy_matches_the_holdout": True,
        "every_decision_names_its_reason": True,
    }
    drift = shown(result, "drift_report")
    assert (drift["severity"], drift["drifted"], drift["version"]) == ("none", "nothing", VERSION)
    assert "data:image/png;base64," in str(drift["heat_map"])
    assert "| vader_compound | KS |" in str(drift["tests"])
    assert str(drift["summary"]).startswith("Nothing drifted: 17 subjects were tested on 300 stories")
    assert drift["before_and_now"] == "Nothing moved."
    assert str(drift["fit"]).startswith(f"What is asked of {VERSION} differs from what it was trained on (300 stories): text.")
    performance = shown(result, "performance_report")
    assert 0.8 < float(str(performance["live_accuracy"])) < 1
    assert 50 < int(str(performance["audit_labelled"])) <= A_DAY, "of the 300 answers of the one day of its week"
    assert f"{VERSION}: right on 0." in str(performance["summary"])
    assert str(performance["estimated_accuracy"]).startswith("No estimate: ")
    decision = shown(result, "retrain_decision")
    assert (decision["retrain"], decision["decided_now"]) == (False, True)
    assert str(decision["reason"]).startswith("Nothing calls for training. 17 subjects tested")


def test_drift_and_fallen_accuracy_turn_the_checks_red_and_decide_once_with_both_reasons(
    engine: Engine, platform: PlatformResource
) -> None:
    seed_served(engine, shift=1.0, right=2)
    result = materialize(platform)
    assert result.success  # warnings: they block nothing
    assert passed(result) == {
        "drift_is_within_bounds": False,
        "live_accuracy_matches_the_holdout": False,
        "every_decision_names_its_reason": True,
    }
    assert "data:image/png;base64," in str(shown(result, "drift_report")["before_and_now"])
    decision = shown(result, "retrain_decision")
    assert decision["retrain"]
    assert "vader_compound" in str(decision["reason"])
    assert "live accuracy 0." in str(decision["reason"])
    again = shown(materialize(platform), "retrain_decision")
    assert (again["retrain"], again["decided_now"]) == (True, False)
    with engine.connect() as connection:
        (stored,) = newest_decisions(connection)
    assert [cause["kind"] for cause in stored.reasons["causes"]] == ["data_drift", "performance_degradation"]
    assert stored.evidence["drift"]["report_id"]


def test_before_the_first_deployment_everything_says_so_and_is_green(platform: PlatformResource) -> None:
    result = materialize(platform)
    assert result.success
    assert all(passed(result).values())
    assert shown(result, "drift_report")["window"] == "Nothing is deployed yet."
    assert shown(result, "retrain_decision")["reason"] == "Nothing is deployed yet."
    assert shown(result, "performance_report")["figures"] == "No prediction has been served in these windows."


def test_a_decision_to_train_without_a_cause_turns_the_check_red(engine: Engine, platform: PlatformResource) -> None:
    seed_decision(engine, "silent", NOW - timedelta(days=9), kinds=())
    assert not passed(materialize(platform))["every_decision_names_its_reason"]


def test_unchanged_reports_keep_their_data_versions(engine: Engine, platform: PlatformResource) -> None:
    seed_served(engine)

    def versions() -> list[str | None]:
        result = materialize(platform)
        return [
            (m.tags or {}).get("dagster/data_version")
            for asset in ("drift_report", "performance_report", "retrain_decision")
            for m in result.asset_materializations_for_node(asset)
        ]

    first = versions()
    assert len(set(first)) == 3
    assert versions() == first
    seed_predictions(engine, features(1, 17), probabilities(1, 18), prefix="one more")
    assert versions()[0] != first[0]


@pytest.fixture
def definitions() -> dg.Definitions:
    @dg.asset
    def deployment() -> None: ...

    @dg.asset
    def raw_news() -> None: ...

    @dg.asset
    def labels() -> None: ...

    train_job = dg.define_asset_job("train_job", selection=dg.AssetSelection.assets(deployment))
    return dg.Definitions(
        assets=[deployment, raw_news, labels, assets.predictions, *ASSETS, online_evaluation, alert_assets.alerts],
        asset_checks=CHECKS,
        jobs=[monitor_job, train_job],
        schedules=[monitoring_schedule],
        sensors=[retraining_was_decided],
        resources={"platform": PlatformResource()},
    )


def test_the_way_back_is_a_sensor_and_the_graph_has_no_circle(definitions: dg.Definitions) -> None:
    dg.Definitions.validate_loadable(definitions)
    graph = definitions.resolve_asset_graph()
    key = dg.AssetKey
    assert graph.get(key("drift_report")).parent_keys == {key("predictions"), key("deployment")}
    assert graph.get(key("retrain_decision")).parent_keys == {key("drift_report"), key("performance_report")}
    assert graph.get(key("retrain_decision")).child_keys == set()
    assert not graph.get(key("predictions")).is_materializable
    assert definitions.resolve_sensor_def("retraining_was_decided").job_name == "train_job"
    selected = definitions.resolve_job_def("monitor_job").asset_layer.selected_asset_keys
    assert {k.to_user_string() for k in selected} == {
        "drift_report",
        "performance_report",
        "retrain_decision",
        "online_evaluation",
        "alerts",
    }
