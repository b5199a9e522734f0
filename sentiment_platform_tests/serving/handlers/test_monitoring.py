"""Claims about GET /monitoring/deployments and GET /monitoring/drift: they show what the database has, every column."""

from typing import Any

import msgspec
from sqlalchemy import Engine, select

from sentiment_platform.registry.deployment import Evidence
from sentiment_platform.store.drift import DriftRow, write_drift_rows
from sentiment_platform.store.tables import DeploymentRow, DriftMetric
from sentiment_platform_tests.serving.conftest import StartServing
from sentiment_platform_tests.serving.publishing import NOW, Publisher
from sentiment_platform_tests.versions import mirror

FIRST, SECOND = "v1.0.0-vader", "v1.0.1-vader"


def in_the_table(engine: Engine, table: Any) -> list[dict[str, Any]]:
    with engine.connect() as connection:
        rows = connection.execute(select(table.__table__)).mappings().all()
    return [msgspec.to_builtins(dict(row)) for row in rows]


def drift_row(version: str, subject: str, part: str = "earlier") -> DriftRow:
    return DriftRow(
        report_id=f"report on {version}, {part}",
        subject=subject,
        test="ks",
        window_start=NOW,
        window_end=NOW,
        reference=f"{version}:{part}",
        n_reference=800,
        n_current=600,
        statistic=0.25,
        p_value=0.001,
        adjusted_p_value=None,
        effect_size=0.25,
        threshold=0.1,
        drifted=True,
    )


def test_deployments_are_the_mirror_newest_first(engine: Engine, publisher: Publisher, start_serving: StartServing) -> None:
    for version in (FIRST, SECOND):
        publisher.deploy(publisher.model(version))
    shown = start_serving().client.get("/monitoring/deployments").json()["deployments"]
    assert [deployment["revision"] for deployment in shown] == [2, 1]
    for deployment, row in zip(shown, sorted(in_the_table(engine, DeploymentRow), key=lambda row: -row["revision"]), strict=True):
        document = row.pop("document")
        assert {name: deployment[name] for name in row} == row
        said = deployment.keys() & document.keys()
        assert document.keys() - said == {"previous", "schema_version"}
        assert {name: deployment[name] for name in said} == {name: document[name] for name in said}
    assert shown[0]["champions"]["vader"]["version"] == SECOND
    assert [deployment["previous_revision"] for deployment in shown] == [1, None]


def test_figures_of_any_depth_in_a_document_are_shown_and_break_nothing(
    engine: Engine, publisher: Publisher, start_serving: StartServing
) -> None:
    deep = {"a against b": {"guardrails": ["latency"], "n": 3, "by": {"x": 1}}, "list": [1, 2], "flat": 0.5, "none": None}
    document = publisher.deploy(publisher.model(FIRST))
    later = msgspec.structs.replace(
        publisher.document([publisher.model(SECOND)]), evidence=Evidence(("ab_evaluation",), ("run",), deep, "a person's choice")
    )
    mirror(engine, later, document.created_at)
    shown = start_serving().client.get("/monitoring/deployments").json()["deployments"][0]["evidence"]
    assert (shown["asset_keys"], shown["run_ids"], shown["verdict"]) == (["ab_evaluation"], ["run"], "a person's choice")
    assert shown["figures"] == {
        "a against b": {"guardrails": '["latency"]', "n": 3, "by": '{"x":1}'},
        "list": "[1,2]",
        "flat": 0.5,
        "none": None,
    }


def test_drift_is_the_newest_report_of_what_runs_and_of_nothing_else(
    engine: Engine, publisher: Publisher, start_serving: StartServing
) -> None:
    publisher.deploy(publisher.model(FIRST))
    with engine.begin() as connection:
        rows = [drift_row(FIRST, "word_count"), drift_row(SECOND, "word_count"), drift_row(FIRST, "number_count", "train")]
        assert write_drift_rows(connection, rows) == 3
    answer = start_serving().client.get("/monitoring/drift").json()
    assert answer["live_versions"] == [FIRST]
    assert answer["tests"] == [row for row in in_the_table(engine, DriftMetric) if row["reference"] == f"{FIRST}:earlier"]
    assert len(answer["tests"]) == 1
    (fit,) = answer["fits"]
    assert (fit["version"], fit["differs"], fit["texts"]) == (FIRST, ["number_count"], 600)
    assert fit["words"].endswith("This is told once and is no alarm.")
