"""`sentiment-platform run` over a database that others use too: what its process leaves behind, however it ends.

A registry that accepts connections and never answers keeps `deploy_job` in its step, and so in the pool `promotion`.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import pytest
import yaml
from sqlalchemy import Engine, text

from sentiment_platform.local.session import session
from sentiment_platform.run_tags import HOST, LAUNCHED, PROCESS, PROCESS_START
from sentiment_platform.running.dead_runs import (
    FREE_AFTER_END_S,
    MAX_RUNTIME_S,
    end_dead_runs,
    end_runs_of_the_daemon,
)
from sentiment_platform.running.headless import dagster_instance
from sentiment_platform.running.run_owner import owner_is_gone, owner_tags
from sentiment_platform.running.run_signals import RunInterrupted, interruptible
from sentiment_platform.settings import Settings
from sentiment_platform.store.engine import create_platform_engine

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
COMMAND = [str(Path(sys.executable).with_name("sentiment-platform")), "run", "deploy_job"]
WAIT_LIMIT_S = 60


@dg.op
def nothing() -> None: ...


@dg.job
def some_job() -> None:
    nothing()


@pytest.fixture
def silent_registry() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0), backlog=50) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/api/v3"


@pytest.fixture
def shared(settings: Settings, silent_registry: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The environment of a machine whose database, Redis and registry are elsewhere."""
    monkeypatch.chdir(ROOT)
    variables = {
        "SENTIMENT_STATE_DIR": str(settings.state_dir),
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "SENTIMENT_REGISTRY_REPOSITORY": settings.registry_repository,
        "SENTIMENT_REGISTRY_TOKEN": settings.registry_token,
        "SENTIMENT_REGISTRY_URL": silent_registry,
        "SENTIMENT_SIGNING_KEYS": settings.signing_keys,
        "SENTIMENT_PUBLIC_KEYS": settings.public_keys,
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value or "")
    return settings


