import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

import pytest
from redis import Redis
from sqlalchemy import Engine, text

from sentiment_platform.features.online import OnlineRow, write
from sentiment_platform.features.pipeline import refresh_context, run
from sentiment_platform.features.recomputation import Replay, evaluate_replay
from sentiment_platform.features.schema import SCHEMAS, FeatureSchema
from sentiment_platform.market.bars import RawBar
from sentiment_platform.market.prices import store_bars
from sentiment_platform.store.market import WrittenBars
from sentiment_platform.store.predictions import insert_new
from sentiment_platform_tests.features.articles import DAY, NEXT, article, insert
from serving.links.redis_link import RedisLink
from serving.predict.online_features import FeatureReader, Input

REFRESHED = DAY + timedelta(hours=6)
LAST_SESSION = date(2025, 1, 3)
ASKED = [
    Input("Company 3 raises its outlook by 3% after a GREAT quarter!", "T3", "Outlet 3", REFRESHED),
    Input("Words that no article has", "T1", "Outlet 1"),
    Input("Words that no article has", "NONE", "Nowhere"),
    Input("Words that no article has"),
]


def serve(redis_url: str, engine: Engine, schema: FeatureSchema, asked: Sequence[Input], at: datetime) -> None:
    """Look features up as the serving process does, and store the predictions as its journal does."""

    async def read() -> list[Any]:
        link = RedisLink(redis_url, timeout_s=5)
        await link.probe()
        reader = FeatureReader(link, clock=lambda: at)
        found = [await reader.read(one, schema.version) for one in asked]
        await link.close()
        return found

    rows = [
        {
            "id": f"{schema.version}-{number}-{at:%H%M}",
            "predicted_at": at,
            "route": "/predict",
            "family": "vader",
            "model_version": "v1.0.0-vader",
            "manifest_digest": "ab" * 32,
            "deployment_revision": 1,
            "text": one.text,
            "text_hash": "cd" * 32,
            "ticker": one.ticker,
            "source": one.source,
            "published_at": one.published_at,
            "feature_schema": schema.version,
            "features": found.values,
            "features_hash": "ef" * 32,
            "feature_status": found.status,
            "probabilities": [0.2, 0.3, 0.5],
            "sentiment": 0.3,
            "confidence": 0.5,
            "cache_hit": False,
            "degraded": False,
            "latency_ms": {},
            "instance": "test",
        }
        for number, (one, found) in enumerate(zip(asked, asyncio.run(read()), strict=True))
    ]
    with engine.begin() as connection:
        insert_new(connection, predictions=rows)


def prices(engine: Engine, first: float = 100.0, fetched_at: datetime = DAY - timedelta(hours=1)) -> WrittenBars:
    days = [DAY.date() - timedelta(days=n) for n in range(1, 40)]
    closes = {day: first + day.toordinal() % 7 for day in days if day.weekday() < 5}
    bars = [RawBar(symbol="T1", session=day, open=p, high=p, low=p, close=p, volume=1, payload={}) for day, p in closes.items()]
    with engine.begin() as connection:
        return store_bars(connection, bars, source="test", run_id="run", now=fetched_at).written


@pytest.fixture(params=["v1", "v2"])
def schema(request: pytest.FixtureRequest, engine: Engine, client: Redis, redis_url: str) -> FeatureSchema:
    """News of a day with copies, features and context of one schema, predictions at three moments."""
    schema = SCHEMAS[request.param]
    insert(engine, [article(n, n, tickers=(f"T{n % 5}",), outlet=f"Outlet {n % 7}") for n in range(300)])
    prices(engine)
    for hour in (2, 4, 6):
        now = DAY + timedelta(hours=hour)
        with engine.begin() as connection:
            # What was not yet fetched was not yet there.
            connection.execute(
                text("CREATE TABLE later AS SELECT * FROM platform.raw_data WHERE fetched_at > :now"), {"now": now}
            )
            connection.execute(text("DELETE FROM platform.story_clusters WHERE article_id IN (SELECT id FROM later)"))
            connection.execute(text("DELETE FROM platform.sightings WHERE article_id IN (SELECT id FROM later)"))
            connection.execute(text("DELETE FROM platform.raw_data WHERE id IN (SELECT id FROM later)"))
        run(engine, client, schema, DAY, NEXT, now, run_id="run")
        refresh_context(engine, client, schema, now)
        with engine.begin() as connection:
            connection.execute(text("INSERT INTO platform.raw_data SELECT * FROM later"))
            connection.execute(text("DROP TABLE later"))
        serve(redis_url, engine, schema, ASKED, now + timedelta(minutes=7))
    return schema


def replayed(engine: Engine) -> Replay:
    return evaluate_replay(engine, REFRESHED + timedelta(hours=1))


def differences(engine: Engine) -> set[tuple[str, str]]:
    return {(one.prediction_id[:4], one.differs_from) for one in replayed(engine).different}


