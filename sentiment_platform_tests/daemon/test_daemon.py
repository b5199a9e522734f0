"""The real dagster-daemon, its code server and run workers over the local PostgreSQL: what sensors ask for, once, and what remains.

One story in three chapters over one state folder; a chapter is a start of the stack, and the tests read what it left.
"""

import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from sqlalchemy import Engine, text

from sentiment_platform.errors import ConflictError
from sentiment_platform.labels.examples import LabelledExample
from sentiment_platform.labels.importers import plain
from sentiment_platform.labels.importing import import_labels
from sentiment_platform.labels.sensors import COOL_DOWN, NEW_LABELS
from sentiment_platform.local.demo.sample_data import sample_directory
from sentiment_platform.local.processes.children import Children, pid_path
from sentiment_platform.local.session import session
from sentiment_platform.local.ticking import DAEMON, TickReport, daemon_command, tick_once
from sentiment_platform.running.headless import dagster_instance, run_job
from sentiment_platform.settings import Settings
from sentiment_platform.store.dagster_storage import DAGSTER_SCHEMA
from sentiment_platform.store.engine import create_platform_engine
from sentiment_platform.store.incidents import open_incidents
from sentiment_platform.store.selections import RequestedSelection, open_selection_requests, request_selection
from sentiment_platform_tests.daemon.passing_time import sensors_wait
from sentiment_platform_tests.monitoring.seeding import seed_decision

# The story of three starts is one fixture, and the first test waits for all of it.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
SENSORS = {"late_news_arrived", "retraining_was_decided", "new_labels_arrived", "a_version_was_selected", "a_swap_is_watched"}
DECISION = "decision-of-the-daemon-test"
PASS_LIMIT_S = 240
WAIT_LIMIT_S = 90
LATER = COOL_DOWN + timedelta(hours=1)


@dataclass(frozen=True)
class Story:
    """What each chapter left behind."""

    report: TickReport
    refusal: str
    of_others: dg.DagsterRun | None
    first: list[dg.DagsterRun]
    failed_steps: set[str]
    incidents: dict[str, str]
    after_restart: list[dg.DagsterRun]
    second: list[dg.DagsterRun]
    ticks: dict[str, list[str]]
    still_open: int
    labels_arrived_at: datetime
    labels_cursor: str | None
    labels_versions: dict[str, str]


@contextmanager
def started(state: Path) -> Generator[tuple[Settings, dg.DagsterInstance]]:
    with session(join=False) as settings, dagster_instance() as instance:
        assert settings.state_dir == state
        yield settings, instance


@pytest.fixture(scope="module")
def story(servers_dir: Path) -> Story:
    state, no_checkout = servers_dir / "daemon", servers_dir / "daemon-started-here"
    state.mkdir()
    no_checkout.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(no_checkout)
        patch.setenv("SENTIMENT_STATE_DIR", str(state))
        with started(state) as (settings, instance):
            report, refusal, other = tick_beside_another_process(settings)
            incidents = incidents_of(settings, instance)
            first = list(instance.get_runs())
            of_others = instance.get_run_by_id(other)
            failed_steps = {
                step.step_key
                for run in asked_for(first, "retraining_was_decided")
                for step in instance.get_run_step_stats(run.run_id)
                if step.status is not None and step.status.value == "FAILURE"
            }
        with started(state) as (settings, instance):
            after_restart = list(instance.get_runs())
            ticks, still_open, arrived_at = select_the_running_version(settings, instance)
            second = list(instance.get_runs())
            cursor = cursor_of(instance, "new_labels_arrived")
            versions = versions_of_labels(instance, second)
    return Story(
        report,
        refusal,
        of_others,
        first,
        failed_steps,
        incidents,
        after_restart,
        second,
        ticks,
        still_open,
        arrived_at,
        cursor,
        versions,
    )


