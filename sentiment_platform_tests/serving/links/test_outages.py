"""Claims about Redis, PostgreSQL and the process itself going away: predictions go on, and nothing acknowledged is lost."""

import os
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import psutil
import pytest
from sqlalchemy import Engine, func, select

from sentiment_platform.entities import feature_key
from sentiment_platform.features import online
from sentiment_platform.local.parts.postgres import LocalPostgres
from sentiment_platform.local.parts.redis import LocalRedis
from sentiment_platform.settings import Settings
from sentiment_platform.store.api_keys import create_key
from sentiment_platform.store.engine import create_platform_engine
from sentiment_platform.store.tables import Feedback, Prediction
from sentiment_platform_tests.faults.postgres import own_server
from sentiment_platform_tests.serving.conftest import StartServing
from sentiment_platform_tests.serving.publishing import Publisher
from sentiment_platform_tests.serving.running import ServingProcess, metric

pytestmark = pytest.mark.slow

TEXT = "Harbour Mills reports great profit"


@pytest.fixture
def own_redis(servers_dir: Path) -> Iterator[LocalRedis]:
    state = servers_dir / "serving-redis"
    state.mkdir(mode=0o711, exist_ok=True)
    server = LocalRedis(state)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def own_postgres(servers_dir: Path) -> Iterator[LocalPostgres]:
    with own_server(servers_dir / "serving-postgres") as server:
        yield server


def stored_predictions(engine: Engine) -> set[str]:
    with engine.connect() as connection:
        return set(connection.execute(select(Prediction.id)).scalars())


def timed(serving: ServingProcess, **fields: Any) -> tuple[dict[str, Any], float]:
    started = time.perf_counter()
    answer = serving.predict(TEXT, **fields)
    return answer, time.perf_counter() - started


def test_redis_killed_or_frozen_costs_the_cache_and_the_context_and_nothing_else(
    settings: Settings, own_redis: LocalRedis, publisher: Publisher, start_serving: StartServing
) -> None:
    import redis

    publisher.deploy(publisher.model())
    serving = start_serving(over=replace(settings, redis_url=own_redis.url))
    asked = {"ticker": "hml", "source": "Quill"}
    assert timed(serving)[0]["feature_status"] == "MISSING"
    with redis.Redis.from_url(own_redis.url) as client:
        rows = [("ticker:HML", {"ticker_articles_1d": 4.0}), ("source:quill", {"source_articles_7d": 9.0})]
        now = serving_now()
        online.write(client, "v1", [online.OnlineRow(entity, values, now) for entity, values in rows], now)
        answer = serving.predict(TEXT, **asked)
        assert answer["feature_status"] == "PRESENT"
        assert serving.predict(TEXT, **asked)["performance"]["cache_hit"] is True
        (key,) = client.keys("prediction:*:v1:*") if client.dbsize() == 3 else client.keys("prediction:*:v1:*")[:1]
        assert 3240 <= client.ttl(key) <= 3600
        for garbage in (
            b"\xff\x00",
            b"[]",
            b'{"schema":"v1","probabilities":[2,0,-1]}',
            b'{"schema":"v0","probabilities":[1,0,0]}',
        ):
            for poisoned in client.keys("prediction:*"):
                client.set(poisoned, garbage)
            poisoned_answer = serving.predict(TEXT, **asked)
            assert poisoned_answer["prediction"] == answer["prediction"]
            assert poisoned_answer["performance"]["cache_hit"] is False
            # The answer did not wait for the cache to be written; the next one finds it.
            assert serving.predict(TEXT, **asked)["performance"]["cache_hit"] is True
        for entity in ("ticker:HML", "source:quill"):
            client.set(feature_key("v1", entity), b'{"values": 1}')
        assert serving.predict(TEXT, **asked)["feature_status"] == "MISSING"

    assert own_redis.pid is not None
    os.kill(own_redis.pid, signal.SIGSTOP)
    frozen = [timed(serving, **asked) for _ in range(12)]
    os.kill(own_redis.pid, signal.SIGCONT)
    for answered, _ in frozen:
        assert answered["prediction"]["model_used"] == "vader"
        assert answered["performance"]["cache_hit"] is False
        assert answered["feature_status"] == "MISSING"
    assert max(seconds for _, seconds in frozen) < 1, "redis-py's own retries would hold a request for seconds"
    assert sorted(seconds for _, seconds in frozen)[6] < 0.05, "after a few tries nobody waits for it"
    serving.wait_until(lambda: serving.predict(TEXT, **asked)["performance"]["cache_hit"], 5)
    for number in range(20):
        # A reply that was still under way when a request gave up must not be taken for another's.
        fresh = serving.predict(f"{TEXT} {number}")
        assert serving.predict(f"{TEXT} {number}")["prediction"] == fresh["prediction"]

    own_redis.stop()
    for _ in range(10):
        assert serving.predict(TEXT, **asked)["prediction"]["price_direction"] == "bullish"
    serving.wait_until(lambda: serving.health()["dependencies"]["redis"]["status"] == "down")
    assert serving.answers("/health"), "Redis is not needed to answer"


