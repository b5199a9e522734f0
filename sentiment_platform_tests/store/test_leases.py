import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, text

from sentiment_platform.errors import ConflictError
from sentiment_platform.store import leases

LONG_S = 60.0


def test_a_second_holder_waits_until_the_first_gives_back(engine: Engine) -> None:
    first = leases.acquire(engine, "deployment", "a", LONG_S)
    with pytest.raises(ConflictError, match="written by a until"):
        leases.acquire(engine, "deployment", "b", LONG_S)
    assert leases.acquire(engine, "another subject", "b", LONG_S).token == 1
    leases.release(engine, first)
    assert leases.acquire(engine, "deployment", "b", LONG_S).token > first.token


def test_a_lease_runs_out_by_itself(engine: Engine) -> None:
    first = leases.acquire(engine, "s", "a", 0.2)
    with engine.connect() as connection:
        leases.require(connection, first)
    time.sleep(0.3)
    with engine.connect() as connection, pytest.raises(ConflictError, match="no longer holds"):
        leases.require(connection, first)
    assert leases.acquire(engine, "s", "b", LONG_S).token == first.token + 1


def test_a_lease_that_is_not_ours_any_more_is_not_given_back(engine: Engine) -> None:
    first = leases.acquire(engine, "s", "a", LONG_S)
    second = leases.acquire(engine, "s", "b", LONG_S, take_over=True)
    leases.release(engine, first)
    with engine.begin() as connection:
        leases.require(connection, second)


def test_the_same_holder_gets_a_new_token_and_its_older_self_is_refused(engine: Engine) -> None:
    older = leases.acquire(engine, "s", "run-1", LONG_S)
    newer = leases.acquire(engine, "s", "run-1", LONG_S)
    assert newer.token > older.token
    with engine.begin() as connection, pytest.raises(ConflictError):
        leases.require(connection, older)


def test_of_many_who_ask_at_once_one_gets_it(engine: Engine) -> None:
    def ask(subject: str, holder: int) -> bool:
        try:
            leases.acquire(engine, subject, f"holder {holder}", LONG_S)
        except ConflictError:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        for subject in "abcde":
            assert sum(pool.map(ask, [subject] * 6, range(6))) == 1


def test_a_zombie_is_refused_in_its_own_transaction_20_of_20_times(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE written (holder text)"))
    refused = 0
    for round_ in range(20):
        zombie = leases.acquire(engine, "s", f"zombie {round_}", LONG_S, take_over=True)
        successor = leases.acquire(engine, "s", f"successor {round_}", LONG_S, take_over=True)
        for lease in (zombie, successor):
            try:
                with engine.begin() as connection:
                    connection.execute(text("INSERT INTO written VALUES (:holder)"), {"holder": lease.holder})
                    leases.require(connection, lease)
            except ConflictError:
                refused += 1
    with engine.connect() as connection:
        holders = connection.execute(text("SELECT holder FROM written")).scalars().all()
    assert (refused, sorted(holders)) == (20, sorted(f"successor {n}" for n in range(20)))


def test_a_take_over_waits_for_a_writer_that_already_showed_its_token(engine: Engine) -> None:
    """The check and the write are one: nobody can slip in between them."""
    lease = leases.acquire(engine, "s", "a", LONG_S)
    with ThreadPoolExecutor(1) as pool:
        with engine.begin() as connection:
            leases.require(connection, lease)
            successor = pool.submit(leases.acquire, engine, "s", "b", LONG_S, take_over=True)
            time.sleep(0.3)
            assert not successor.done()
        assert successor.result(timeout=5).token == lease.token + 1
