"""What every workflow of the repository keeps to, and that the checks see a workflow which does not."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from sentiment_platform.commands.fork import NEEDED_SECRETS, OPTIONAL_SECRETS, VARIABLES, WORKFLOWS, vendor_keys
from sentiment_platform.definitions import defs
from sentiment_platform.run_tags import TRAINS
from sentiment_platform.settings import Settings, documentation
from sentiment_platform_tests.workflows.expressions import evaluate
from sentiment_platform_tests.workflows.runner import INSTALL_COMMAND, SECRETS, Workflow, load, problems

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".github" / "workflows"
PIPELINE = Workflow.parse("pipeline.yml", (FOLDER / "pipeline.yml").read_text())


KEEP_ALIVE = Workflow.parse("keep-alive.yml", (FOLDER / "keep-alive.yml").read_text())
SET_UP = {"SENTIMENT_PUBLIC_KEYS": "model=...,operator=..."}
NUMBERS = ["none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen"]


def _started_by(**contexts: Any) -> list[str]:
    return [job.name for job in PIPELINE.jobs_for(contexts)]


@pytest.mark.parametrize("workflow", load(FOLDER), ids=lambda workflow: workflow.name)
def test_a_workflow_has_time_limits_pins_least_rights_and_only_the_known_secrets(workflow: Workflow) -> None:
    assert problems(workflow, only_platform_commands=workflow.name != "ci.yml") == []


@pytest.mark.parametrize(
    ("written", "instead", "seen"),
    [
        ("    timeout-minutes: 40\n", "", "run: no timeout-minutes"),
        ("@08c6903cd8c0fde910a37f88322edcfb5dd907a8", "@v5", "not pinned"),
        ("  contents: read\n", "  contents: write\n", "permissions of the workflow"),
        ("      contents: write", "      packages: write", "permissions beyond"),
        ("      contents: write", "      actions: write", "does more than that"),
        ("      SENTIMENT_SIGNING_KEYS: ${{ secrets.SENTIMENT_SIGNING_KEYS }}\n", "", "publishes nothing"),
        ("secrets.REDIS_URL", "secrets.ROOT_PASSWORD", "ROOT_PASSWORD"),
        ("  workflow_dispatch:\n", "  workflow_call:\n", "without workflow_dispatch"),
        ('"7,37 * * * *"', '"0 4 * * *"', "full hour"),
        ('"7,37 * * * *"', '"*/15 * * * *"', "full hour"),
        ("      group: pipeline-training\n", "", "no concurrency group"),
        ("run: sentiment-platform run bootstrap_job", "run: python train.py", "pipeline logic"),
        (
            "run: sentiment-platform run bootstrap_job",
            "run: |\n          true\n          true\n          true\n          true",
            "4 lines",
        ),
        ("run: sentiment-platform run bootstrap_job", "run: echo ${{ github.actor }}", "inside a script"),
        ("          persist-credentials: false\n", "          fetch-depth: 1\n", "keeps its credentials"),
        ("ubuntu-24.04", "ubuntu-latest", "moving image"),
    ],
)
def test_a_workflow_that_breaks_a_rule_is_seen(written: str, instead: str, seen: str) -> None:
    assert written in PIPELINE.text
    found = problems(Workflow.parse("changed.yml", PIPELINE.text.replace(written, instead)), only_platform_commands=True)
    assert any(seen in text for text in found), found


def test_the_schedule_starts_a_pass_and_every_choice_exactly_one_job() -> None:
    assert _started_by(github={"event_name": "schedule"}, vars=SET_UP) == ["run"]
    choices = PIPELINE.events["workflow_dispatch"]["inputs"]["job"]["options"]
    dispatched = {"event_name": "workflow_dispatch"}
    by_choice = {choice: _started_by(github=dispatched, inputs={"job": choice}) for choice in choices}
    assert by_choice == {choice: ["train" if choice == "train_job" else "run"] for choice in choices}
    assert set(choices) <= {"tick", *(job.name for job in defs.resolve_all_job_defs())}


def test_what_a_pass_leaves_is_trained_and_only_that() -> None:
    after = {"needs": {"run": {"outputs": {"waiting": "train_job"}}}}
    assert "train" in _started_by(github={"event_name": "schedule"}, vars=SET_UP, **after)
    assert "train" not in _started_by(github={"event_name": "schedule"}, vars=SET_UP, needs={"run": {"outputs": {"waiting": ""}}})
    # Of what schedules and sensors start, one job trains; that one stays in the queue.
    started = {schedule.job_name for schedule in defs.schedules or ()} | {  # type: ignore[union-attr]
        target.job_name for sensor in defs.sensors or () for target in sensor.targets
    }
    assert {name for name in started if TRAINS in defs.resolve_job_def(name).tags} == {"train_job"}


def test_no_job_waits_behind_another_whose_place_it_would_lose() -> None:
    """GitHub keeps one waiting job a group, the newest: what waits may only be replaced by its like."""
    groups = {job.name: job.document["concurrency"]["group"] for job in PIPELINE.jobs}
    assert groups == {"run": "pipeline-${{ inputs.job || 'tick' }}", "train": "pipeline-training"}
    assert not any(job.document["concurrency"]["cancel-in-progress"] for job in PIPELINE.jobs)


@pytest.mark.parametrize("variables", [{}, {**SET_UP, "PIPELINE_SCHEDULES": "off"}], ids=["nothing set up", "switched off"])
def test_the_schedules_of_a_fork_start_nothing_until_it_is_set_up_or_where_a_daemon_runs(variables: dict[str, str]) -> None:
    scheduled = {"github": {"event_name": "schedule"}, "vars": variables}
    assert [job.name for workflow in (PIPELINE, KEEP_ALIVE) for job in workflow.jobs_for(scheduled)] == []
    assert _started_by(github={"event_name": "workflow_dispatch"}, inputs={"job": "train_job"}, vars=variables) == ["train"]


def test_every_schedule_is_enabled_again_long_before_github_switches_it_off() -> None:
    (step,) = KEEP_ALIVE.jobs[0].steps
    scheduled = [workflow.name for workflow in load(FOLDER) if "schedule" in workflow.events]
    assert sorted(re.findall(r"gh workflow enable (\S+)", step["run"])) == sorted(scheduled) == sorted(WORKFLOWS)
    # Twice a month: of 60 days, four tries, should GitHub drop some.
    assert KEEP_ALIVE.events["schedule"] == [{"cron": "19 5 1,15 * *"}]


def test_a_heartbeat_is_told_of_a_pass_alone() -> None:
    """Of one that went well: a failed step ends its job, and the monitor waits in vain."""
    (job,) = (job for job in PIPELINE.jobs if job.name == "run")
    (told,) = (step for step in job.steps if "curl" in step.get("run", ""))
    tick, after = job.steps.index(next(step for step in job.steps if step.get("id") == "tick")), job.steps.index(told)
    assert after == tick + 1
    url = {"PIPELINE_HEARTBEAT_URL": "https://monitor.example/abc"}
    for passed in ({}, {"job": "tick"}):
        assert evaluate(told["if"], {"env": url, "inputs": passed})
    assert not evaluate(told["if"], {"env": url, "inputs": {"job": "market_job"}})
    assert not evaluate(told["if"], {"env": {"PIPELINE_HEARTBEAT_URL": ""}, "inputs": {}})


def lint(folder: Path) -> list[tuple[int, str]]:
    """What GitHub's schema and zizmor say of the workflows of `folder`; neither asks the network."""
    files = [str(path) for path in sorted(folder.iterdir())]
    lines = [
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows", *files],
        [str(Path(sys.executable).with_name("zizmor")), "--offline", "--quiet", "--no-progress", str(folder)],
    ]
    ended = [subprocess.run(line, capture_output=True, text=True, timeout=60, check=False) for line in lines]
    return [(one.returncode, one.stdout + one.stderr) for one in ended]


