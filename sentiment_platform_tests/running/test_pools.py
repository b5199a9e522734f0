"""What is prepared before the first run: the pools in which steps wait for one another."""

import threading
import time
from collections.abc import Callable, Iterator

import dagster as dg
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from sentiment_platform.local.session import session
from sentiment_platform.running.headless import dagster_instance, job_named
from sentiment_platform.running.pools import know_every_pool, know_pools
from sentiment_platform.settings import Settings
from sentiment_platform_tests.serving.running import environment_of
from sentiment_platform_tests.source_code import ROOT

pytestmark = pytest.mark.slow
POOLS = ("collection", "features", "prices", "promotion", "sentiment", "training")


@pytest.fixture
def instance(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    """Dagster's own tables in PostgreSQL, as dagster.yaml has them; no pool is known."""
    monkeypatch.chdir(ROOT)
    for name, value in environment_of(settings).items():
        monkeypatch.setenv(name, value)
    with session(), dagster_instance() as instance:
        yield instance


def limits(instance: dg.DagsterInstance) -> dict[str, int]:
    return {pool.name: pool.limit for pool in instance.event_log_storage.get_pool_limits()}


def test_every_pool_gets_room_for_one_step_also_where_another_process_enters_it_at_this_moment_and_other_limits_stay(
    instance: dg.DagsterInstance, engine: Engine
) -> None:
    assert limits(instance) == {}
    with pytest.raises(DBAPIError):
        # Why there is a `know_pools`: what Dagster itself does at the first step of a run.
        while_another_enters(
            "training", engine, lambda: instance.event_log_storage.initialize_concurrency_limit_to_default("training")
        )
    while_another_enters("collection", engine, lambda: know_pools(instance, [job_named("collect_job")]))
    assert set(limits(instance)) == {"training", "collection", "features", "sentiment"}
    instance.event_log_storage.set_concurrency_slots("sentiment", 4)
    for _ in range(2):
        know_every_pool(instance)
        assert limits(instance) == dict.fromkeys(POOLS, 1) | {"sentiment": 4}


def while_another_enters(pool: str, engine: Engine, enter: Callable[[], None]) -> None:
    """Call `enter` while a transaction that has entered the pool is open; it ends once the call waits for it."""
    failed: list[Exception] = []

    def call() -> None:
        try:
            enter()
        except Exception as error:
            failed.append(error)

    caller = threading.Thread(target=call)
    with engine.begin() as connection:
        connection.execute(
            text(
                'INSERT INTO dagster.concurrency_limits (concurrency_key, "limit", using_default_limit) VALUES (:pool, 1, true)'
            ),
            {"pool": pool},
        )
        caller.start()
        ends = time.monotonic() + 20
        while not connection.execute(text("SELECT count(*) FROM pg_locks WHERE NOT granted")).scalar_one():
            assert time.monotonic() < ends
            time.sleep(0.02)
    caller.join(20)
    if failed:
        raise failed[0]