def tick_beside_another_process(settings: Settings) -> tuple[TickReport, str, str]:
    """One pass with an open decision to train again; one text is labelled, so that the run it asks for can only fail."""
    engine = create_platform_engine(settings.require("database_url"))
    label = {"label_set": "one", "external_id": "1", "label": "positive", "annotator": "eve", "licence": "CC0-1.0"}
    import_labels(engine, [LabelledExample(text="Profit rose", **label)])  # type: ignore[arg-type]
    seed_decision(engine, DECISION, datetime.now(UTC))
    engine.dispose()
    command = [str(Path(sys.executable).with_name("sentiment-platform")), "run", "monitor_job"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as other:
        report = tick_once(PASS_LIMIT_S)
        said, _ = other.communicate(timeout=60)
    assert other.returncode == 0, said
    with Children(settings.state_dir) as children:
        children.start(DAEMON, daemon_command())
        wait_until(pid_path(settings.state_dir, DAEMON).exists, "the daemon has no pid file")
        with pytest.raises(ConflictError) as refused:
            tick_once(PASS_LIMIT_S)
    return report, str(refused.value), said.rpartition("(run ")[2].strip(" )\n")


def incidents_of(settings: Settings, instance: dg.DagsterInstance) -> dict[str, str]:
    """Fingerprint -> summary of what is open once the job that looks has looked."""
    assert run_job(instance, "alert_job", log_level="ERROR").success
    engine = create_platform_engine(settings.require("database_url"))
    with engine.connect() as connection:
        found = {incident.fingerprint: incident.summary for incident in open_incidents(connection)}
    engine.dispose()
    return found


def select_the_running_version(settings: Settings, instance: dg.DagsterInstance) -> tuple[dict[str, list[str]], int, datetime]:
    """A first deployment without a daemon; then a daemon finds that somebody selected what runs, and that labels have arrived, while
    the old decision is settled.
    """
    engine = create_platform_engine(settings.require("database_url"))
    import_labels(engine, plain(sample_directory() / "headlines.csv", "sample", "Apache-2.0").examples)
    outcome = run_job(instance, "baseline_job", log_level="ERROR")
    assert outcome.success, outcome.failures
    selection = RequestedSelection(
        request_id="r-1",
        family="vader",
        version=str(outcome.metadata["vader_model"]["version"]),
        actor="dana",
        reason="a look at the old one",
        requested_at=datetime.now(UTC),
    )
    with engine.begin() as connection:
        request_selection(connection, selection)
    arrived_at = labels_arrive(engine)
    sensors_wait(instance, LATER)
    since = time.time()

    def open_requests() -> int:
        with engine.connect() as connection:
            return len(open_selection_requests(connection))

    with Children(settings.state_dir) as children:
        children.start(DAEMON, daemon_command())
        looked = {"retraining_was_decided", "a_version_was_selected", "new_labels_arrived"}
        wait_until(lambda: looked <= set(ticks_since(instance, since)) and not open_requests(), "no sensor settled the request")
        wait_until(lambda: not unfinished(instance), "runs do not end")
    left = open_requests()
    engine.dispose()
    return ticks_since(instance, since), left, arrived_at


def labels_arrive(engine: Engine) -> datetime:
    """Enough of them, long after the last run of the job; all of one kind, so that the run they ask for ends at the training set."""
    new = [
        LabelledExample(
            label_set="late",
            external_id=str(n),
            text=f"Profit of unit {n} rose",
            label="positive",
            annotator="eve",
            licence="CC0-1.0",
        )
        for n in range(NEW_LABELS)
    ]
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM platform.labels"))
        later = text(f"UPDATE {DAGSTER_SCHEMA}.runs SET create_timestamp = create_timestamp - :later")
        connection.execute(later, {"later": LATER})
    assert import_labels(engine, new) == NEW_LABELS
    with engine.connect() as connection:
        return connection.execute(text("SELECT max(inserted_at) FROM platform.labels")).scalar_one()


def versions_of_labels(instance: dg.DagsterInstance, runs: list[dg.DagsterRun]) -> dict[str, str]:
    """Who made asset `labels` -> the data version it got: the first run of all, the daemon, and a command after the daemon."""
    (by_daemon,) = asked_for(runs, "new_labels_arrived")
    (before,) = (run for run in runs if run.job_name == "baseline_job")
    again = run_job(instance, "train_job", log_level="CRITICAL")
    assert not again.success, "there is nothing to train on: it ends where the daemon's run ended"
    made = {"before": before.run_id, "daemon": by_daemon.run_id, "command": again.run_id}
    return {who: data_version(instance, run_id, "labels") for who, run_id in made.items()}


def data_version(instance: dg.DagsterInstance, run_id: str, asset: str) -> str:
    """What `dagster/data_version` says on the materialization of `asset` in a run."""
    logged = instance.all_logs(run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION)
    (made,) = (
        entry.asset_materialization
        for entry in logged
        if entry.asset_materialization and entry.asset_materialization.asset_key == dg.AssetKey(asset)
    )
    return (made.tags or {})["dagster/data_version"]


def cursor_of(instance: dg.DagsterInstance, sensor: str) -> str | None:
    (state,) = (state for state in instance.all_instigator_state() if state.instigator_name == sensor)
    return getattr(state.instigator_data, "cursor", None)


def wait_until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + WAIT_LIMIT_S
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.5)


