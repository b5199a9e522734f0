"""Claims about a person's choice of a version: who may make it, what may be chosen, what it leaves behind."""

import socket
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, select

from sentiment_platform.github_server import GithubServer
from sentiment_platform.promotion.deciding import decide_and_publish
from sentiment_platform.registry.access import RegistryAccess
from sentiment_platform.settings import Settings
from sentiment_platform.store import audit
from sentiment_platform.store.api_keys import create_key, revoke_key
from sentiment_platform.store.selections import (
    close_selection_requests,
    open_selection_requests,
    refuse_selection_request,
)
from sentiment_platform.store.tables import AuditRow
from sentiment_platform_tests.github_server.faults import Fault
from sentiment_platform_tests.github_server.scripted import ScriptedServer
from sentiment_platform_tests.serving.conftest import StartServing
from sentiment_platform_tests.serving.publishing import Publisher
from sentiment_platform_tests.serving.running import ServingProcess

pytestmark = pytest.mark.slow

IMPATIENT = """
import serving
from serving.live import change
change.CHANGE_S = 1.0
serving.run()
"""
FIRST, SECOND, UNDEPLOYED = "v1.0.0-vader", "v1.0.1-vader", "v1.0.2-vader"


@pytest.fixture
def two_deployments(publisher: Publisher) -> Publisher:
    publisher.deploy(publisher.model(FIRST))
    publisher.deploy(publisher.model(SECOND, steepness=2.0))
    return publisher


@pytest.fixture
def admin(engine: Engine) -> dict[str, str]:
    return bearer(engine, "admin")


def bearer(engine: Engine, role: Any, expires_at: datetime | None = None) -> dict[str, str]:
    with engine.begin() as connection:
        return {"Authorization": f"Bearer {create_key(connection, role, f'{role} of the tests', expires_at)}"}


def choose(serving: ServingProcess, headers: dict[str, str], version: str = FIRST, **fields: Any) -> httpx.Response:
    body = {"family": "vader", "version": version, "reason": "test of selection", **fields}
    return serving.client.post("/models/select", json=body, headers=headers)


def promote(serving: ServingProcess, headers: dict[str, str], version: str = UNDEPLOYED, **fields: Any) -> httpx.Response:
    body = {"version": version, "reason": "test of promotion", **fields}
    return serving.client.post("/models/promote", json=body, headers=headers)


def live(serving: ServingProcess) -> str:
    return serving.predict()["performance"]["model_version"]


def test_only_an_admin_may_choose_and_only_what_was_deployed(
    two_deployments: Publisher, engine: Engine, admin: dict[str, str], start_serving: StartServing
) -> None:
    serving = start_serving(SENTIMENT_ADMIN_KEY="the-configured-key")
    two_deployments.model(UNDEPLOYED, steepness=1.0)
    yesterday = datetime.now(UTC) - timedelta(days=1)
    secret = admin["Authorization"].removeprefix("Bearer ")
    refused: dict[str, tuple[dict[str, str], int]] = {
        "no key": ({}, 401),
        "nonsense": ({"Authorization": "Bearer nonsense"}, 401),
        "wrong secret": ({"X-API-Key": secret[:-1] + ("a" if secret[-1] != "a" else "b")}, 401),
        "basic": ({"Authorization": "Basic dGVzdA=="}, 401),
        "expired": (bearer(engine, "admin", yesterday), 401),
        "viewer": (bearer(engine, "viewer"), 403),
        "operator": (bearer(engine, "operator"), 403),
        "promoter": (bearer(engine, "promoter"), 403),
    }
    for case, (headers, status) in refused.items():
        for reply in (
            choose(serving, headers),
            serving.client.post("/models/rollback", json={"reason": "test"}, headers=headers),
        ):
            assert reply.status_code == status, case
            assert reply.headers["content-type"] == "application/problem+json"
    for version, status in (("v9.9.9-vader", 404), (UNDEPLOYED, 422), ("v1.0.0-finbert", 422), ("nonsense", 400)):
        answered = choose(serving, admin, version)
        assert (answered.status_code, [fault["field"] for fault in answered.json()["errors"]]) == (status, ["version"]), version
    stale = choose(serving, admin, expected_version=FIRST)
    assert (stale.status_code, [fault["field"] for fault in stale.json()["errors"]]) == (409, ["expected_version"])
    assert SECOND in stale.json()["detail"]
    assert live(serving) == SECOND
    with engine.connect() as connection:
        assert open_selection_requests(connection) == []
    # The negative control: the same calls succeed with the right key in either header, and with the configured one.
    for headers in (admin, {"X-API-Key": secret}, {"X-API-Key": "the-configured-key"}):
        assert choose(serving, headers, dry_run=True).status_code == 200


