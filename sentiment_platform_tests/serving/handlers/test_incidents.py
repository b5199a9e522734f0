"""Claims about GET /monitoring/alerts: its form, its order, its bounds."""

from datetime import UTC, datetime, timedelta
from typing import Any

import jsonschema
import pytest
from sqlalchemy import Engine

from sentiment_platform.store.incidents import Incident, claim_message, mark_failed, open_incident, resolve_incident
from sentiment_platform_tests.serving.conftest import StartServing

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
    }
    assert set(incidents[0]) == shown
    assert (incidents[0]["class"], incidents[0]["detail"], incidents[0]["opened_at"]) == (
        "system",
        {"free": 4},
        "2026-03-02T09:34:00Z",
    )
    assert "news sources" in incidents[0]["remedy"]
    assert incidents[1]["remedy"] == "See the runbook."
    assert serving.client.get(path, params={"limit": 1}).json()["open"] == {"critical": 1, "warning": 1}
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
