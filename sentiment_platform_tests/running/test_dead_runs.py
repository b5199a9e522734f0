"""Runs that died with their stack: an interrupted training once kept every later one waiting for its pool, without a word."""

import subprocess
import sys
import time
from pathlib import Path

import dagster as dg
import pytest

from sentiment_platform.local.session import session
from sentiment_platform.running.dead_runs import end_interrupted_runs
from sentiment_platform.running.headless import dagster_instance

ROOT = Path(__file__).parents[2]
HOLDING = """
import time
import dagster as dg

@dg.op(pool="training")
def hold():
    print("held", flush=True)
    time.sleep(600)

@dg.job(executor_def=dg.in_process_executor)
def holding_job():
    hold()

with dg.DagsterInstance.get() as instance:
    holding_job.execute_in_process(instance=instance)
"""


@dg.op(pool="training")
def take() -> int:
    return 1


@dg.job(executor_def=dg.in_process_executor)
def taking_job() -> None:
    take()


def holders(instance: dg.DagsterInstance) -> set[str]:
    """Ids of the runs that have a place in the pool, or wait for one."""
    found = instance.event_log_storage.get_concurrency_info("training")
    return {slot.run_id for slot in found.claimed_slots} | {step.run_id for step in found.pending_steps}


@pytest.mark.slow
def test_a_run_that_died_with_the_stack_is_closed_and_its_pool_is_free_again(
    servers_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = servers_dir / "interrupted"
    state.mkdir()
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("SENTIMENT_STATE_DIR", str(state))
    with session(join=False), dagster_instance() as instance:
        ended = taking_job.execute_in_process(instance=instance).run_id
        with subprocess.Popen([sys.executable, "-c", HOLDING], stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "held\n"
            process.kill()
        # The control: nothing of Dagster notices.
        (died,) = [run for run in instance.get_runs() if run.run_id != ended]
        assert (died.status, holders(instance)) == (dg.DagsterRunStatus.STARTED, {died.run_id})
    said: list[str] = []
    with session(join=False, log=said.append), dagster_instance() as instance:
        statuses = {run.run_id: run.status for run in instance.get_runs()}
        assert statuses == {ended: dg.DagsterRunStatus.SUCCESS, died.run_id: dg.DagsterRunStatus.FAILURE}
        assert [line for line in said if died.run_id in line and "interrupted" in line]
        assert holders(instance) == set()
        started = time.monotonic()
        assert taking_job.execute_in_process(instance=instance).success
        assert time.monotonic() - started < 30


def test_a_stack_that_another_process_joins_closes_nothing(servers_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = servers_dir / "joined"
    state.mkdir()
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("SENTIMENT_STATE_DIR", str(state))
    with session(join=False), dagster_instance() as instance:
        alive = instance.create_run_for_job(taking_job)
        joining = "from sentiment_platform.local.session import session\nwith session(): pass"
        subprocess.run([sys.executable, "-c", joining], check=True, timeout=60)
        run = instance.get_run_by_id(alive.run_id)
        assert run is not None
        assert run.status == dg.DagsterRunStatus.NOT_STARTED


def test_a_database_without_runs_has_nothing_to_close(empty_database_url: str) -> None:
    assert end_interrupted_runs(empty_database_url) == []