def test_the_workflows_are_clean_for_the_linters_and_these_see_a_planted_fault(tmp_path: Path) -> None:
    for status, said in lint(FOLDER):
        assert status == 0, said
    planted = PIPELINE.text.replace("timeout-minutes: 40", "timeout-minuts: 40").replace(
        'run: sentiment-platform run "$JOB"', "run: sentiment-platform run ${{ inputs.job }} ${{ github.event.issue.title }}"
    )
    folder = tmp_path / ".github" / "workflows"
    folder.mkdir(parents=True)
    (folder / "pipeline.yml").write_text(planted)
    (schema, of_schema), (zizmor, of_zizmor) = lint(folder)
    assert schema != 0
    assert "timeout-minuts" in of_schema
    assert zizmor != 0
    assert "template-injection" in of_zizmor


def test_setup_hands_over_every_secret_and_variable_that_the_workflows_read_and_the_readme_counts_them() -> None:
    text = "\n".join(workflow.text for workflow in load(FOLDER))
    keys = vendor_keys(Settings.from_environment({}), {})
    assert set(re.findall(r"secrets\.(\w+)", text)) == {*NEEDED_SECRETS, *OPTIONAL_SECRETS, *keys, "GITHUB_TOKEN"}
    assert set(re.findall(r"vars\.(\w+)", text)) == {*VARIABLES, "PIPELINE_SCHEDULES"}
    readme = " ".join((ROOT / "README.md").read_text().split())
    counts = re.search(
        r"It needs (\w+) secrets and (\w+) variable; (\w+) more secrets and (\w+) more variables are optional", readme
    )
    assert counts
    expected = (len(NEEDED_SECRETS), 1, len(OPTIONAL_SECRETS) + len(keys), len(VARIABLES))
    assert tuple(NUMBERS.index(word) for word in counts.groups()) == expected


def test_every_variable_that_a_workflow_sets_is_a_setting() -> None:
    known = {variable for variable, _, _ in documentation()} | set(vendor_keys(Settings.from_environment({}), {}))
    known |= {"PIPELINE_HEARTBEAT_URL", "GH_TOKEN", "GH_REPO"}
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
    described = Settings.from_environment(dict.fromkeys(SECRETS, "value-of-the-secret")).describe()
    settings = {variable for variable, _, _ in documentation()}
    assert {name: described[name] for name in SECRETS & settings} == dict.fromkeys(SECRETS & settings, "********")
