"""The runner runs what a workflow says: conditions, environment, matrix, failure, time limit. On workflows made for it."""

import os
import time
from pathlib import Path

from sentiment_platform_tests.workflows.runner import Outcome, Workflow, run_job

SAMPLE = """
on: workflow_dispatch
env: {LEVEL: workflow, SHARED: "${{ vars.SHARED || 'default' }}"}
jobs:
  tell:
    timeout-minutes: 1
    env: {LEVEL: job, TOKEN: "${{ secrets.TOKEN }}"}
    strategy:
      matrix: {kind: [a, b], size: [1]}
    steps:
      - uses: somebody/something@0000000000000000000000000000000000000000
      - run: pip install -qq -c constraints.txt -e '.[platform]'
      - name: say
        env: {KIND: "${{ matrix.kind }}"}
        run: echo "$LEVEL $SHARED $KIND ${OUTSIDE-unset} $TOKEN"
      - name: fail for b
        run: |
          ls nowhere-$KIND | cat
          echo "not reached"
      - name: after
        run: echo after
"""


def _run(text: str, folder: Path, timeout_s: float = 20) -> list[Outcome]:
    workflow = Workflow.parse("sample.yml", text)
    checkout = folder / "checkout"
    checkout.mkdir()
    contexts = {"secrets": {"TOKEN": "token-of-the-sample"}, "vars": {}}
    return list(run_job(workflow, workflow.jobs[0], contexts, checkout=checkout, path=os.environ["PATH"], timeout_s=timeout_s))


def test_steps_run_for_every_combination_with_the_environment_of_their_levels_and_no_other(tmp_path: Path) -> None:
    os.environ["OUTSIDE"] = "seen"
    try:
        outcomes = _run(SAMPLE.replace("ls nowhere-$KIND | cat", "true"), tmp_path)
    finally:
        del os.environ["OUTSIDE"]
    assert [outcome.step for outcome in outcomes] == ["say", "fail for b", "after"] * 2
    assert outcomes[0].output == "job default a unset token-of-the-sample\n"
    assert outcomes[3].output == "job default b unset token-of-the-sample\n"


def test_a_failing_line_fails_the_step_and_the_steps_after_it_do_not_run(tmp_path: Path) -> None:
    outcomes = _run(SAMPLE, tmp_path)
    assert [(outcome.step, outcome.status == 0) for outcome in outcomes] == [("say", True), ("fail for b", False)] * 2
    assert "not reached" not in outcomes[1].output


def test_a_step_past_its_time_is_ended_with_what_it_started(tmp_path: Path) -> None:
    began = time.monotonic()
    outcomes = _run(SAMPLE.replace('echo "$LEVEL', 'sleep 60 & sleep 60; echo "$LEVEL'), tmp_path, timeout_s=0.5)
    assert [outcome.status for outcome in outcomes] == [124, 124]
    assert time.monotonic() - began < 20


def test_secrets_are_masked_in_what_is_shown(tmp_path: Path) -> None:
    outcome = _run(SAMPLE, tmp_path)[0]
    assert "token-of-the-sample" in outcome.output
    assert outcome.masked({"TOKEN": "token-of-the-sample", "EMPTY": ""}) == "job default a unset ***\n"
