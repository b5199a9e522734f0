"""A rollback by hand happens within a second whatever is away, is recorded once, and never overrides what was signed since."""

import os
import signal
import time
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from sqlalchemy import Engine, select

from sentiment_platform.github_server import GithubServer
from sentiment_platform.local.parts.postgres import LocalPostgres
from sentiment_platform.settings import Settings
from sentiment_platform.store import audit
from sentiment_platform.store.engine import create_platform_engine
from sentiment_platform.store.selections import StoredSelection, selections_page
from sentiment_platform.store.tables import AuditRow
from sentiment_platform_tests.faults.postgres import own_server
from sentiment_platform_tests.serving.conftest import StartServing
from sentiment_platform_tests.serving.publishing import Publisher
from sentiment_platform_tests.serving.running import ServingProcess
from serving.journal.journal_records import RollbackRecord
from serving.live.selection_requests import enter_rollback, record_selections
from serving.live.selections import Selection

pytestmark = pytest.mark.slow

FIRST, SECOND, THIRD = "v1.0.0-vader", "v1.0.1-vader", "v1.0.2-vader"
ADMIN = {"X-API-Key": "the-configured-key"}


@pytest.fixture(scope="module")
def server(servers_dir: Path) -> Iterator[LocalPostgres]:
    with own_server(servers_dir / "rollbacks") as server:
        yield server


@pytest.fixture
def own_engine(server: LocalPostgres) -> Iterator[Engine]:
    """Tables of a database of the module's own, emptied."""
    engine = create_platform_engine(server.url)
    with engine.begin() as connection:
        connection.exec_driver_sql("TRUNCATE platform.selection_requests, platform.deployments CASCADE")
    yield engine
    engine.dispose()


@pytest.fixture
def deployed(settings: Settings, own_engine: Engine) -> Iterator[Publisher]:
    publisher = Publisher(settings, own_engine)
    publisher.deploy(publisher.model(FIRST))
    publisher.deploy(publisher.model(SECOND, steepness=2.0))
    yield publisher
    publisher.close()


def freeze(server: LocalPostgres, number: signal.Signals) -> None:
    postmaster = psutil.Process(server.pid)
    for process in [postmaster, *postmaster.children(recursive=True)]:
        os.kill(process.pid, number)


def roll_back(serving: ServingProcess, **fields: Any) -> tuple[httpx.Response, float]:
    began = time.monotonic()
    reply = serving.client.post("/models/rollback", json={"reason": "it answers worse", **fields}, headers=ADMIN)
    return reply, time.monotonic() - began


def live(serving: ServingProcess) -> str:
    return serving.predict()["performance"]["model_version"]


def wait_until_held(serving: ServingProcess, revision: int) -> None:
    """The version before is in memory, also after a fresh start."""
    serving.wait_until(lambda: serving.status()["rollback"] == {"revision": revision, "held": True})


@contextmanager
def stopped(server: LocalPostgres, engine: Engine) -> Generator[None]:
    """Meanwhile nobody listens at its port."""
    engine.dispose()
    server.stop()
    try:
        yield
    finally:
        server.start()


def stored(engine: Engine) -> tuple[list[StoredSelection], list[Any]]:
    with engine.connect() as connection:
        assert audit.verify(connection) == []
        rows = connection.execute(select(AuditRow.__table__).where(AuditRow.action == "models:rollback")).all()
        return selections_page(connection, 50, 0), list(rows)


