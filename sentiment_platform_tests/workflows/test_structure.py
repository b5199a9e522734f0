"""What every workflow of the repository keeps to, and that the checks see a workflow which does not."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from sentiment_platform.settings import documentation
from sentiment_platform_tests.workflows.runner import INSTALL_COMMAND, SECRETS, Workflow, load, problems

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".github" / "workflows"
PIPELINE = Workflow.parse("pipeline.yml", (FOLDER / "pipeline.yml").read_text())


def _started_by(**contexts: Any) -> list[str]:
    return [job.name for job in PIPELINE.jobs_for(contexts)]


@pytest.mark.parametrize("workflow", load(FOLDER), ids=lambda workflow: workflow.name)
def test_a_workflow_has_time_limits_pins_least_rights_and_only_the_known_secrets(workflow: Workflow) -> None:
    assert problems(workflow, only_platform_commands=workflow.name == "pipeline.yml") == []


@pytest.mark.parametrize(
    ("written", "instead", "seen"),
    [
        ("    timeout-minutes: 20\n", "", "monitor: no timeout-minutes"),
        ("@08c6903cd8c0fde910a37f88322edcfb5dd907a8", "@v5", "not pinned"),
        ("  contents: read\n", "  contents: write\n", "permissions of the workflow"),
        ("      contents: write", "      packages: write", "permissions beyond"),
        ("      SENTIMENT_SIGNING_KEYS: ${{ secrets.SENTIMENT_SIGNING_KEYS }}\n", "", "publishes nothing"),
        ("secrets.REDIS_URL", "secrets.ROOT_PASSWORD", "ROOT_PASSWORD"),
        ("  workflow_dispatch:\n", "  workflow_call:\n", "without workflow_dispatch"),
        ('"23 4 * * *"', '"0 4 * * *"', "full hour"),
        ('"7,37 * * * *"', '"*/15 * * * *"', "full hour"),
        ("  group: pipeline\n", "", "no concurrency group"),
        ("run: sentiment-platform run train_job", "run: python train.py", "pipeline logic"),
        (
            "run: sentiment-platform run train_job",
            "run: |\n          true\n          true\n          true\n          true",
            "4 lines",
        ),
        ("run: sentiment-platform run train_job", "run: echo ${{ github.actor }}", "inside a script"),
        ("          persist-credentials: false\n", "          fetch-depth: 1\n", "keeps its credentials"),
        ("ubuntu-24.04", "ubuntu-latest", "moving image"),
    ],
)
def test_a_workflow_that_breaks_a_rule_is_seen(written: str, instead: str, seen: str) -> None:
    assert written in PIPELINE.text
    found = problems(Workflow.parse("changed.yml", PIPELINE.text.replace(written, instead)), only_platform_commands=True)
    assert any(seen in text for text in found), found


def test_every_cron_line_and_every_choice_starts_exactly_one_job() -> None:
    by_cron = {
        entry["cron"]: _started_by(
            github={"event": {"schedule": entry["cron"]}}, vars={"SENTIMENT_PRICE_SYMBOLS": "EXM", "SENTIMENT_SOURCES": "gdelt"}
        )
        for entry in PIPELINE.events["schedule"]
    }
    choices = PIPELINE.events["workflow_dispatch"]["inputs"]["job"]["options"]
    by_choice = {choice: _started_by(inputs={"job": choice}) for choice in choices}
    assert sorted(by_cron.values()) == sorted(by_choice.values()) == [["collect"], ["market"], ["monitor"], ["train"]]
    assert by_choice == {f"{name}_job": [name] for name in ("collect", "market", "train", "monitor")}


@pytest.mark.parametrize(
    ("minute", "variable", "job"),
    [
        ("53 22", "SENTIMENT_PRICE_SYMBOLS", "market"),
        ("7,37", "SENTIMENT_FEEDS", "collect"),
        ("7,37", "SENTIMENT_SOURCES", "collect"),
    ],
)
def test_a_schedule_starts_nothing_where_nothing_to_fetch_is_configured(minute: str, variable: str, job: str) -> None:
    (cron,) = (entry["cron"] for entry in PIPELINE.events["schedule"] if entry["cron"].startswith(minute))
    assert _started_by(github={"event": {"schedule": cron}}) == []
    assert _started_by(github={"event": {"schedule": cron}}, vars={variable: "anything"}) == [job]


def test_schedules_can_be_switched_off_where_a_daemon_runs_and_dispatch_still_works() -> None:
    off = {"PIPELINE_SCHEDULES": "off", "SENTIMENT_PRICE_SYMBOLS": "EXM", "SENTIMENT_FEEDS": "a=https://a.example/rss"}
    for entry in PIPELINE.events["schedule"]:
        assert _started_by(github={"event": {"schedule": entry["cron"]}}, vars=off) == []
    assert _started_by(inputs={"job": "train_job"}, vars=off) == ["train"]


def test_every_variable_that_a_workflow_sets_is_a_setting() -> None:
    known = {variable for variable, _, _ in documentation()}
    for workflow in load(FOLDER):
        for level in (workflow.document, *(job.document for job in workflow.jobs)):
            assert set(level.get("env") or {}) <= known, workflow.name


def test_the_extras_that_a_workflow_installs_exist() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    runs = [str(step.get("run", "")) for job in PIPELINE.jobs for step in job.steps]
    installs = [run for run in runs if INSTALL_COMMAND.fullmatch(run)]
    assert len(installs) == len(PIPELINE.jobs)
    for run in installs:
        assert set(re.findall(r"\[([a-z,]+)\]", run)[0].split(",")) <= set(extras)


def test_the_secrets_are_settings_that_are_masked() -> None:
    from sentiment_platform.settings import Settings

    described = Settings.from_environment(dict.fromkeys(SECRETS, "value-of-the-secret")).describe()
    assert {name: described[name] for name in SECRETS if name in described} == dict.fromkeys(
        SECRETS - {"GITHUB_TOKEN"}, "********"
    )
