"""When a rollback is possible: where the newest act is none. Whoever is asked, status, the act, its dry run or the database, says the same."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, select

from sentiment_platform.settings import Settings
from sentiment_platform.store.api_keys import create_key
from sentiment_platform.store.selections import open_selection_requests, selections_page
from sentiment_platform.store.tables import AuditRow
from sentiment_platform_tests.serving.conftest import StartServing
from sentiment_platform_tests.serving.publishing import Publisher
from sentiment_platform_tests.serving.running import ServingProcess

pytestmark = pytest.mark.slow
FIRST, SECOND, THIRD = "v1.0.0-vader", "v1.0.1-vader", "v1.0.2-vader"


def live(serving: ServingProcess) -> str:
    return serving.predict()["performance"]["model_version"]


def test_after_a_rollback_another_is_possible_only_once_somebody_selected_and_all_who_are_asked_say_the_same(
    publisher: Publisher,
    engine: Engine,
    start_serving: StartServing,
    tmp_path: Path,
) -> None:
    """The act, its dry run, status and the database: of two at once after the select one is told, as before it."""
    for version, steepness in ((FIRST, 1.0), (SECOND, 2.0), (THIRD, 3.0)):
        publisher.deploy(publisher.model(version, steepness=steepness))
    with engine.begin() as connection:
        admin = {"Authorization": f"Bearer {create_key(connection, 'admin', 'admin of the tests', None)}"}
    replicas = (start_serving(), start_serving(SENTIMENT_STATE_DIR=str(tmp_path / "replica")))
    for replica in replicas:
        replica.wait_until(lambda replica=replica: replica.status()["rollback"] == {"revision": 2, "held": True})

    def roll_back(serving: ServingProcess, **fields: Any) -> httpx.Response:
        return serving.client.post("/models/rollback", json={"reason": "worse in production"} | fields, headers=admin)

    assert roll_back(replicas[0]).status_code == 200
    for replica in replicas:
        replica.wait_until(lambda replica=replica: live(replica) == SECOND)
        assert replica.status()["rollback"] is None
        for fields in ({}, {"dry_run": True}):
            refused = roll_back(replica, **fields)
            assert refused.status_code == 409
            said = refused.json()["detail"]
            assert all(word in said for word in ("admin of the tests", "rolled back from revision 3 at 20", THIRD)), said

    wanted = {"family": "vader", "version": THIRD, "reason": "it was better", "expected_version": SECOND}
    selected = replicas[0].client.post("/models/select", json=wanted, headers=admin)
    assert selected.status_code == 200
    for replica in replicas:
        replica.wait_until(lambda replica=replica: live(replica) == THIRD)
        assert replica.status()["rollback"] == {"revision": 2, "held": True}
        assert replica.status()["overtaken"] == [], "it was superseded by a person, not overtaken by a deployment"
        assert roll_back(replica, dry_run=True).json()["after"] == {"vader": SECOND}
    barrier = Barrier(2)

    def at_once(serving: ServingProcess) -> httpx.Response:
        barrier.wait()
        return roll_back(serving)

    with ThreadPoolExecutor(2) as pool:
        replies = list(pool.map(at_once, replicas))
    assert sorted(reply.status_code for reply in replies) == [200, 409], [reply.text for reply in replies]
    for replica in replicas:
        replica.wait_until(lambda replica=replica: live(replica) == SECOND)
        assert replica.status()["rollback"] is None
    (rolled,) = (reply.json()["request_id"] for reply in replies if reply.status_code == 200)
    with engine.connect() as connection:
        assert [request.request_id for request in open_selection_requests(connection)] == [rolled]
        last, chosen, first = selections_page(connection, 3, 0)
    assert (last.refusal, chosen.request_id, first.restores) == (None, selected.json()["request_id"], 2)
    assert f"Superseded by the request of {last.actor} for {SECOND} ({rolled})." == chosen.refusal
    assert f"for {THIRD} ({chosen.request_id})" in str(first.refusal)


def test_a_process_that_has_not_heard_of_the_others_choices_decides_a_rollback_by_what_the_database_has(
    publisher: Publisher, settings: Settings, engine: Engine, start_serving: StartServing, tmp_path: Path
) -> None:
    """Nobody polls on time: a neighbour follows a rollback by the kept file, and hears of a select from the database alone."""
    publisher.deploy(publisher.model(FIRST))
    publisher.deploy(publisher.model(SECOND, steepness=2.0))
    quiet = {"SENTIMENT_ADMIN_KEY": "the-key", "SENTIMENT_POLL_S": "600"}
    one, neighbour = (start_serving(**quiet) for _ in range(2))
    alone = start_serving(**quiet, SENTIMENT_STATE_DIR=str(tmp_path / "alone"))
    for each in (one, neighbour, alone):
        each.wait_until(lambda each=each: each.status()["rollback"] == {"revision": 1, "held": True})

    def act(serving: ServingProcess, path: str = "rollback", **fields: Any) -> httpx.Response:
        return serving.client.post(f"/models/{path}", json={"reason": "a test"} | fields, headers={"X-API-Key": "the-key"})

    assert act(alone, dry_run=True).status_code == 200
    assert act(one).status_code == 200
    tried = act(alone, dry_run=True)
    assert (tried.status_code, "rolled back from revision 2" in tried.text, live(alone)) == (409, True, SECOND), tried.text
    neighbour.wait_until(lambda: live(neighbour) == FIRST)
    # Who followed reads the database once, and then no more.
    neighbour.wait_until(lambda: neighbour.status()["families"]["vader"]["selection"]["recorded"])
    assert act(neighbour).status_code == act(neighbour, dry_run=True).status_code == 409, "the control: it answers everywhere"

    assert act(one, "select", family="vader", version=SECOND).status_code == 200
    assert live(neighbour) == FIRST, "it has not heard of it"
    for dry_run in (True, False):
        reply = act(neighbour, dry_run=dry_run)
        assert reply.status_code == 200, reply.text
        answer = reply.json()
        assert (answer["before"], answer["after"], answer["recorded"]) == ({"vader": SECOND}, {"vader": FIRST}, not dry_run)
    one.wait_until(lambda: live(one) == live(neighbour) == FIRST)
    assert act(neighbour).status_code == 409
    with engine.connect() as connection:
        *_, row = connection.execute(select(AuditRow.__table__).order_by(AuditRow.id)).all()
    assert (row.action, row.detail["before"], row.detail["after"]) == ("models:rollback", {"vader": SECOND}, {"vader": FIRST})
    # What is published is not possible to leave any more, also where this process has not seen it.
    publisher.deploy(publisher.model(THIRD, steepness=3.0))
    for dry_run in (True, False):
        assert "was published meanwhile" in act(alone, dry_run=dry_run).text