def change(engine: Engine, statement: str, **values: object) -> None:
    with engine.begin() as connection:
        assert connection.execute(text(statement), values).rowcount > 0


def test_every_served_vector_can_be_computed_again_from_raw_data(engine: Engine, schema: FeatureSchema) -> None:
    found = replayed(engine)
    assert (found.compared, found.with_context, found.different) == (12, 6, ())
    with engine.connect() as connection:
        vectors = connection.execute(text("SELECT features FROM platform.predictions WHERE id LIKE '%-1-%'")).scalars().all()
    assert len({tuple(vector) for vector in vectors}) == 3, "context changed from hour to hour"
    if schema.version == "v2":
        assert None not in vectors[0][len(SCHEMAS["v1"].names) :], "every rolling value was there"


def test_a_served_number_that_is_wrong_by_a_hair_is_found(engine: Engine, schema: FeatureSchema) -> None:
    position = schema.names.index("vader_compound") + 1
    change(engine, f"UPDATE platform.predictions SET features[{position}] = features[{position}] + 1e-15 WHERE id LIKE '%-1-06%'")
    assert differences(engine) == {(f"{schema.version}-1", "the text")}


def test_a_poisoned_online_value_is_found(engine: Engine, schema: FeatureSchema, client: Redis, redis_url: str) -> None:
    values = dict.fromkeys(schema.names_of("ticker"), 0.5)
    write(client, schema.version, [OnlineRow("ticker:T1", values, REFRESHED, 99)], REFRESHED)
    serve(redis_url, engine, schema, [replace(ASKED[1], text="Another")], REFRESHED + timedelta(minutes=9))
    assert differences(engine) == {(f"{schema.version}-0", "the stored rows")}


def test_stored_context_that_raw_data_does_not_give_is_found(engine: Engine, schema: FeatureSchema) -> None:
    change(engine, "UPDATE platform.raw_data SET tickers = '{T1}' WHERE tickers = '{T2}'")
    assert (f"{schema.version}-1", "the raw data") in differences(engine)
    assert (f"{schema.version}-2", "the raw data") not in differences(engine)


def test_a_later_sighting_changes_no_earlier_vector_and_no_replay(engine: Engine, schema: FeatureSchema, client: Redis) -> None:
    def rows() -> list[tuple[object, ...]]:
        query = text("SELECT entity, as_of, values, revision FROM platform.processed_features ORDER BY entity, as_of")
        with engine.connect() as connection:
            return [tuple(row) for row in connection.execute(query)]

    run(engine, client, schema, DAY, NEXT, REFRESHED, run_id="run")
    before, chance = rows(), Random(5)
    later = []
    for n in range(300):
        at = DAY + timedelta(minutes=n + chance.uniform(0.1, 400))
        tickers = tuple(f"T{chance.randrange(9)}" for _ in range(3))
        changes = {"source": "other", "external_id": f"again {n}", "fetched_at": at, "available_at": at, "run_id": "later"}
        later.append(article(n, n, tickers=tickers, outlet=f"Outlet {n % 7}", **changes))
    insert(engine, later)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM platform.sightings WHERE source = 'other'")).scalar_one() == 300
    run(engine, client, schema, DAY, NEXT, REFRESHED, run_id="run")
    assert rows() == before
    assert replayed(engine).different == ()


@pytest.mark.parametrize("schema", ["v2"], indirect=True)
def test_prices_that_were_revised_since_are_those_of_then(engine: Engine, schema: FeatureSchema) -> None:
    """A dividend adjusts weeks of bars anew; what was served before was right all the same."""
    for n, first in enumerate((90.0, 80.0)):
        assert prices(engine, first, REFRESHED + timedelta(minutes=10 + n)).revised > 20
    assert replayed(engine).different == ()
    # The control: a former word that was not this one is found.
    change(
        engine, "UPDATE platform.price_revisions SET close = 1 + close WHERE revision = 0 AND session = :day", day=LAST_SESSION
    )
    assert differences(engine) == {(f"{schema.version}-1", "the raw data")}


def test_a_story_told_otherwise_than_served_is_found(engine: Engine, schema: FeatureSchema) -> None:
    change(engine, "UPDATE platform.raw_data SET available_at = available_at + interval '1 hour' WHERE id = :id", id=f"{3:032}")
    assert (f"{schema.version}-0", "the raw data") in differences(engine)


def test_a_value_that_should_have_been_there_is_missed(engine: Engine, schema: FeatureSchema) -> None:
    """MISSING excuses; PRESENT with nothing in it does not."""
    none = ", ".join(f"features[{schema.names.index(name) + 1}] = NULL" for name in schema.names_of("ticker"))
    change(engine, f"UPDATE platform.predictions SET {none} WHERE id LIKE '%-1-06%'")
    assert differences(engine) == {(f"{schema.version}-1", "the stored rows")}
    change(engine, "UPDATE platform.predictions SET feature_status = 'MISSING' WHERE id LIKE '%-1-06%'")
    assert differences(engine) == set()