@pytest.mark.parametrize("reason", ["   ", "a\0bc", "\n\t ", "ab"])
def test_a_reason_is_words(two_deployments: Publisher, admin: dict[str, str], start_serving: StartServing, reason: str) -> None:
    serving = start_serving()
    for reply in (
        choose(serving, admin, reason=reason),
        promote(serving, admin, reason=reason),
        serving.client.post("/models/rollback", json={"reason": reason}, headers=admin),
    ):
        assert (reply.status_code, [fault["field"] for fault in reply.json()["errors"]]) == (400, ["reason"])
    noted = serving.client.post(f"/monitoring/alerts/{'0' * 32}/ack", json={"note": "a\0b"}, headers=admin)
    assert (noted.status_code, [fault["field"] for fault in noted.json()["errors"]]) == (400, ["note"])


def test_a_choice_does_not_stand_over_a_deployment_that_was_decided_after_it(
    two_deployments: Publisher, engine: Engine, admin: dict[str, str], start_serving: StartServing
) -> None:
    """Nobody named the revision that they saw: it is what was live when they asked."""
    serving = start_serving()
    assert choose(serving, admin, FIRST).status_code == 200
    assert live(serving) == FIRST
    newest = two_deployments.deploy(two_deployments.model(UNDEPLOYED, steepness=1.0))
    serving.wait_until(lambda: serving.status()["deployment"]["revision"] == newest.revision)
    assert live(serving) == UNDEPLOYED
    (overtaken,) = serving.status()["overtaken"]
    assert (overtaken["version"], overtaken["revision"], overtaken["reason"]) == (FIRST, newest.revision, "test of selection")
    with engine.connect() as connection:
        assert [request.version for request in open_selection_requests(connection)] == [FIRST], (
            "the graph refuses it, with its row"
        )
    serving.terminate()
    assert live(serving.start()) == UNDEPLOYED, "also from the disk"


def test_a_choice_answers_at_once_and_leaves_a_request_and_an_audit_row(
    two_deployments: Publisher, engine: Engine, admin: dict[str, str], start_serving: StartServing
) -> None:
    serving = start_serving()
    tried = choose(serving, admin, expected_version=SECOND, dry_run=True).json()
    assert (tried["request_id"], tried["after"]) == (None, {"vader": FIRST})
    assert live(serving) == SECOND, "a dry run changes nothing"
    deployed = serving.status()["families"]["vader"]
    chosen = choose(serving, admin, expected_version=SECOND).json()
    assert live(serving) == FIRST
    selected = serving.status()["families"]["vader"]
    assert (deployed["selection"], selected["selection"]["reason"]) == (None, "test of selection")
    assert (chosen["before"], chosen["after"]) == ({"vader": SECOND}, {"vader": FIRST})
    lines = [line for line in serving.log.read_text().splitlines() if "models:select" in line]
    assert len(lines) == 1, "of the choice, and none of the dry run"
    assert all(words in lines[0] for words in ("admin of the tests", FIRST, "test of selection")), "who, which, why"
    with engine.connect() as connection:
        (request,) = open_selection_requests(connection)
        (row,) = connection.execute(select(AuditRow.__table__)).all()
        assert audit.verify(connection) == []
    assert (request.request_id, request.version) == (chosen["request_id"], FIRST)
    assert "admin of the tests" in request.actor
    assert selected["selection"]["actor"] == request.actor
    assert deployed["since"] < selected["selection"]["requested_at"] < selected["since"], "it answers since it was swapped in"
    assert datetime.fromisoformat(selected["selection"]["requested_at"]) == request.requested_at
    assert (row.action, row.subject, row.detail["reason"]) == ("models:select", FIRST, "test of selection")
    assert (row.detail["default_family"], row.detail["leaves"]) == ({"before": "vader", "after": "vader"}, 2)

    # Polls do not undo it, and after a restart it answers from the first moment on, by what the disk kept.
    polled = serving.status()["registry"]["polled_at"]
    serving.wait_until(lambda: serving.status()["registry"]["polled_at"] > polled)
    assert live(serving) == FIRST
    assert serving.terminate() == 0
    replica = start_serving()
    assert live(replica) == FIRST, "ready means: with what people selected"
    assert replica.status()["families"]["vader"]["selection"] == selected["selection"]

    # The graph publishes it as the next revision and closes the request: nothing changes for a client.
    third = two_deployments.deploy(two_deployments.model(FIRST))
    with engine.begin() as connection:
        close_selection_requests(connection, [request.id], third.revision)
    replica.wait_until(lambda: replica.status()["deployment"]["revision"] == 3 and not replica.status()["selections"])
    assert live(replica) == FIRST
    published = replica.status()["families"]["vader"]
    assert published["selection"] is None
    # What was kept loaded while another answered is live since it answers again.
    choose(replica, admin, SECOND)
    choose(replica, admin, FIRST)
    assert published["since"] < (again := replica.status()["families"]["vader"])["selection"]["requested_at"] < again["since"]


