"""Claims about GET /monitoring/runs and GET /monitoring/decisions: what Dagster itself recorded, and what followed a decision."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from sqlalchemy import Engine, text

from sentiment_platform.run_tags import DECISION, HOST, PARTITION, REASON, TRIGGER
from sentiment_platform.settings import Settings
from sentiment_platform.store.dagster_runs import runs_are_readable
from sentiment_platform.store.dagster_storage import create_dagster_schema, dagster_storage_url
from sentiment_platform_tests.monitoring.seeding import seed_decision
from sentiment_platform_tests.serving.conftest import StartServing
from sentiment_platform_tests.serving.documented import documented_answer, refuses


@dg.asset
def sound() -> None:
    """Succeeds."""


@dg.asset
def broken() -> None:
    """Fails."""
    raise ValueError("broken on purpose")


@pytest.fixture
def instance(settings: Settings, tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """Dagster's instance over the platform's database, as `up` and `run` make it."""
    create_dagster_schema(settings.database_url)
    (tmp_path / "dagster.yaml").write_text(
        f"storage: {{postgres: {{postgres_url: '{dagster_storage_url(settings.database_url)}'}}}}\ntelemetry: {{enabled: false}}\n"
    )
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        yield instance


def run(instance: dg.DagsterInstance, job: str, *assets: dg.AssetsDefinition, **tags: str) -> str:
    defs = dg.Definitions(assets=assets, jobs=[dg.define_asset_job(job, selection="*")])
    return defs.resolve_job_def(job).execute_in_process(instance=instance, tags=tags, raise_on_error=False).run_id


@pytest.mark.slow
def test_runs_are_dagsters_own_with_cause_times_and_the_steps_that_failed(
    engine: Engine, instance: dg.DagsterInstance, start_serving: StartServing
) -> None:
    decided_at = datetime.now(UTC) - timedelta(minutes=1)
    seed_decision(engine, "first", decided_at)
    seed_decision(engine, "quiet", decided_at + timedelta(seconds=1), retrain=False, kinds=())
    tags = {TRIGGER: "data_drift", REASON: "because of first.", DECISION: "first", HOST: "a machine"}
    collected = run(instance, "collect_job", sound, **{PARTITION: "2026-11-23"})
    failed = run(instance, "train_job", sound, broken)
    asked_for = run(instance, "train_job", sound, **tags)
    seed_decision(engine, "open", datetime.now(UTC) + timedelta(minutes=1))
    serving = start_serving(ready=False)
    serving.wait_until(lambda: serving.answers("/monitoring/runs"))

    shown = documented_answer(serving, "/monitoring/runs")
    assert shown["runs_known"]
    assert [(row["run_id"], row["job"], row["status"]) for row in shown["runs"]] == [
        (asked_for, "train_job", "SUCCESS"),
        (failed, "train_job", "FAILURE"),
        (collected, "collect_job", "SUCCESS"),
    ]
    assert [row["failed_steps"] for row in shown["runs"]] == [[], ["broken"], []]
    assert [row["partition"] for row in shown["runs"]] == [None, None, "2026-11-23"]
    assert (shown["runs"][0]["trigger"], shown["runs"][0]["reason"]) == ("data_drift", "because of first.")
    assert "a machine" not in serving.client.get("/monitoring/runs").text
    record = instance.get_run_record_by_id(failed)
    assert record is not None
    assert record.start_time is not None
    assert datetime.fromisoformat(shown["runs"][1]["started_at"]).timestamp() == pytest.approx(record.start_time, abs=1e-3)
    assert abs(datetime.fromisoformat(shown["runs"][1]["created_at"]) - datetime.now(UTC)) < timedelta(minutes=5)
    assert documented_answer(serving, "/monitoring/runs?limit=1&offset=1")["runs"] == [shown["runs"][1]]
    assert refuses(serving, "/monitoring/runs?offset=-1", 400)

    decisions = {row["id"]: row for row in documented_answer(serving, "/monitoring/decisions")["decisions"]}
    assert list(decisions) == ["open", "quiet", "first"]
    assert (decisions["first"]["run"]["run_id"], decisions["first"]["run"]["asked_for"]) == (asked_for, True)
    assert (decisions["quiet"]["run"], decisions["open"]["run"]) == (None, None)
    assert decisions["first"]["reason"] == "because of first."
    assert [cause["kind"] for cause in decisions["first"]["causes"]] == ["data_drift"]


@pytest.mark.slow
def test_where_dagsters_tables_are_missing_or_closed_the_answer_says_so_and_is_no_error(
    engine: Engine, start_serving: StartServing
) -> None:
    seed_decision(engine, "first", datetime.now(UTC))
    serving = start_serving(ready=False)
    serving.wait_until(lambda: serving.answers("/monitoring/runs"))
    shown = documented_answer(serving, "/monitoring/runs")
    assert (shown["runs_known"], shown["runs"]) == (False, [])
    decisions = documented_answer(serving, "/monitoring/decisions")
    assert (decisions["runs_known"], [row["run"] for row in decisions["decisions"]]) == (False, [None])
    assert serving.health()["dependencies"]["postgresql"]["status"] == "ok", "a missing table is no outage"


@pytest.mark.parametrize("closed", ["SCHEMA dagster", "TABLE dagster.event_logs"])
def test_a_role_without_the_right_to_read_them_knows_no_runs(engine: Engine, instance: dg.DagsterInstance, closed: str) -> None:
    del instance
    with engine.connect() as connection:
        assert runs_are_readable(connection)
        connection.execute(text(f"REVOKE ALL ON {closed} FROM CURRENT_USER"))
        assert not runs_are_readable(connection)
