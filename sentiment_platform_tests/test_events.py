"""Claims about public events: they are told to Redis with a best effort, and what was told before is not told again."""

import time
from datetime import UTC, datetime

import msgspec
import redis
from sqlalchemy import Engine

from sentiment_platform.alerts.announcing import announce
from sentiment_platform.alerts.incidents import Changes
from sentiment_platform.entities import EVENTS_KEY, unknown_keys
from sentiment_platform.events import KEPT, MOST_AT_ONCE, RetrainDecided, publish
from sentiment_platform.features.schema import V1
from sentiment_platform.local.processes.ports import free_port
from sentiment_platform.monitoring.announcing import announce_decision, announce_drift
from sentiment_platform.monitoring.drift import measure_drift
from sentiment_platform.monitoring.retraining import decide_and_store
from sentiment_platform.store.incidents import Incident, open_incident, resolve_incident
from sentiment_platform_tests.monitoring.seeding import NOW, seed_deployed, seed_weeks
from sentiment_platform_tests.public_events import told

AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def decided(name: str) -> RetrainDecided:
    return RetrainDecided(at=AT, decision_id=name, retrain=True, reason=f"because of {name}")


def test_what_is_published_stands_in_redis_in_order_for_a_day_and_under_a_known_key(redis_url: str) -> None:
    assert publish(redis_url, [decided("a"), decided("b")]) == 2
    assert publish(redis_url, []) == 0
    assert told(redis_url) == [decided("a"), decided("b")]
    with redis.Redis.from_url(redis_url) as client:
        assert 0 < client.ttl(EVENTS_KEY) <= 86_400
        assert unknown_keys(client) == []


def test_many_events_are_cut_to_the_newest_and_the_stream_stays_short(redis_url: str) -> None:
    for _ in range(8):
        assert publish(redis_url, [decided(str(number)) for number in range(2 * MOST_AT_ONCE)]) == MOST_AT_ONCE
    kept = told(redis_url)
    assert kept[-1] == decided(str(2 * MOST_AT_ONCE - 1))
    assert KEPT <= len(kept) < 8 * MOST_AT_ONCE


def test_without_redis_nothing_is_told_nothing_fails_and_nobody_waits_long() -> None:
    began = time.monotonic()
    for url in ("", f"redis://127.0.0.1:{free_port()}/0", "no address"):
        assert publish(url, [decided("a")]) == 0
    assert time.monotonic() - began < 5


def test_incidents_are_told_when_they_open_and_when_they_are_over(engine: Engine, redis_url: str) -> None:
    incident = Incident(fingerprint="disk", category="system", severity="critical", source="tests", summary="The disk is full.")
    with engine.begin() as connection:
        open_incident(connection, incident, AT)
    assert announce(engine, redis_url, Changes((), ()), AT) == 0  # the control
    assert announce(engine, redis_url, Changes(("disk",), ()), AT) == 1
    with engine.begin() as connection:
        resolve_incident(connection, "disk", AT)
    assert announce(engine, redis_url, Changes((), ("disk",)), AT) == 1
    opened, resolved = (msgspec.to_builtins(event) for event in told(redis_url))
    assert (opened["type"], resolved["type"], opened["id"]) == ("alert_opened", "alert_resolved", resolved["id"])
    assert (opened["class"], opened["severity"], opened["summary"]) == ("system", "critical", "The disk is full.")


def test_a_drift_report_and_a_decision_are_told_once(engine: Engine, redis_url: str) -> None:
    seed_deployed(engine)
    seed_weeks(engine, (2, 3))
    seed_weeks(engine, (0, 1), shift=dict.fromkeys(V1.names[:8], 3.0))
    for run in ("first", "second"):
        announce_drift(redis_url, measure_drift(engine, NOW), NOW)
        announce_decision(redis_url, decide_and_store(engine, NOW, run_id=run), NOW)
    events = [msgspec.to_builtins(event) for event in told(redis_url)]
    assert [event["type"] for event in events] == ["drift_report", "retrain_decision"]
    assert "word_count" in events[0]["drifted"]
    assert (events[1]["retrain"], events[0]["version"]) == (True, "v1.0.0-vader")