@contextmanager
def running() -> Generator["subprocess.Popen[str]"]:
    with subprocess.Popen(COMMAND, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + WAIT_LIMIT_S
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


def in_pool(instance: dg.DagsterInstance) -> tuple[set[str], set[str]]:
    """Ids of the runs that have a place in the pool, and of those that wait for one."""
    found = instance.event_log_storage.get_concurrency_info("promotion")
    return {slot.run_id for slot in found.claimed_slots}, {
        step.run_id for step in found.pending_steps if step.assigned_timestamp is None
    }


def status(instance: dg.DagsterInstance, run_id: str) -> str:
    run = instance.get_run_by_id(run_id)
    assert run is not None
    return run.status.value


def crowding() -> float:
    """How many processes there are for each core, at least 1: beside others everything takes longer."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


def ends_by(process: "subprocess.Popen[str]", number: signal.Signals) -> tuple[int, float]:
    """Exit status, and seconds from the signal to the end."""
    started = time.monotonic()
    process.send_signal(number)
    return process.wait(WAIT_LIMIT_S), time.monotonic() - started


def test_a_run_that_is_killed_or_interrupted_leaves_its_pool_to_the_next(shared: Settings) -> None:
    with session(), dagster_instance() as instance:
        with running() as holder:
            wait_until(lambda: bool(in_pool(instance)[0]), "nobody holds the pool")
            ((held,), _) = in_pool(instance)
            for number, expected in ((signal.SIGTERM, 143), (signal.SIGINT, 130)):
                with running() as waiting:
                    wait_until(lambda: bool(in_pool(instance)[1]), "nobody waits for the pool")
                    (_, (waits,)) = in_pool(instance)
                    exit_status, seconds = ends_by(waiting, number)
                assert (exit_status, status(instance, waits)) == (expected, "CANCELED")
                assert seconds < 2 * crowding()
                assert in_pool(instance) == ({held}, set())
            # The control: another command finds the holder alive and leaves it alone.
            with session():
                assert status(instance, held) == "STARTED"
            # Nor is it one of the daemon's, whether that lives or not.
            assert end_runs_of_the_daemon(shared.database_url) == []
            assert status(instance, held) == "STARTED"
            holder.kill()
        assert (status(instance, held), in_pool(instance)[0]) == ("STARTED", {held})
        said: list[str] = []
        with session(log=said.append):
            assert (status(instance, held), in_pool(instance)[0]) == ("FAILURE", set())
        assert [line for line in said if held in line and "ended before the run did" in line]

        with running() as holder:
            wait_until(lambda: bool(in_pool(instance)[0]), "nobody holds the pool")
            ((held,), _) = in_pool(instance)
            exit_status, seconds = ends_by(holder, signal.SIGINT)
        assert (exit_status, status(instance, held), in_pool(instance)) == (130, "CANCELED", (set(), set()))
        assert seconds < 2 * crowding()


def test_runs_of_other_hosts_are_closed_after_the_limit_and_not_before(shared: Settings) -> None:
    gone = owner_tags() | {PROCESS: owner_tags()[PROCESS].replace(str(os.getpid()), "4194305")}
    elsewhere = gone | {HOST: "another 0123"}
    with session() as settings, dagster_instance() as instance:
        here, other, untagged, living = (
            instance.create_run_for_job(some_job, tags=tags).run_id for tags in (gone, elsewhere, {}, owner_tags())
        )
        assert end_dead_runs(settings.database_url or "") == [here]
        assert end_dead_runs(settings.database_url or "") == []
        engine = create_platform_engine(settings.database_url or "")
        age_all_runs(engine, MAX_RUNTIME_S - 60)
        assert end_dead_runs(settings.database_url or "") == []
        age_all_runs(engine, 120)
        engine.dispose()
        assert set(end_dead_runs(settings.database_url or "")) == {other, untagged, living}


def test_only_the_runs_that_a_daemon_had_started_end_with_it(shared: Settings) -> None:
    states = dg.DagsterRunStatus
    with session(), dagster_instance() as instance:

        def begun(state: dg.DagsterRunStatus, tags: dict[str, str]) -> str:
            run = instance.create_run_for_job(some_job, tags=tags)
            moved = {states.STARTING: "PIPELINE_STARTING", states.STARTED: "PIPELINE_START"}
            if state in moved:
                event = dg.DagsterEvent(event_type_value=moved[state], job_name=run.job_name)
                instance.report_dagster_event(event, run_id=run.run_id)
            assert status(instance, run.run_id) == state.value
            return run.run_id

        launched = begun(states.STARTED, {LAUNCHED: "{}"})
        launching = begun(states.STARTING, {})
        living = begun(states.STARTED, owner_tags())
        untagged = begun(states.NOT_STARTED, {})
        assert set(end_runs_of_the_daemon(shared.database_url)) == {launched, launching}
        assert end_runs_of_the_daemon(shared.database_url) == []
        assert [status(instance, run) for run in (launched, launching)] == ["FAILURE", "FAILURE"]
        # The control: a command's run, alive in this process, and one that nobody has begun stay open.
        assert [status(instance, run) for run in (living, untagged)] == ["STARTED", "NOT_STARTED"]


def age_all_runs(engine: Engine, seconds: int) -> None:
    with engine.begin() as connection:
        connection.execute(
            text("UPDATE dagster.runs SET create_timestamp = create_timestamp - make_interval(secs => :s)"), {"s": seconds}
        )


@pytest.mark.parametrize(
    ("changed", "gone"),
    [
        ({}, False),
        ({PROCESS: "4194305 {namespace}"}, True),
        ({PROCESS: "4194305 pid:[1]"}, False),
        ({PROCESS_START: "{boot} 1"}, True),
        ({PROCESS_START: "another-boot 1"}, True),
        ({HOST: "another 0123", PROCESS_START: "another-boot 1"}, False),
        ({PROCESS_START: ""}, False),
    ],
    ids=[
        "this one",
        "no such process",
        "another container's",
        "number used again",
        "before a restart",
        "another host",
        "untagged",
    ],
)
def test_a_process_is_gone_only_where_this_machine_can_tell(changed: dict[str, str], gone: bool) -> None:
    tags = owner_tags()
    names = {"namespace": tags[PROCESS].partition(" ")[2], "boot": tags[PROCESS_START].partition(" ")[0]}
    assert owner_is_gone(tags | {key: value.format(**names) for key, value in changed.items()}) is gone


def test_the_limits_are_those_of_the_dagster_instance() -> None:
    monitoring = yaml.safe_load((ROOT / "dagster.yaml").read_text())["run_monitoring"]
    assert monitoring["max_runtime_seconds"] == MAX_RUNTIME_S
    assert monitoring["free_slots_after_run_end_seconds"] == FREE_AFTER_END_S


def waits_as_dagster_does() -> None:
    """Dagster's own handlers only take note while a step waits for its pool."""
    signal.signal(signal.SIGTERM, lambda *_: None)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(30)


def test_after_a_signal_the_handlers_are_as_they_were() -> None:
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)
    before = [signal.getsignal(number) for number in numbers]
    told: list[bool] = []
    with pytest.raises(RunInterrupted) as raised, interruptible(lambda: told.append(True)):
        waits_as_dagster_does()
    assert (raised.value.exit_status, told) == (143, [True])
    assert [signal.getsignal(number) for number in numbers] == before
    assert signal.set_wakeup_fd(-1) == -1
