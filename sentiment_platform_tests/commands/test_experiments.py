"""`experiments start`, `status`, `stop`: what they publish, what they say, and what they refuse."""

import json

import pytest
from sqlalchemy import Engine

from sentiment_platform.promotion.deciding import running
from sentiment_platform.settings import Settings
from sentiment_platform_tests.commands.conftest import Invoke
from sentiment_platform_tests.serving.publishing import Publisher

CHAMPION, CHALLENGER = "v1.0.0-vader", "v1.1.0-vader"


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
    refused = said(invoke, "start", CHALLENGER, "--split", "0.1", "--reason", "now", exit_code=1)
    assert f"{CHALLENGER} was not evaluated in shadow of {CHAMPION}" in refused
    assert "--against-the-evidence" in refused
    assert "deploy-000003 published" in said(
        invoke, "start", CHALLENGER, "--split", "0.1", "--reason", "now", "--against-the-evidence"
    )
    described = json.loads(said(invoke, "status", "--json"))
    assert (described["mode"], described["phase"], described["result"]) == ("split", 2, {})
    assert "deploy-000004 published" in said(invoke, "stop", "--reason", "enough")
    assert "No experiment runs" in said(invoke, "stop", "--reason", "again", exit_code=1)


@pytest.mark.parametrize(
    "options", [("--share", "0"), ("--share", "1.5"), ("--split", "1"), ("--daily-cap", "0"), ("--beside", "vader")]
)
def test_what_can_be_no_plan_is_a_usage_error(invoke: Invoke, options: tuple[str, str]) -> None:
    said(invoke, "start", CHALLENGER, "--reason", "r", *options, exit_code=2)