def serving_now() -> Any:
    from sentiment_platform.clock import utc_now

    return utc_now()


def test_with_postgres_away_everything_is_answered_and_later_exactly_everything_is_stored(
    settings: Settings, own_postgres: LocalPostgres, publisher: Publisher, start_serving: StartServing
) -> None:
    publisher.deploy(publisher.model())
    serving = start_serving(over=replace(settings, database_url=own_postgres.url))
    identities = {serving.predict(f"{TEXT} {number}")["prediction_id"] for number in range(20)}
    serving.wait_until(lambda: serving.health()["journal_backlog_records"] == 0)
    engine = create_platform_engine(own_postgres.url)
    with engine.begin() as connection:
        key = create_key(connection, "viewer", "a desk")
    engine.dispose()
    own_postgres.stop()
    identities |= {serving.predict(f"{TEXT} {number}")["prediction_id"] for number in range(20, 60)}
    first = min(identities)
    reply = serving.client.post("/feedback", json={"prediction_id": first, "label": "positive", "comment": "yes"})
    assert (reply.status_code, reply.json()["voice"]) == (202, "anonymous")
    voices: dict[str, str | None] = {reply.json()["feedback_id"]: None}
    for presented, voice in ((key, f"{key.split('_')[1]}/reader-7"), (f"{key}x", None)):
        said = {"prediction_id": first, "label": "neutral", "client_id": "reader-7"}
        unchecked = serving.client.post("/feedback", json=said, headers={"X-API-Key": presented})
        assert (unchecked.status_code, unchecked.json()["voice"]) == (202, "unchecked")
        voices[unchecked.json()["feedback_id"]] = voice
    on_disk = b"".join(path.read_bytes() for path in (serving.settings.state_dir / "journal").glob("*.journal"))
    assert key.split("_", 2)[2].encode() not in on_disk
    for path in ("/models/performance", "/monitoring/drift", "/monitoring/deployments", "/monitoring/alerts"):
        refused = serving.client.get(path)
        assert refused.status_code == 503
        assert refused.headers["retry-after"]
        assert refused.json()["detail"].startswith("The database is not available (it gives no answer).")
    unchecked = serving.client.post("/models/rollback", json={"reason": "test"}, headers={"X-API-Key": key})
    assert (unchecked.status_code, "SENTIMENT_ADMIN_KEY" in unchecked.json()["detail"]) == (503, True)
    assert serving.health()["journal_backlog_records"] >= 43
    assert serving.answers("/health"), "PostgreSQL is not needed to answer"

    # The process dies as well: what it acknowledged is on the disk, the next one ships it.
    assert serving.process is not None
    serving.process.kill()
    serving.process.wait()
    own_postgres.start()
    again = start_serving(over=replace(settings, database_url=own_postgres.url))
    load = again.predict(TEXT, traffic="load_test")["prediction_id"]
    identities.add(load)
    assert again.terminate() == 0, "the rest is shipped on the way out"
    engine = create_platform_engine(own_postgres.url)
    assert stored_predictions(engine) == identities
    with engine.connect() as connection:
        rows = {row.id: row for row in connection.execute(select(Feedback.__table__))}
        shown = connection.execute(select(Prediction.__table__).where(Prediction.id == first)).mappings().one()
        marked = connection.execute(select(Prediction.id).where(Prediction.traffic == "load_test")).scalars().all()
    engine.dispose()
    assert marked == [load], "what a load test asked is kept with its mark"
    row = rows[reply.json()["feedback_id"]]
    assert (row.prediction_id, row.label) == (first, "positive")
    assert {identity: row.voice for identity, row in rows.items()} == voices, "keys are checked once they can be"
    assert shown["route"] == "/predict"
    assert shown["deployment_revision"] == 1
    assert len(shown["features"]) == 15
    assert shown["text"].startswith(TEXT)


