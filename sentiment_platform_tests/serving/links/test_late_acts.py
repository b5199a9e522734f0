"""What a person asked for while PostgreSQL hung, and was refused for that, never happens later."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest
from sqlalchemy import Connection, text

from sentiment_platform.local.parts.postgres import LocalPostgres
from sentiment_platform.store import audit
from sentiment_platform.store.engine import create_platform_engine
from sentiment_platform_tests.faults.postgres import own_server
from serving.links.database import THREADS, Database, DatabaseUnavailable

pytestmark = pytest.mark.slow

AT = datetime(2026, 11, 29, tzinfo=UTC)
LIMIT_S = 1.0


@pytest.fixture(scope="module")
def server(servers_dir: Path) -> Iterator[LocalPostgres]:
    with own_server(servers_dir / "late-acts") as server:
        yield server


@pytest.fixture
def database(server: LocalPostgres) -> Iterator[Database]:
    database = Database(server.url)
    database.call_and_wait(lambda connection: connection.execute(text("SELECT 1")))
    yield database
    database.close()


def freeze(server: LocalPostgres, number: signal.Signals) -> None:
    postmaster = psutil.Process(server.pid)
    for process in [postmaster, *postmaster.children(recursive=True)]:
        os.kill(process.pid, number)


def recorded(server: LocalPostgres) -> set[str]:
    engine = create_platform_engine(server.url)
    with engine.connect() as connection:
        said = set(connection.execute(text("SELECT subject FROM platform.audit_log")).scalars())
    engine.dispose()
    return said


def act(subject: str, then: Callable[[], object] = lambda: None) -> Callable[[Connection], None]:
    """Record an act, and do `then` before the commit."""

    def work(connection: Connection) -> None:
        audit.record(connection, at=AT, actor="ines", action="models:rollback", subject=subject, detail={})
        then()

    return work


@pytest.mark.parametrize(("as_act", "kept"), [(True, False), (False, True)], ids=["an act", "control: anything else"])
def test_a_commit_that_waits_in_a_frozen_server_is_refused_when_that_goes_on(
    server: LocalPostgres, database: Database, *, as_act: bool, kept: bool
) -> None:
    subject = f"frozen before the commit, {as_act}"
    began = time.monotonic()
    try:
        with pytest.raises(DatabaseUnavailable):
            database.call_and_wait(act(subject, lambda: freeze(server, signal.SIGSTOP)), limit_s=LIMIT_S, act=as_act)
        assert time.monotonic() - began < 3 * LIMIT_S
    finally:
        freeze(server, signal.SIGCONT)
    # The server has carried out, or refused, what waited in it once it takes the trail's lock again.
    database.call_and_wait(act("the next"))
    assert (subject in recorded(server)) == kept


def test_acts_that_were_refused_while_it_hung_neither_happen_later_nor_out_of_order(
    server: LocalPostgres, database: Database
) -> None:
    freeze(server, signal.SIGSTOP)
    try:
        with ThreadPoolExecutor(2 * THREADS) as people:
            asked = [
                people.submit(database.call_and_wait, act(f"late {n}"), limit_s=LIMIT_S, act=True) for n in range(2 * THREADS)
            ]
            for one in asked:
                with pytest.raises(DatabaseUnavailable):
                    one.result()
    finally:
        freeze(server, signal.SIGCONT)
    ends = time.monotonic() + 10
    while "after it" not in recorded(server) and time.monotonic() < ends:
        # Whoever asks while those still sit in its threads is refused at once.
        with contextlib.suppress(DatabaseUnavailable):
            database.call_and_wait(act("after it"), act=True)
    assert {subject for subject in recorded(server) if subject.startswith("late")} == set()
    assert "after it" in recorded(server)


def test_an_act_whose_client_left_before_the_commit_is_not_recorded(server: LocalPostgres, database: Database) -> None:
    asyncio.run(_leave_one_of_two(database))
    assert recorded(server) & {"left", "stayed"} == {"stayed"}


async def _leave_one_of_two(database: Database) -> None:
    asked = asyncio.create_task(database.call(act("left", lambda: time.sleep(0.4)), act=True))
    await asyncio.sleep(0.15)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    await database.call(act("stayed", lambda: time.sleep(0.1)), act=True)