def test_a_promotion_is_tried_asked_for_once_and_answers_on_every_replica_once_the_graph_has_signed_it(
    two_deployments: Publisher,
    settings: Settings,
    engine: Engine,
    admin: dict[str, str],
    start_serving: StartServing,
    tmp_path: Path,
) -> None:
    serving = start_serving()
    replica = start_serving(SENTIMENT_STATE_DIR=str(tmp_path / "replica"))
    two_deployments.model(UNDEPLOYED, steepness=1.0)
    for version, status in (("v9.9.9-vader", 404), (FIRST, 422), ("nonsense", 400)):
        refused = promote(serving, admin, version)
        assert (refused.status_code, [fault["field"] for fault in refused.json()["errors"]]) == (status, ["version"]), version
    assert promote(serving, admin, expected_version=FIRST).status_code == 409
    tried = promote(serving, admin, expected_version=SECOND, dry_run=True).json()
    assert (tried["request_id"], tried["before"], tried["after"]) == (None, {"vader": SECOND}, {"vader": UNDEPLOYED})
    with engine.connect() as connection:
        assert open_selection_requests(connection) == []

    asked = promote(serving, admin).json()
    assert promote(serving, admin).json()["request_id"] == asked["request_id"], "the same request while it waits"
    with engine.connect() as connection:
        (request,) = open_selection_requests(connection)
        (row,) = connection.execute(select(AuditRow.__table__)).all()
    assert (request.request_id, request.version) == (asked["request_id"], UNDEPLOYED)
    assert (row.action, row.detail["reason"]) == ("models:promote", "test of promotion")
    polled = serving.status()["registry"]["polled_at"]
    serving.wait_until(lambda: serving.status()["registry"]["polled_at"] > polled)
    assert (live(serving), live(replica)) == (SECOND, SECOND), "nothing answers that no signed deployment names"

    outcome = decide_and_publish(engine, RegistryAccess(settings), run_id="a-run", now=lambda: datetime.now(UTC))
    assert outcome.published is not None
    assert (outcome.published.document.rule, outcome.published.document.actor) == ("manual", request.actor)
    for process in (serving, replica):
        process.wait_until(lambda process=process: live(process) == UNDEPLOYED)
    (told,) = serving.client.get("/models/selections").json()["selections"]
    assert (told["state"], told["published_revision"]) == ("published", 3)


def test_a_rollback_brings_the_deployment_before_back_and_not_further_than_there_is(
    two_deployments: Publisher, engine: Engine, admin: dict[str, str], start_serving: StartServing
) -> None:
    serving = start_serving()
    body = {"reason": "worse in production", "dry_run": True}
    tried = serving.client.post("/models/rollback", json=body, headers=admin).json()
    assert (tried["request_id"], tried["after"], live(serving)) == (None, {"vader": FIRST}, SECOND)
    rolled = serving.client.post("/models/rollback", json={"reason": "worse in production"}, headers=admin)
    assert rolled.status_code == 200, rolled.text
    assert live(serving) == FIRST
    lines = [line for line in serving.log.read_text().splitlines() if "models:rollback" in line]
    assert ["worse in production" in line for line in lines] == [True], "of the rollback, and none of the dry run"
    again = serving.client.post("/models/rollback", json={"reason": "once more"}, headers=admin)
    assert again.status_code == 409
    assert live(serving) == FIRST
    with engine.connect() as connection:
        (row,) = connection.execute(select(AuditRow.__table__)).all()
    assert (row.action, row.detail["before"], row.detail["after"]) == ("models:rollback", {"vader": SECOND}, {"vader": FIRST})


