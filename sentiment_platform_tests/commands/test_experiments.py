"""`experiments start`, `status`, `stop`: what they publish, what they say, and what they refuse."""

import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Engine, text

from sentiment_platform.promotion.deciding import running
from sentiment_platform.settings import Settings
from sentiment_platform_tests.commands.conftest import Invoke
from sentiment_platform_tests.monitoring.seeding import features, seed_predictions
from sentiment_platform_tests.serving.publishing import Publisher

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
CHAMPION, CHALLENGER = "v1.0.0-vader", "v1.1.0-vader"


@pytest.fixture(autouse=True)
def _in_the_repository(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where dagster.yaml is."""
    monkeypatch.chdir(ROOT)


@pytest.fixture
def _published(settings: Settings, engine: Engine) -> None:
    publisher = Publisher(settings, engine)
    publisher.deploy(publisher.model(CHAMPION))
    publisher.model(CHALLENGER, steepness=2.0)
    publisher.close()


def said(invoke: Invoke, *arguments: str, exit_code: int = 0) -> str:
    result = invoke("experiments", *arguments)
    assert result.exit_code == exit_code, result.output
    return " ".join(result.output.split())


def serve(engine: Engine, revision: int) -> None:
    """A hundred requests of a moment ago, as the champion answered them."""
    ids = seed_predictions(engine, features(100, 1), np.tile([0.1, 0.8, 0.1], (100, 1)), version=CHAMPION)
    statement = text("UPDATE platform.predictions SET deployment_revision = :revision, predicted_at = :at WHERE id = ANY(:ids)")
    with engine.begin() as connection:
        connection.execute(statement, {"revision": revision, "at": datetime.now(UTC), "ids": ids})


@pytest.mark.usefixtures("_published")
def test_an_experiment_is_tried_started_looked_at_evaluated_and_stopped_by_commands(invoke: Invoke, engine: Engine) -> None:
    assert "No experiment runs. Start one" in said(invoke, "status")
    assert json.loads(said(invoke, "status", "--json")) is None
    dry = said(invoke, "start", CHALLENGER, "--reason", "try", "--share", "0.2", "--dry-run")
    plan = f"Experiment {CHALLENGER}, phase 1: {CHALLENGER} answers 20.0% of the requests of {CHAMPION} in shadow, 1,000 a day at most"
    assert dry.startswith(f"Nothing was published. It would be: {plan}")
    assert (document := running(engine)) is not None
    assert document.revision == 1
    started = said(invoke, "start", CHALLENGER, "--reason", "try", "--share", "0.2")
    assert plan in started
    assert "deploy-000002 published" in started
    status = said(invoke, "status")
    assert f"{plan}; nobody is served its answers. It was not evaluated yet. Next: `sentiment-platform run monitor_job`" in status
    serve(engine, revision=2)
    evaluated = invoke("run", "monitor_job")
    assert evaluated.exit_code == 0, evaluated.output
    assert f"{CHALLENGER}, phase 1: goes on. Wait for requests and labels" in " ".join(evaluated.output.split())
    replayed = invoke("models", "replay", CHALLENGER)
    assert replayed.exit_code == 0, replayed.output
    assert replayed.output.startswith(f"Of 100 requests that {CHAMPION} answered")
    assert json.loads(invoke("models", "replay", CHALLENGER, "--json").stdout)["served_by"] == CHAMPION
    status = said(invoke, "status")
    assert "None of these texts has a label of a person." in status
    assert "Verdict: goes on." in status
    assert "Next: Wait for requests and labels" in status
    refused = said(invoke, "start", CHALLENGER, "--split", "0.1", "--reason", "now", exit_code=1)
    assert f"In shadow the verdict on {CHALLENGER} is goes on." in refused
    assert "--against-the-evidence" in refused
    assert "deploy-000003 published" in said(
        invoke, "start", CHALLENGER, "--split", "0.1", "--reason", "now", "--against-the-evidence"
    )
    described = json.loads(said(invoke, "status", "--json"))
    assert (described["mode"], described["phase"], described["result"]) == ("split", 2, {})
    would = said(invoke, "stop", "--reason", "enough", "--dry-run")
    assert would == f"Nothing was published. The experiment {CHALLENGER} would end."
    stopped = said(invoke, "stop", "--reason", "enough")
    assert stopped.startswith(f"The experiment {CHALLENGER} has ended. deploy-000004 published")
    assert "No experiment runs" in said(invoke, "stop", "--reason", "again", exit_code=1)


@pytest.mark.parametrize(
    "options",
    [
        ("--share", "0"),
        ("--share", "1.5"),
        ("--split", "1"),
        ("--daily-cap", "0"),
        ("--daily-cap", "1000001"),
        ("--beside", "vader"),
        ("--split", "0.1", "--share", "0.5"),
    ],
)
def test_what_can_be_no_plan_is_a_usage_error(invoke: Invoke, options: tuple[str, ...]) -> None:
    said(invoke, "start", CHALLENGER, "--reason", "r", *options, exit_code=2)
