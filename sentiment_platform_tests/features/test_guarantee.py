"""The guarantee of `features.online`, under writers that are killed between PostgreSQL and Redis while others write the same keys."""

from dataclasses import dataclass
from datetime import datetime

import pytest
from redis import Redis
from sqlalchemy import Engine, text

from sentiment_platform.features.online import read
from sentiment_platform.features.reconciliation import compare, reconcile
from sentiment_platform.features.schema import V1
from sentiment_platform.store.vectors import features_as_of
from sentiment_platform_tests.features.articles import NOW
from sentiment_platform_tests.features.storm import ENTITIES, Storm, postgresql_first, redis_first

State = dict[str, tuple[datetime, float | None]]
POSITION = V1.names.index("ticker_articles_1d")


@dataclass
class Observed:
    """What a reader saw while it stormed."""

    looks: int = 0
    newer_than_postgresql: int = 0
    steps_back: int = 0
    cycles: int = 0
    older_than_a_cycle: int = 0


def in_redis(client: Redis) -> State:
    values = read(client, "v1", ENTITIES, NOW)
    return {
        entity: (value.as_of, (value.values or {}).get("ticker_articles_1d"))
        for entity, value in zip(ENTITIES, values, strict=True)
        if value.as_of is not None
    }


def in_postgresql(engine: Engine) -> State:
    with engine.connect() as connection:
        rows = features_as_of(connection, "v1", ENTITIES, NOW)
    return {entity: (row.as_of, row.values[POSITION]) for entity, row in rows.items()}


def watch(storm: Storm, engine: Engine, client: Redis, *, repair: bool) -> Observed:
    seen = Observed()
    last: State = {}
    while storm.running():
        # Redis first: PostgreSQL has only gained since, so whatever is newer here was never committed.
        online, offline = in_redis(client), in_postgresql(engine)
        seen.looks += 1
        seen.newer_than_postgresql += sum(
            entity not in offline or as_of > offline[entity][0] for entity, (as_of, _) in online.items()
        )
        seen.steps_back += sum(entity in online and online[entity][0] < as_of for entity, (as_of, _) in last.items())
        last = online
        if repair and seen.looks % 5 == 0:
            owed = in_postgresql(engine)
            reconcile(engine, client, V1, NOW)
            kept = in_redis(client)
            seen.cycles += 1
            seen.older_than_a_cycle += sum(entity not in kept or kept[entity][0] < as_of for entity, (as_of, _) in owed.items())
    return seen


def stored_writes(engine: Engine) -> int:
    with engine.connect() as connection:
        return connection.execute(text("SELECT sum(revision) FROM platform.processed_features")).scalar_one()


@pytest.mark.slow
def test_ten_thousand_writes_with_crashes_leave_redis_never_newer_and_never_older_than_one_cycle(
    engine: Engine, client: Redis, database_url: str, redis_url: str
) -> None:
    storm = Storm(database_url, redis_url, postgresql_first)
    try:
        seen = watch(storm, engine, client, repair=True)
    finally:
        storm.stop()
    assert storm.crashes > 30
    assert seen.cycles > 5
    assert (seen.newer_than_postgresql, seen.steps_back, seen.older_than_a_cycle) == (0, 0, 0)
    assert stored_writes(engine) > 7_000
    assert reconcile(engine, client, V1, NOW).after_repair.differences == ()
    assert compare(engine, client, V1, NOW).differences == ()
    assert in_redis(client) == in_postgresql(engine)


def test_without_reconciliation_the_dead_leave_redis_older(
    engine: Engine, client: Redis, database_url: str, redis_url: str
) -> None:
    storm = Storm(database_url, redis_url, postgresql_first, writes=1_000)
    try:
        seen = watch(storm, engine, client, repair=False)
    finally:
        storm.stop()
    assert seen.newer_than_postgresql == 0
    found = compare(engine, client, V1, NOW)
    assert found.differences != ()
    assert {difference.fault for difference in found.differences} <= {"missing", "older", "different"}


def test_the_other_order_fails_the_same_trial(engine: Engine, client: Redis, database_url: str, redis_url: str) -> None:
    storm = Storm(database_url, redis_url, redis_first, writes=1_000)
    try:
        seen = watch(storm, engine, client, repair=False)
    finally:
        storm.stop()
    assert seen.newer_than_postgresql > 0
