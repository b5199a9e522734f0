"""Claims about GET /monitoring/alerts (its form, its order, its bounds), and about acknowledging what is open."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest
from sqlalchemy import Engine

from sentiment_platform.store.api_keys import create_key
from sentiment_platform.store.incidents import Incident, claim_message, mark_failed, open_incident, resolve_incident
from sentiment_platform_tests.serving.conftest import StartServing

KEY = "an-admin-key-of-the-tests"
NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def seed(engine: Engine) -> None:
    """Five incidents (one a warning), opened a minute apart; the first three were resolved by one evaluation. One sink has refused one message."""
    with engine.begin() as connection:
        for number in range(5):
            incident = Incident(
                fingerprint=f"disk-{number}",
                category="system",
                severity="critical" if number < 4 else "warning",
                source="tests" if number < 4 else "sources_are_fresh",
                summary=f"Disk {number} is full.",
                detail={"free": number},
            )
            open_incident(connection, incident, NOW + timedelta(minutes=number))
        for number in range(3):
            resolve_incident(connection, f"disk-{number}", NOW + timedelta(hours=1))
        message = claim_message(connection, NOW + timedelta(hours=1))
        assert message is not None
        mark_failed(connection, message, "the sink of the tests answers 500", NOW + timedelta(hours=2))


def test_open_incidents_come_first_then_the_resolved_ones_page_by_page(engine: Engine, start_serving: StartServing) -> None:
    serving = start_serving(ready=False)
    path = "/monitoring/alerts"
    serving.wait_until(lambda: serving.answers(path))

    def rows(**asked: Any) -> list[dict[str, Any]]:
        reply = serving.client.get(path, params=asked)
        assert reply.status_code == 200, reply.text
        return reply.json()["incidents"]

    assert rows() == []  # the control
    seed(engine)
    incidents = rows()
    assert [row["fingerprint"] for row in incidents] == ["disk-4", "disk-3", "disk-2", "disk-1", "disk-0"]
    assert [row["resolved_at"] is None for row in incidents] == [True, True, False, False, False]
    assert [row for page in range(5) for row in rows(limit=2, offset=2 * page)] == incidents
    shown = {
        "id",
        "fingerprint",
        "class",
        "severity",
        "source",
        "summary",
        "remedy",
        "detail",
        "opened_at",
        "last_seen_at",
        "resolved_at",
        "acknowledgement",
    }
    assert set(incidents[0]) == shown
    assert (incidents[0]["class"], incidents[0]["detail"], incidents[0]["opened_at"]) == (
        "system",
        {"free": 4},
        "2026-03-02T09:34:00Z",
    )
    assert "news sources" in incidents[0]["remedy"]
    assert incidents[1]["remedy"] == "See the runbook."
    assert serving.client.get(path, params={"limit": 1}).json()["open"] == {"critical": 1, "warning": 1, "acknowledged": 0}
    assert "sink" not in serving.client.get(path).text  # how messages are delivered is nobody's business here

    for asked in ({"limit": 0}, {"limit": 201}, {"offset": -1}, {"offset": 10_001}, {"limit": "all"}):
        refused = serving.client.get(path, params=asked)
        assert (refused.status_code, refused.headers["content-type"]) == (400, "application/problem+json"), asked

    document = serving.client.get("/schema/openapi.json").json()
    described = document["paths"][path]["get"]
    assert {parameter["name"] for parameter in described["parameters"]} == {"limit", "offset"}
    assert {"200", "400", "503", "default"} <= set(described["responses"])
    schema = {**described["responses"]["200"]["content"]["application/json"]["schema"], "components": document["components"]}
    jsonschema.validate(serving.client.get(path).json(), schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"incidents": "none"}, schema)


def test_an_alert_is_acknowledged_by_name_shown_so_by_every_replica_and_stays_open(
    engine: Engine, start_serving: StartServing, tmp_path: Path
) -> None:
    serving = start_serving(ready=False, SENTIMENT_ADMIN_KEY=KEY)
    path = "/monitoring/alerts"
    serving.wait_until(lambda: serving.answers(path))
    seed(engine)
    incidents = serving.client.get(path).json()["incidents"]
    warned, over = incidents[0], incidents[-1]
    with engine.begin() as connection:
        ada = create_key(connection, "admin", "ada")

    def say(incident: str, key: str = ada, **body: Any) -> httpx.Response:
        return serving.client.post(f"{path}/{incident}/ack", json=body, headers={"X-API-Key": key} if key else {})

    def shown() -> tuple[Any, dict[str, int]]:
        body = serving.client.get(path).json()
        return next(row["acknowledgement"] for row in body["incidents"] if row["id"] == warned["id"]), body["open"]

    tried = say(warned["id"], note="on it", dry_run=True).json()
    assert (tried["changed"], tried["dry_run"], tried["incident"]["acknowledgement"]["note"]) == (True, True, "on it")
    for refused, status, code in (
        (say(warned["id"], key=""), 401, "key_missing"),
        (say(warned["id"], key="nonsense"), 401, "key_invalid"),
        (say("0" * 32), 404, "unknown_alert"),
        (say("0" * 32, dry_run=True), 404, "unknown_alert"),
        (say(over["id"]), 409, "already_resolved"),
        (say("nonsense"), 400, "invalid_request"),
        (say(warned["id"], note="x" * 1001), 400, "invalid_request"),
        (say(warned["id"], name="grace"), 400, "invalid_request"),
    ):
        assert (refused.status_code, refused.json()["code"]) == (status, code), refused.text
    assert shown() == (None, {"critical": 1, "warning": 1, "acknowledged": 0}), "nothing of that was stored"

    done = say(warned["id"], note="on it").json()
    acknowledgement = done["incident"]["acknowledgement"]
    assert (done["changed"], acknowledgement["note"], acknowledgement["severity"]) == (True, "on it", "warning")
    assert acknowledgement["by"].startswith("ada (")
    again = say(warned["id"], note="on it").json()
    assert (again["changed"], again["incident"]["acknowledgement"]) == (False, acknowledgement)
    assert shown() == (acknowledgement, {"critical": 1, "warning": 1, "acknowledged": 1})
    assert say(warned["id"], key=KEY).json()["incident"]["acknowledgement"]["by"] == "configured admin"
    replica = start_serving(ready=False, SENTIMENT_STATE_DIR=str(tmp_path / "replica"))
    replica.wait_until(lambda: replica.answers(path))
    told = replica.client.get(path).json()
    assert (told["incidents"][0]["acknowledgement"], told["incidents"][0]["resolved_at"]) == (shown()[0], None)