def test_with_postgres_frozen_and_the_registry_dead_a_rollback_takes_a_second_survives_a_restart_and_is_recorded_once(
    settings: Settings,
    server: LocalPostgres,
    own_engine: Engine,
    deployed: Publisher,
    github_server: GithubServer,
    start_serving: StartServing,
) -> None:
    over = replace(settings, database_url=server.url, admin_key=ADMIN["X-API-Key"])
    serving = start_serving(over=over)
    wait_until_held(serving, 1)
    _, before = stored(own_engine)
    github_server.stop()
    freeze(server, signal.SIGSTOP)
    try:
        began = datetime.now(UTC)
        reply, took_s = roll_back(serving)
        assert reply.status_code == 200, reply.text
        answer = reply.json()
        assert (answer["recorded"], answer["after"], live(serving)) == (False, {"vader": FIRST}, FIRST)
        assert took_s <= 1, "within a second"
        assert serving.log.read_text().count("models:rollback by configured admin: v") == 1
        selection = serving.status()["families"]["vader"]["selection"]
        assert (selection["recorded"], selection["reason"]) == (False, "it answers worse")
        assert roll_back(serving)[0].status_code == 409, "the deployment is left once"
        # Polls that read nothing do not undo it, nor does the death of the process.
        time.sleep(1)
        assert live(serving) == FIRST
        assert serving.process is not None
        serving.process.kill()
        serving.process.wait()
        again = start_serving(over=over)
        again.wait_until(lambda: live(again) == FIRST, 10)
    finally:
        freeze(server, signal.SIGCONT)
    again.wait_until(lambda: again.status()["families"]["vader"]["selection"]["recorded"], 20)
    requests, rows = stored(own_engine)
    (request,) = requests
    assert len(rows) == len(before) + 1
    row = rows[-1]
    assert (request.request_id, request.version, request.refusal) == (answer["request_id"], FIRST, None)
    assert (request.expected_revision, request.restores, request.default_family) == (2, 1, "vader")
    assert began <= request.requested_at == row.at < datetime.fromisoformat(row.detail["entered_at"])
    assert (row.actor, row.detail["overtaken"], row.detail["before"]) == ("configured admin", None, {"vader": SECOND})
    # The journal is sent once more, as after a death between the commit and the deletion: nothing is added.
    time.sleep(1)
    assert again.health()["journal_backlog_records"] == 0
    assert stored(own_engine) == (requests, rows)
    assert live(again) == FIRST

    # The control: with the database there, the row decides at once.
    github_server.start()
    newest = deployed.deploy(deployed.model(THIRD, steepness=1.0))
    again.wait_until(lambda: again.status()["deployment"]["revision"] == newest.revision)
    wait_until_held(again, 2)
    reply, took_s = roll_back(again)
    assert (reply.status_code, reply.json()["recorded"]) == (200, True), reply.text
    assert took_s <= 1
    assert len(stored(own_engine)[1]) == len(rows) + 1


def decided(name: str, leaves: int, day: int = 2) -> RollbackRecord:
    return RollbackRecord(
        id=name,
        decided_at=datetime(2026, 3, day, tzinfo=UTC),
        actor=name,
        reason="it answers worse",
        leaves=leaves,
        restores=1,
        requests={"vader": f"request of {name}"},
        versions={"vader": FIRST},
        default_family="vader",
        before={"vader": SECOND},
        default_family_before="vader",
    )


def test_while_postgres_is_stopped_a_neighbour_follows_a_rollback_within_its_look_and_holds_it_until_it_is_recorded(
    settings: Settings, server: LocalPostgres, own_engine: Engine, deployed: Publisher, start_serving: StartServing
) -> None:
    over = replace(settings, database_url=server.url, admin_key=ADMIN["X-API-Key"])
    elsewhere = replace(over, state_dir=settings.state_dir / "elsewhere")
    one, two, alone = (start_serving(over=each, SENTIMENT_POLL_S="2") for each in (over, over, elsewhere))
    for each in (one, two, alone):
        wait_until_held(each, 1)
    _, before = stored(own_engine)
    assert one.process is not None
    with stopped(server, own_engine):
        reply, _ = roll_back(one)
        assert (reply.status_code, reply.json()["recorded"]) == (200, False), reply.text
        two.wait_until(lambda: live(two) == FIRST, 3)
        assert live(alone) == SECOND, "the control: who shares no folder with it hears of it from the database"
        selection = two.status()["families"]["vader"]["selection"]
        assert (selection["recorded"], selection["actor"]) == (False, "configured admin")
        assert roll_back(two)[0].status_code == 409, "it is left on this process too"
        # The database is back before who decided it tells of it, and that one dies.
        os.kill(one.process.pid, signal.SIGSTOP)
    two.wait_until(lambda: two.answers("/models/performance"))
    ends = time.monotonic() + 5
    while time.monotonic() < ends:
        assert live(two) == FIRST
        time.sleep(0.05)
    assert stored(own_engine) == ([], before), "the control: the database knew nothing of it"
    one.process.kill()
    one.process.wait()
    two.wait_until(lambda: two.status()["families"]["vader"]["selection"]["recorded"], 20)
    alone.wait_until(lambda: live(alone) == FIRST)
    (request,), rows = stored(own_engine)
    assert (request.request_id, request.refusal, len(rows)) == (reply.json()["request_id"], None, len(before) + 1)
    assert live(start_serving(over=over)) == live(two) == FIRST