def test_of_two_rollbacks_at_once_on_two_replicas_one_gets_409_and_the_good_version_stays(
    two_deployments: Publisher,
    settings: Settings,
    engine: Engine,
    admin: dict[str, str],
    start_serving: StartServing,
    tmp_path: Path,
) -> None:
    replicas = (start_serving(), start_serving(SENTIMENT_STATE_DIR=str(tmp_path / "replica")))
    body = {"reason": "worse in production", "expected_revision": 2}
    stale = replicas[0].client.post("/models/rollback", json=body | {"expected_revision": 1}, headers=admin)
    assert (stale.status_code, stale.json()["errors"][0]["field"]) == (409, "expected_revision")
    tried = replicas[0].client.post("/models/rollback", json=body | {"dry_run": True}, headers=admin).json()
    (pair,) = tried["evidence"]
    assert (tried["revision"], pair["champion"], pair["challenger"], pair["verdict"]) == (2, SECOND, FIRST, None)
    barrier = Barrier(2)

    def roll_back(serving: ServingProcess) -> httpx.Response:
        barrier.wait()
        return serving.client.post("/models/rollback", json=body, headers=admin)

    with ThreadPoolExecutor(2) as pool:
        replies = list(pool.map(roll_back, replicas))
    assert sorted(reply.status_code for reply in replies) == [200, 409], [reply.text for reply in replies]
    (conflict,) = (reply.json() for reply in replies if reply.status_code == 409)
    assert "decide again" in conflict["detail"]
    for replica in replicas:
        replica.wait_until(lambda replica=replica: live(replica) == FIRST)
    outcome = decide_and_publish(engine, RegistryAccess(settings), run_id="a-run", now=lambda: datetime.now(UTC))
    assert outcome.published is not None
    assert (outcome.published.document.rule, outcome.published.document.restores) == ("rollback", 1)
    for replica in replicas:
        replica.wait_until(lambda replica=replica: replica.status()["deployment"]["revision"] == 3)
        # The bad version does not come back by a third one who saw what is there now, nor by one who did not.
        for seen in ({}, {"expected_revision": 2}, {"expected_revision": 3}):
            late = {"reason": "once more"} | seen
            told = replica.client.post("/models/rollback", json=late, headers=admin)
            assert told.status_code == 409
        assert "A rollback left each earlier deployment with other content (deploy-000002)" in told.json()["detail"]
        assert live(replica) == FIRST


def test_a_rollback_goes_over_the_gap_that_a_deleted_release_left(
    two_deployments: Publisher, settings: Settings, admin: dict[str, str], start_serving: StartServing
) -> None:
    two_deployments.deploy(two_deployments.model(UNDEPLOYED, steepness=3.0))
    two_deployments.deploy(two_deployments.model("v1.0.3-vader", steepness=4.0))
    repository = f"{settings.registry_url}/repos/{settings.registry_repository}"
    with httpx.Client(headers={"Authorization": f"Bearer {settings.registry_token}"}, trust_env=False) as page:
        number = page.get(f"{repository}/releases/tags/deploy-000003").raise_for_status().json()["id"]
        page.delete(f"{repository}/releases/{number}").raise_for_status()
    serving = start_serving()
    assert live(serving) == "v1.0.3-vader"
    rolled = serving.client.post("/models/rollback", json={"reason": "worse in production"}, headers=admin)
    assert rolled.status_code == 200, rolled.text
    assert live(serving) == SECOND


