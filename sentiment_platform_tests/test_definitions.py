"""The graph of the definitions against the one that is written out by hand in `graph.py`, and what each part of it promises."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import dagster as dg
import pytest
from dagster import AssetKey

from sentiment_platform.definitions import defs
from sentiment_platform.settings import documentation
from sentiment_platform.store.resources import PlatformResource
from sentiment_platform_tests.graph import ASSETS, CHECKS, JOBS, SCHEDULES, SENSORS, WITHOUT_CHECK, box

ROOT = Path(__file__).parents[1]


def ancestors(key: str) -> set[str]:
    """Everything that `key` is made from, near and far."""
    parents = {parent.to_user_string() for parent in defs.resolve_asset_graph().get(AssetKey(key)).parent_keys}
    return parents.union(*(ancestors(parent) for parent in parents))


def test_the_graph_is_what_is_written_here() -> None:
    graph, repository = defs.resolve_asset_graph(), defs.get_repository_def()
    assert {
        node.key.to_user_string(): (
            node.group_name,
            node.tags.get("stage"),
            {parent.to_user_string() for parent in node.parent_keys},
        )
        for node in graph.asset_nodes
    } == ASSETS
    assert {(key.asset_key.to_user_string(), key.name): graph.get(key).blocking for key in graph.asset_check_keys} == CHECKS
    assert {
        job.name: {key.to_user_string() for key in job.asset_layer.selected_asset_keys}
        for job in defs.resolve_all_job_defs()
        if not job.name.startswith("__")
    } == JOBS
    assert {
        schedule.name: (schedule.job_name, schedule.cron_schedule, schedule.default_status.value)
        for schedule in repository.schedule_defs
    } == SCHEDULES
    assert {schedule.execution_timezone for schedule in repository.schedule_defs} == {"UTC"}
    assert {sensor.name: (sensor.job_name, sensor.default_status.value) for sensor in repository.sensor_defs} == SENSORS
    assert set(repository.get_top_level_resources()) == {"platform"}


@pytest.mark.parametrize("key", ASSETS)
def test_an_asset_says_who_owns_it_what_it_is_and_where_it_belongs(key: str) -> None:
    asset = defs.resolve_asset_graph().get(AssetKey(key))
    assert asset.owners
    assert all(owner.startswith("team:") for owner in asset.owners)
    assert asset.kinds
    assert len(asset.description or "") > 20
    assert asset.group_name != "default"


def test_an_asset_has_a_check_or_a_reason_to_have_none() -> None:
    checked = {asset for asset, _ in CHECKS}
    assert checked | set(WITHOUT_CHECK) == set(ASSETS)
    assert checked & set(WITHOUT_CHECK) == set()


def test_only_predictions_are_made_outside_of_the_graph() -> None:
    assert {node.key.to_user_string() for node in defs.resolve_asset_graph().asset_nodes if not node.is_materializable} == {
        "predictions"
    }


def test_what_is_served_is_made_of_news_and_what_is_decided_of_what_was_served() -> None:
    way = ["raw_news", "article_features", "training_set", "vader_model", "vader_evaluation", "ab_evaluation", "deployment"]
    way += ["predictions", "drift_report", "retrain_decision"]
    for earlier, later in pairwise(way):
        assert earlier in ancestors(later), f"{earlier} does not lead to {later}"
        assert later not in ancestors(earlier), f"{later} leads back to {earlier}"
    assert {"finbert_model", "finbert_evaluation"} <= ancestors("ab_evaluation")
    assert {"performance_report", "drift_report", "predictions"} <= ancestors("retrain_decision")


def test_no_model_is_made_from_what_the_market_did() -> None:
    assert "market_prices" in ancestors("outcomes")
    assert [key for key in ASSETS if "outcomes" in ancestors(key)] == []


def test_the_way_back_from_the_decision_to_the_models_is_a_sensor() -> None:
    assert [key for key in ASSETS if "retrain_decision" in ancestors(key)] == []
    job, _ = SENSORS["retraining_was_decided"]
    assert {"vader_model", "finbert_model"} <= JOBS[job]


def test_the_graph_loads_and_a_circle_in_it_would_not() -> None:
    dg.Definitions.validate_loadable(defs)

    @dg.asset(deps=["retrain_decision", "circle"])
    def turned() -> None: ...

    @dg.asset(deps=[turned])
    def circle() -> None: ...

    circular = dg.Definitions(assets=[*(defs.assets or ()), circle, turned], resources=defs.resources)
    with pytest.raises(Exception, match=r"[Cc]ircular"):
        dg.Definitions.validate_loadable(circular)


IMPORT = """
import json, os, sys