def test_a_frozen_postgres_holds_up_neither_health_nor_predictions(
    settings: Settings, own_postgres: LocalPostgres, publisher: Publisher, start_serving: StartServing
) -> None:
    publisher.deploy(publisher.model())
    serving = start_serving(over=replace(settings, database_url=own_postgres.url))
    serving.wait_until(lambda: serving.health()["dependencies"]["postgresql"]["status"] == "ok")
    assert own_postgres.pid is not None
    server = psutil.Process(own_postgres.pid)
    family = [server, *server.children(recursive=True)]
    for process in family:
        process.suspend()
    try:
        durations: list[float] = []
        ends = time.monotonic() + 4
        while time.monotonic() < ends:
            started = time.perf_counter()
            assert serving.answers("/health")
            durations.append(time.perf_counter() - started)
            serving.predict(TEXT)
        assert sorted(durations)[len(durations) // 2] < 0.05
        started = time.perf_counter()
        assert serving.client.get("/monitoring/deployments").status_code == 503
        assert time.perf_counter() - started < 4
    finally:
        for process in family:
            process.resume()
    serving.wait_until(lambda: serving.answers("/monitoring/deployments"), 10)
    serving.wait_until(lambda: serving.health()["journal_backlog_records"] == 0)


def test_a_record_that_the_database_refuses_is_set_aside_and_holds_up_nothing(
    settings: Settings, engine: Engine, publisher: Publisher, start_serving: StartServing
) -> None:
    publisher.deploy(publisher.model())
    with engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE platform.predictions ADD CONSTRAINT no_bad_news CHECK (text <> 'poison')")
    serving = start_serving()
    identities = [serving.predict(text)["prediction_id"] for text in ("before", "poison", "after")]
    serving.wait_until(lambda: serving.health()["journal_backlog_records"] == 0)
    assert stored_predictions(engine) == {identities[0], identities[2]}
    assert metric(serving.client.get("/metrics").text, "serving_journal_rejected_total") == 1
    assert identities[1] in (settings.state_dir / "journal" / "rejected").read_text()


def test_shipping_twice_stores_once(engine: Engine, database_url: str, tmp_path: Path) -> None:
    from sentiment_platform_tests.serving.feedback import record
    from serving.journal.journal import Journal
    from serving.journal.shipper import Shipper
    from serving.links.database import Database
    from serving.metrics import Metrics

    journal = Journal(tmp_path / "journal")
    for number in range(3):
        journal.append(record(number))
    (segment,) = journal.sealed()
    copy = segment.read_bytes()
    database = Database(database_url)
    shipper = Shipper(journal, database, Metrics())
    assert shipper.ship() == 3
    segment.write_bytes(copy)
    journal.close()
    again = Journal(tmp_path / "journal")
    assert Shipper(again, database, Metrics()).ship() == 3
    with engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(Feedback)).scalar() == 3
    again.close()
    database.close()


def test_what_a_shadow_answered_is_shipped_once_whoever_made_it_first(engine: Engine, database_url: str, tmp_path: Path) -> None:
    from sentiment_platform.store.tables import ShadowAnswer
    from serving.journal.journal import Journal
    from serving.journal.journal_records import ShadowRecord
    from serving.journal.shipper import Shipper
    from serving.links.database import Database
    from serving.metrics import Metrics

    answered = ShadowRecord(
        id="one",
        prediction_id="p",
        experiment="trial",
        phase=1,
        model_version="v1.1.0-vader",
        manifest_digest="ab" * 32,
        answered_at=datetime(2026, 3, 2, tzinfo=UTC),
        probabilities=[0.2, 0.3, 0.5],
        latency_ms=1.5,
    )
    failed = msgspec.structs.replace(answered, id="two", prediction_id="q", probabilities=None, failure="too late")
    journal, database = Journal(tmp_path / "journal"), Database(database_url)
    for record in (answered, failed, answered):
        journal.append(record)
    assert Shipper(journal, database, Metrics()).ship() == 3
    with engine.connect() as connection:
        query = select(ShadowAnswer.id, ShadowAnswer.probabilities, ShadowAnswer.failure, ShadowAnswer.made_by)
        rows = [tuple(row) for row in connection.execute(query.order_by(ShadowAnswer.id))]
    assert rows == [("one", [0.2, 0.3, 0.5], None, "serving"), ("two", None, "too late", "serving")]
    journal.close()
    database.close()
