"""A third family is one file with one entry in the table: the graph, promotion and serving are built from it, and change nowhere."""

import inspect
import json
import subprocess
import sys
from typing import Any

import pytest
from sqlalchemy import Engine

from sentiment_platform.models.families import FAMILIES
from sentiment_platform.settings import Settings
from sentiment_platform_tests.models import bayes
from sentiment_platform_tests.models.versions.vader_versions import label
from sentiment_platform_tests.serving.running import ServingProcess, environment_of
from sentiment_platform_tests.source_code import ROOT

pytestmark = pytest.mark.slow
BAYES = ["bayes_model", "bayes_evaluation", "ab_evaluation", "deployment"]
PLUGGED_IN = f"from {bayes.__name__} import plug_in; plug_in();"
"""Before anything else is imported: graph and serving are built from the table as it stands then."""
GRAPH = f"{PLUGGED_IN} from {__name__} import run_graph; run_graph()"
SERVING = f"{PLUGGED_IN} import serving; serving.run()"


def run_graph() -> None:
    """In a process of its own: what the graph knows of the family, and what its part of `train_job` makes; as JSON."""
    import dagster as dg

    from sentiment_platform.definitions import defs

    graph, job = defs.resolve_asset_graph(), defs.resolve_job_def("train_job")
    made = job.execute_in_process(asset_selection=[dg.AssetKey(name) for name in BAYES], run_config=bayes_alone(job.run_config))
    document = {
        "description": graph.get(dg.AssetKey("bayes_model")).description,
        "parents": {name: sorted(key.to_user_string() for key in graph.get(dg.AssetKey(name)).parent_keys) for name in BAYES},
        "checks": sorted(f"{key.asset_key.to_user_string()}: {key.name}" for key in graph.asset_check_keys),
        "jobs": {
            name: sorted(key.to_user_string() for key in defs.resolve_job_def(name).asset_layer.selected_asset_keys)
            for name in ("train_job", "baseline_job")
        },
        "passed": {evaluation.check_name: evaluation.passed for evaluation in made.get_asset_check_evaluations()},
        "made": {
            event.asset_key.to_user_string(): {name: value.value for name, value in event.materialization.metadata.items()}
            for event in made.get_asset_materialization_events()
            if event.asset_key
        },
    }
    print(json.dumps(document, default=str))


def bayes_alone(config: Any) -> dict[str, Any]:
    """The job's own configuration, without those families that are not trained here."""
    return {"ops": {"bayes_model": config["ops"]["bayes_model"]}}


def test_a_third_family_has_its_place_in_the_graph_is_released_by_it_and_answers(settings: Settings, engine: Engine) -> None:
    label(engine)
    done = subprocess.run(
        [sys.executable, "-c", GRAPH], env=environment_of(settings), capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stderr[-4000:]
    graph = json.loads(done.stdout.splitlines()[-1])
    assert graph["description"] == bayes.ENTRY.description
    assert graph["parents"]["bayes_model"] == ["training_set"]
    assert graph["parents"]["bayes_evaluation"] == ["bayes_model", "training_set"]
    assert graph["parents"]["ab_evaluation"] == ["bayes_evaluation", "finbert_evaluation", "vader_evaluation"]
    assert [check for check in graph["checks"] if "bayes" in check] == [
        "bayes_evaluation: every_holdout_text_was_answered",
        "bayes_model: the_released_version_verifies",
    ]
    assert {"bayes_model", "bayes_evaluation"} <= set(graph["jobs"]["train_job"])
    assert "bayes_model" not in graph["jobs"]["baseline_job"], "a cheaper family is the baseline"
    assert "bayes_evaluation" in graph["jobs"]["baseline_job"], "what runs already must answer a new holdout"
    assert set(graph["passed"].values()) == {True}
    assert len(graph["passed"]) == 4
    assert graph["made"]["bayes_model"]["figures"]["parameters"] == bayes.ENTRY.recurring
    assert graph["made"]["deployment"]["champions"] == {"bayes": "v1.0.0-bayes"}

    serving = ServingProcess(settings, program=SERVING)
    try:
        answer = serving.start().predict("Profit rose strongly", explain=True)
        assert (answer["prediction"]["model_used"], answer["performance"]["model_version"]) == ("bayes", "v1.0.0-bayes")
        assert [part["token"] for part in answer["explanation"]["contributions"]] == ["Profit", "rose", "strongly"]
        assert serving.predict("Profit rose strongly", "/predict/bayes")["prediction"] == answer["prediction"]
        results = serving.predict("Profit rose strongly", "/predict/compare")["results"]
        assert {family for family, result in results.items() if result} == {"bayes"}
        assert set(results) == {*FAMILIES, "bayes"}
    finally:
        serving.stop()


def test_a_family_fits_on_a_page() -> None:
    assert len(inspect.getsource(bayes).splitlines()) < 100


@pytest.mark.parametrize(("line", "accepted"), [("", True), ("assert FILES", False)])
def test_a_copy_of_it_is_good_enough_for_the_product(line: str, accepted: bool) -> None:
    """Ruff asks more of the product than of tests; the path decides."""
    command = [sys.executable, "-m", "ruff", "check", "--no-cache", "--stdin-filename", "sentiment_platform/models/bayes.py"]
    text = f"{inspect.getsource(bayes)}\n{line}\n".rstrip() + "\n"
    done = subprocess.run(command, input=text, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode == 0) is accepted, done.stdout