def test_a_choice_that_cannot_be_fetched_or_recorded_changes_nothing(
    two_deployments: Publisher, github_server: GithubServer, engine: Engine, admin: dict[str, str], start_serving: StartServing
) -> None:
    # Two deployments back: the one before is held in memory, and needs no registry.
    two_deployments.deploy(two_deployments.model(UNDEPLOYED, steepness=3.0))
    serving = start_serving()
    assert live(serving) == UNDEPLOYED
    github_server.stop()
    reply = choose(serving, admin)
    assert reply.status_code == 503
    assert reply.headers["retry-after"]
    github_server.start()
    with engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE platform.selection_requests RENAME TO elsewhere")
    reply = choose(serving, admin)
    assert reply.status_code == 503
    assert live(serving) == UNDEPLOYED
    with engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE platform.elsewhere RENAME TO selection_requests")
        assert not connection.execute(select(AuditRow.__table__)).all()
    assert choose(serving, admin).status_code == 200
    assert live(serving) == FIRST


def test_a_choice_that_took_too_long_is_refused_and_does_not_happen_later(
    two_deployments: Publisher,
    github_server: ScriptedServer,
    settings: Settings,
    engine: Engine,
    admin: dict[str, str],
    start_serving: StartServing,
) -> None:
    two_deployments.deploy(two_deployments.model(UNDEPLOYED, steepness=3.0))
    serving = start_serving(program=IMPATIENT)
    # Its files have to be fetched, and come slowly; what follows waits for the same thread.
    github_server.faults.add(Fault(kind="slow_body", path="_storage/.*", count=0, chunk_bytes=256, delay_s=0.2))
    with ThreadPoolExecutor(2) as people:
        asked = [people.submit(choose, serving, admin, version) for version in (FIRST, SECOND)]
        replies = [each.result() for each in asked]
    assert [(reply.status_code, reply.json()["code"]) for reply in replies] == [(503, "unavailable")] * 2
    assert "Nothing was changed" in replies[0].json()["detail"]
    polled = serving.status()["registry"]["polled_at"]
    serving.wait_until(lambda: serving.status()["registry"]["polled_at"] > polled, 30)
    assert live(serving) == UNDEPLOYED
    with engine.connect() as connection:
        assert open_selection_requests(connection) == []
        assert not connection.execute(select(AuditRow.__table__)).all()
    github_server.faults.clear()
    serving.wait_until(lambda: choose(serving, admin).status_code == 200)
    assert live(serving) == FIRST, "the control: in time it happens"


def test_a_choice_outlives_a_restart_without_the_database_until_that_says_otherwise(
    two_deployments: Publisher,
    github_server: ScriptedServer,
    engine: Engine,
    admin: dict[str, str],
    start_serving: StartServing,
    settings: Settings,
) -> None:
    serving = start_serving()
    assert choose(serving, admin).status_code == 200
    assert serving.terminate() == 0
    github_server.stop()
    nowhere = "postgresql://nobody@127.0.0.1:1/none"
    again = start_serving(DATABASE_URL=nowhere)
    assert live(again) == FIRST
    assert again.status()["families"]["vader"]["selection"]["reason"] == "test of selection"
    assert again.terminate() == 0

    kept = settings.state_dir / "serving-cache" / "selections.json"
    good = kept.read_bytes()
    kept.write_bytes(good.replace(FIRST.encode(), b"v9.9.9-vader"))
    tampered = start_serving(DATABASE_URL=nowhere)
    assert live(tampered) == SECOND, "no signed deployment vouches for what was written there"
    assert tampered.terminate() == 0

    kept.write_bytes(good)
    with engine.begin() as connection:
        (request,) = open_selection_requests(connection)
        assert refuse_selection_request(connection, request.request_id, "it answers worse")
    assert live(start_serving()) == SECOND


def test_a_restart_answers_while_the_database_accepts_and_says_nothing(
    two_deployments: Publisher, start_serving: StartServing
) -> None:
    assert start_serving().terminate() == 0
    with socket.create_server(("127.0.0.1", 0)) as silent:
        serving = start_serving(DATABASE_URL=f"postgresql://anyone@127.0.0.1:{silent.getsockname()[1]}/anything")
        assert live(serving) == SECOND
        assert serving.health()["dependencies"]["postgresql"]["status"] == "down"


def test_a_revoked_key_works_no_longer_than_five_seconds(
    two_deployments: Publisher, engine: Engine, admin: dict[str, str], start_serving: StartServing
) -> None:
    serving = start_serving()
    assert choose(serving, admin, dry_run=True).status_code == 200
    with engine.begin() as connection:
        assert revoke_key(connection, admin["Authorization"].split("_")[1])
    serving.wait_until(lambda: choose(serving, admin, dry_run=True).status_code == 401, 8)