def ticks_since(instance: dg.DagsterInstance, moment: float) -> dict[str, list[str]]:
    """Name of each sensor or schedule -> what became of its ticks, the oldest first."""
    found: dict[str, list[str]] = {}
    for state in instance.all_instigator_state():
        ticks = instance.get_ticks(state.instigator_origin_id, state.selector_id, after=moment)
        if ended := [tick.status.value for tick in reversed(ticks) if tick.status.value != "STARTED"]:
            found[state.instigator_name] = ended
    return found


def unfinished(instance: dg.DagsterInstance) -> bool:
    return any(not run.is_finished for run in instance.get_runs())


def asked_for(runs: list[dg.DagsterRun], sensor: str) -> list[dg.DagsterRun]:
    return [run for run in runs if run.tags.get("dagster/sensor_name") == sensor]


def test_one_pass_ticks_every_sensor_and_every_part_of_the_daemon(story: Story) -> None:
    assert set(story.report.sensors) == SENSORS
    assert story.report.sensors["retraining_was_decided"].startswith(("SKIPPED, SUCCESS", "SUCCESS"))
    assert story.report.sensors["new_labels_arrived"] == "SKIPPED"
    assert {"SENSOR", "SCHEDULER", "QUEUED_RUN_COORDINATOR", "MONITORING"} <= set(story.report.daemons)
    assert story.report.failed_ticks == ()


def test_a_decision_asks_for_one_run_and_a_run_that_cannot_succeed_is_not_asked_for_again(story: Story) -> None:
    (run,) = asked_for(story.first, "retraining_was_decided")
    assert (run.job_name, run.status) == ("train_job", dg.DagsterRunStatus.FAILURE)
    assert story.failed_steps == {"training_set"}
    assert (run.tags["decision"], run.tags["trigger"]) == (DECISION, "data_drift")
    assert story.report.failed >= 1
    # Not in the pass that asked for it, and not by the daemon that was started later.
    assert [run.run_id for run in asked_for(story.second, "retraining_was_decided")] == [run.run_id]
    assert set(story.ticks["retraining_was_decided"]) == {"SKIPPED"}


def test_the_run_that_failed_is_an_incident_and_the_one_that_did_not_is_none(story: Story) -> None:
    (run,) = asked_for(story.first, "retraining_was_decided")
    assert story.incidents["run:train_job"] == f"The newest run of train_job failed in training_set, run {run.run_id}."
    assert "run:monitor_job" not in story.incidents


def test_two_processes_share_the_runs(story: Story) -> None:
    assert story.of_others is not None
    assert (story.of_others.job_name, story.of_others.status) == ("monitor_job", dg.DagsterRunStatus.SUCCESS)
    assert story.of_others.run_id not in {run.run_id for run in asked_for(story.first, "retraining_was_decided")}


def test_a_restart_keeps_the_history(story: Story) -> None:
    assert len(story.first) >= 2
    assert {run.run_id: run.status for run in story.after_restart} == {run.run_id: run.status for run in story.first}


def test_a_selection_becomes_one_run_of_the_job_that_publishes(story: Story) -> None:
    (run,) = asked_for(story.second, "a_version_was_selected")
    assert (run.job_name, run.status, run.tags["actor"]) == ("deploy_job", dg.DagsterRunStatus.SUCCESS, "dana")
    assert story.still_open == 0
    assert story.ticks["a_version_was_selected"].count("SUCCESS") == 1


def test_new_labels_ask_for_one_run_and_not_for_another(story: Story) -> None:
    (run,) = asked_for(story.second, "new_labels_arrived")
    assert (run.job_name, run.tags["trigger"]) == ("train_job", "new_labels")
    assert run.tags["reason"].startswith(f"{NEW_LABELS} new labels since ")
    # That it failed is no cause to ask again: what has been acted on is counted no more.
    assert run.status == dg.DagsterRunStatus.FAILURE
    assert story.ticks["new_labels_arrived"].count("SUCCESS") == 1
    assert datetime.fromisoformat(story.labels_cursor or "") == story.labels_arrived_at


def test_an_asset_made_by_a_command_has_the_data_version_that_the_daemon_gave_it(story: Story) -> None:
    assert story.labels_versions["command"] == story.labels_versions["daemon"]
    # The control: other labels are another version.
    assert story.labels_versions["before"] != story.labels_versions["daemon"]


def test_a_second_daemon_on_the_same_folder_is_refused(story: Story) -> None:
    assert "already runs" in story.refusal