asked, connections = [], []
look_up = os._Environ.__getitem__

def noted(environ, name):
    asked.append(name)
    return look_up(environ, name)

def on_event(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.bind"):
        connections.append(f"{event} {arguments[1:]}")

os._Environ.__getitem__ = noted
sys.addaudithook(on_event)
import sentiment_platform.definitions
at_import = list(asked)
os.environ.get("DATABASE_URL")
print(json.dumps({"import": at_import, "later": asked[len(at_import):], "connections": connections}))
"""


def test_importing_the_graph_reads_no_setting_but_the_first_day_opens_no_connection_and_makes_no_file(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-B", "-c", IMPORT],
        # Nothing but where Python's own files are: no HOME, no setting, no DAGSTER_HOME.
        env={"PATH": os.defpath, "PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, list[str]] = json.loads(done.stdout)
    ours = {variable for variable, _, _ in documentation()} | {"DAGSTER_POSTGRES_URL"}
    # The days of news and prices are part of the graph's definition.
    assert ours & set(found["import"]) == {"SENTIMENT_FIRST_DAY"}
    assert found["connections"] == []
    assert list(tmp_path.iterdir()) == []
    # The control: what is asked for afterwards is seen.
    assert found["later"] == ["DATABASE_URL"]


def test_a_day_has_96_ticks_that_ask_for_that_day_each_with_a_key_of_its_own() -> None:
    schedule = defs.resolve_schedule_def("collection_schedule")
    platform = PlatformResource(overrides={"SENTIMENT_SOURCES": "gdelt"})
    midnight = datetime(2026, 3, 29, tzinfo=UTC)  # clocks change in Europe
    requests: list[dg.RunRequest] = []
    for tick in (midnight + n * timedelta(minutes=15) for n in range(96)):
        with dg.build_schedule_context(
            scheduled_execution_time=tick, repository_def=defs.get_repository_def(), resources={"platform": platform}
        ) as context:
            requests += schedule.evaluate_tick(context).run_requests or []
    keys = [request.run_key for request in requests if request.partition_key == "2026-03-29"]
    assert len(keys) == 96
    assert len({request.run_key for request in requests}) == len(requests)
    assert all(request.partition_key in ("2026-03-28", "2026-03-29") for request in requests)


@pytest.mark.parametrize("stage", ["collection", "training", "monitoring"])
def test_selecting_a_stage_selects_its_box(stage: str) -> None:
    selected = dg.AssetSelection.from_string(f'tag:"stage"="{stage}"').resolve(defs.resolve_asset_graph())
    # A job's selection leaves out what the graph does not make.
    assert {key.to_user_string() for key in selected} == box(stage) - {"predictions"}


def test_a_click_starts_no_process_for_each_step_and_training_does() -> None:
    executors = {job.name: job.executor_def.name for job in defs.resolve_all_job_defs()}
    others = {name: executor for name, executor in executors.items() if executor != "in_process"}
    assert others == {"train_job": "multiprocess_or_workers_of_gpu", "score_job": "in_process_or_workers_of_short"}
    assert executors["__ASSET_JOB"] == "in_process"