def test_two_rollbacks_on_two_processes_at_once_go_back_one_deployment_and_a_newer_one_stands_over_both(
    settings: Settings, server: LocalPostgres, own_engine: Engine, deployed: Publisher, start_serving: StartServing
) -> None:
    deployed.deploy(deployed.model(THIRD, steepness=1.0))
    over = replace(settings, database_url=server.url, admin_key=ADMIN["X-API-Key"])
    both = [start_serving(over=over, SENTIMENT_POLL_S="2") for _ in range(2)]
    for each in both:
        wait_until_held(each, 2)
    newest = deployed.document([deployed.model("v1.0.3-vader", steepness=1.5)])
    with stopped(server, own_engine):
        with ThreadPoolExecutor(2) as threads:
            told = [reply.status_code for reply, _ in threads.map(roll_back, both)]
        assert set(told) <= {200, 409}
        assert 200 in told
        time.sleep(3)
        assert [live(each) for each in both] == [SECOND, SECOND], "neither went on to the first"
        deployed.registry.publish_deployment(newest, deployed.keys, fence=lambda: None)
        for each in both:
            each.wait_until(lambda each=each: live(each) == "v1.0.3-vader")
    for each in both:
        each.wait_until(lambda each=each: each.health()["journal_backlog_records"] == 0, 20)
    time.sleep(3)
    requests, _ = stored(own_engine)
    assert {(one.expected_revision, one.restores) for one in requests} == {(3, 2)}
    assert len(requests) == told.count(200)
    assert [one.refusal for one in requests].count(None) == 1
    assert [live(each) for each in both] == ["v1.0.3-vader", "v1.0.3-vader"], "what was signed later stands"


def test_of_two_rollbacks_that_are_entered_at_the_same_moment_one_holds_and_the_other_is_refused_with_its_audit_row(
    own_engine: Engine, deployed: Publisher
) -> None:
    _, before = stored(own_engine)

    def enter(name: str) -> None:
        with own_engine.begin() as connection:
            enter_rollback(connection, decided(name, 2), entered_at=datetime.now(UTC))

    with ThreadPoolExecutor(1) as threads:
        with own_engine.begin() as connection:
            enter_rollback(connection, decided("one", 2), entered_at=datetime.now(UTC))
            other = threads.submit(enter, "other")
            time.sleep(0.5)
            assert not other.done(), "the control: it waits for what the first one does"
        other.result(10)
    requests, rows = stored(own_engine)
    assert {request.actor: request.refusal is None for request in requests} == {"one": True, "other": False}
    assert [row.actor for row in rows[len(before) :]] == ["one", "other"]


def test_a_rollback_that_is_recorded_late_overrides_neither_a_newer_deployment_nor_another_rollback_and_says_so(
    own_engine: Engine, deployed: Publisher
) -> None:
    _, before = stored(own_engine)

    def enter(record: RollbackRecord) -> None:
        with own_engine.begin() as connection:
            enter_rollback(connection, record, entered_at=datetime.now(UTC))

    for _ in range(2):
        enter(decided("in time", 2))
        enter(decided("the second", 2))
    deployed.deploy(deployed.model(THIRD, steepness=1.0))
    deployed.deploy(deployed.model("v1.0.3-vader", steepness=3.0))
    enter(decided("too late", 3))
    requests, rows = stored(own_engine)
    refusals = {request.actor: request.refusal for request in requests}
    assert refusals["in time"] is None
    assert "Another rollback from revision 2" in str(refusals["the second"])
    assert "deploy-000004 was published before" in str(refusals["too late"])
    assert [row.detail["overtaken"] for row in rows[len(before) :]] == [refusals[row.actor] for row in rows[len(before) :]]
    assert len(requests) == len(rows) - len(before) == 3, "each once, however often it is sent"


def test_a_rollback_that_is_recorded_late_has_its_place_among_what_people_chose_meanwhile(
    own_engine: Engine, deployed: Publisher
) -> None:
    _, before = stored(own_engine)
    assert deployed
    chosen = Selection(
        request_id="the select",
        family="vader",
        version=SECOND,
        revision=2,
        actor="dana",
        reason="reads better",
        requested_at=datetime(2026, 3, 3, tzinfo=UTC),
        expected_revision=2,
    )
    with own_engine.begin() as connection:
        record_selections(connection, [chosen], action="models:select", before=({}, ""), after=({}, ""))
    for day, name in ((2, "before it"), (4, "after it"), (5, "once more")):
        for _ in range(2):
            with own_engine.begin() as connection:
                enter_rollback(connection, decided(name, 2, day), entered_at=datetime.now(UTC))
    requests, rows = stored(own_engine)
    refusals = {request.actor: request.refusal for request in requests}
    assert refusals == {
        "dana": f"Superseded by the request of after it for {FIRST} (request of after it).",
        "before it": f"Superseded by the request of dana for {SECOND} (the select).",
        "after it": None,
        "once more": "Another rollback from revision 2 was recorded before the database heard of it.",
    }
    told = {row.actor: row.detail["overtaken"] for row in rows[len(before) :]}
    assert told == {name: refusals[name] for name in ("before it", "after it", "once more")}
