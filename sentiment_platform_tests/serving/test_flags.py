"""A switch that somebody turns holds for every process within 2 s, without a restart, whatever is away; the graph reads it too."""

import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from sentiment_platform.models.transformer.runtime import load_transformer
from sentiment_platform.settings import Settings
from sentiment_platform.store import audit
from sentiment_platform.store.engine import create_platform_engine
from sentiment_platform.store.tables import AuditRow
from sentiment_platform_tests.models.exported_tiny_transformer import export_tiny_transformer
from sentiment_platform_tests.serving.publishing import Publisher
from sentiment_platform_tests.serving.running import ServingProcess

pytestmark = pytest.mark.slow

KEY = {"X-API-Key": "the-configured-key"}
TEXT = "Harbour Mills reports great profit"


@pytest.fixture(scope="module")
def two(module_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[ServingProcess]]:
    """Two processes with the transformer as the default; the second has no Redis."""
    publisher = Publisher(module_settings)
    with TemporaryDirectory() as folder, TemporaryDirectory() as checkpoint:
        export_tiny_transformer(Path(folder), Path(checkpoint))
        finbert = publisher.publish(Path(folder), "v1.0.0-finbert", load_transformer(Path(folder)))
    publisher.deploy(finbert, publisher.model(steepness=0.5))
    publisher.close()
    own = str(tmp_path_factory.mktemp("second"))
    common = {"SENTIMENT_DEADLINE_MS": "20000", "SENTIMENT_ADMIN_KEY": KEY["X-API-Key"]}
    processes = [
        ServingProcess(module_settings, **common),
        ServingProcess(module_settings, SENTIMENT_STATE_DIR=own, REDIS_URL="", **common),
    ]
    try:
        yield [process.start() for process in processes]
    finally:
        for process in processes:
            process.stop()


def turn(serving: ServingProcess, name: str, **body: Any) -> httpx.Response:
    return serving.client.put(f"/flags/{name}", json={"reason": "its answers are wrong", **body}, headers=KEY)


def test_the_transformer_is_off_within_two_seconds_on_both_processes_and_on_again(two: list[ServingProcess]) -> None:
    for process in two:
        assert process.predict(TEXT)["degraded"] is False, "the control: it answers"
    tried = turn(two[0], "transformer", enabled=False, expected=True, dry_run=True)
    assert (tried.json()["enabled"], tried.json()["actor"], tried.json()["dry_run"]) == (False, "configured admin", True)
    assert two[0].predict(TEXT)["degraded"] is False, "a dry run changes nothing"
    reply = turn(two[0], "transformer", enabled=False, expected=True)
    assert (reply.status_code, reply.json()["revision"], reply.json()["dry_run"]) == (200, 1, False), reply.text
    assert two[0].predict(TEXT)["degraded_reason"] == "kill_switch", "at once where it was turned"
    time.sleep(2)
    told = [process.client.get("/flags").json() for process in two]
    assert [answer["here"]["transformer"] for answer in told] == [False, False]
    assert len({answer["replica"] for answer in told}) == 2, "whoever follows a change tells the processes apart"
    for process in two:
        answer = process.predict(TEXT)
        assert (answer["prediction"]["model_used"], answer["degraded_reason"]) == ("vader", "kill_switch")
        refused = process.client.post("/predict/finbert", json={"text": TEXT})
        assert (refused.status_code, refused.json()["code"]) == (503, "kill_switch")
        assert process.predict(TEXT, "/predict/vader")["degraded"] is False
        compared = process.client.post("/predict/compare", json={"text": TEXT}).json()
        assert [family for family, answered in compared["results"].items() if answered] == ["vader"]
        assert compared["missing"] == {"finbert": "kill_switch"}
    late = [
        turn(two[1], name, enabled=False, expected=expected) for name, expected in (("transformer", True), ("collection", False))
    ]
    assert [(reply.status_code, reply.json()["detail"]) for reply in late] == [
        (409, "transformer is off already, by configured admin. Look at GET /flags and decide again."),
        (409, "collection is on already. Look at GET /flags and decide again."),
    ]
    assert turn(two[1], "transformer", enabled=False).json()["revision"] == 1, "the same again changes nothing"
    assert turn(two[1], "nonsense", enabled=False).status_code == 404
    assert two[1].client.put("/flags/transformer", json={"enabled": True, "reason": "no key"}).status_code == 401
    (shown,) = [flag for flag in two[1].client.get("/flags").json()["flags"] if flag["name"] == "transformer"]
    assert (shown["enabled"], shown["actor"], shown["reason"]) == (False, "configured admin", "its answers are wrong")

    trail = two[0].client.get("/audit", params={"limit": 1}, headers=KEY).json()["entries"]
    assert [(entry["action"], entry["subject"], entry["actor"]) for entry in trail] == [
        ("flag:set", "transformer", "configured admin")
    ]
    assert (trail[0]["detail"]["after"], len(trail[0]["hash"])) == (False, 64)
    assert two[0].client.get("/audit").status_code == 401

    # What was known last holds after a restart with Redis and database away.
    assert two[1].terminate() == 0
    alone = ServingProcess(
        two[1].settings,
        **{name: two[1].environment[name] for name in ("SENTIMENT_STATE_DIR", "SENTIMENT_ADMIN_KEY")},
        DATABASE_URL="",
        REDIS_URL="",
    )
    try:
        assert alone.start().predict(TEXT)["degraded_reason"] == "kill_switch"
    finally:
        alone.stop()
    two[1].start()
    assert turn(two[1], "transformer", enabled=True).json()["revision"] == 2
    # This process has no Redis: the other one hears of it once the minute of what Redis keeps is over, or from its own look.
    engine = create_platform_engine(two[0].settings.database_url)
    with engine.connect() as connection:
        assert audit.verify(connection) == []
        rows = connection.execute(select(AuditRow.__table__).where(AuditRow.action == "flag:set")).all()
    engine.dispose()
    assert [(row.subject, row.detail["before"], row.detail["after"]) for row in rows] == [
        ("transformer", True, False),
        ("transformer", False, True),
    ]
