import json
import random
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from redis import Redis

from sentiment_platform.entities import feature_key
from sentiment_platform.features.freshness import MISSING, TTL_S, FeatureValue
from sentiment_platform.features.online import (
    OnlineRow,
    decode,
    encode,
    microseconds,
    read,
    write,
)

NOW = datetime(2025, 1, 6, 12, tzinfo=UTC)
VALUES = {"word_count": 7.0, "story_outlets": None}


def put(client: Any, as_of: datetime, entity: str = "article:a", now: datetime = NOW, revision: int = 0, **values: float) -> int:
    return write(client, "v1", [OnlineRow(entity, values or VALUES, as_of, revision)], now)


def get(client: Any, entity: str = "article:a", now: datetime = NOW) -> FeatureValue:
    return read(client, "v1", [entity], now)[0]


def test_what_was_written_is_read_and_the_rest_is_missing(client: Redis) -> None:
    assert put(client, NOW) == 1
    found = read(client, "v1", ["article:b", "article:a"], NOW)
    assert found == [MISSING, FeatureValue("PRESENT", VALUES, NOW)]
    assert read(client, "v1", [], NOW) == []


def test_values_live_a_day_after_each_write(client: Redis) -> None:
    put(client, NOW)
    assert abs(client.ttl(feature_key("v1", "article:a")) - 86_400) <= 1
    client.expire(feature_key("v1", "article:a"), 100)
    put(client, NOW)
    assert abs(client.ttl(feature_key("v1", "article:a")) - 86_400) <= 1
    # A refused write does not prolong the life of what is there.
    client.expire(feature_key("v1", "article:a"), 100)
    assert put(client, NOW - timedelta(seconds=1)) == 0
    assert client.ttl(feature_key("v1", "article:a")) <= 100


def test_a_value_older_than_a_day_is_stale_by_the_clock_and_missing_when_redis_dropped_it(client: Redis) -> None:
    put(client, NOW - timedelta(days=3), now=NOW)
    last, after = NOW + timedelta(seconds=TTL_S), NOW + timedelta(seconds=TTL_S, microseconds=1)
    assert [get(client, now=at).status for at in (NOW, last, after)] == ["PRESENT", "PRESENT", "STALE"]
    assert get(client, now=after).values == VALUES
    client.pexpire(feature_key("v1", "article:a"), 1)
    while client.exists(feature_key("v1", "article:a")):
        pass
    assert get(client) == MISSING


def test_an_older_vector_never_replaces_a_newer_one(client: Redis) -> None:
    assert put(client, NOW, x=2.0) == 1
    assert put(client, NOW - timedelta(microseconds=1), x=1.0) == 0
    assert get(client).values == {"x": 2.0}
    # The same moment may be corrected, a later one replaces.
    assert put(client, NOW, x=3.0) == 1
    assert put(client, NOW + timedelta(microseconds=1), x=4.0) == 1
    assert get(client).values == {"x": 4.0}


def test_a_correction_of_the_same_moment_is_not_undone_by_what_it_corrected(client: Redis) -> None:
    assert put(client, NOW, revision=2, x=2.0) == 1
    assert put(client, NOW, revision=1, x=1.0) == 0
    assert get(client).values == {"x": 2.0}
    assert put(client, NOW, revision=3, x=3.0) == 1
    assert put(client, NOW + timedelta(seconds=1), revision=1, x=4.0) == 1
    assert get(client).values == {"x": 4.0}


def test_a_value_that_began_to_live_earlier_ends_earlier(client: Redis) -> None:
    hours = [0, 6, 23.99999, 30]
    rows = [OnlineRow(f"article:{h}", VALUES, NOW, written_at=NOW - timedelta(hours=h)) for h in hours]
    assert write(client, "v1", rows, NOW) == 4
    left = [client.ttl(feature_key("v1", row.entity)) for row in rows]
    assert [abs(found - wanted) <= 1 for found, wanted in zip(left, [86_400, 64_800, 1, 1], strict=True)] == [True] * 4
    assert [value.status for value in read(client, "v1", ["article:0", "article:30"], NOW)] == ["PRESENT", "STALE"]


def interleaved(client: Redis, redis_url: str, store: Any) -> tuple[int, int]:
    """5,000 writes of 25 entities by 5 threads in shuffled order; (entities that ended old, steps back that a reader saw)."""
    jobs = [
        OnlineRow(f"article:{n % 25}", {"version": float(n // 25)}, NOW + timedelta(microseconds=n // 25)) for n in range(5000)
    ]
    random.Random(1).shuffle(jobs)
    entities = [f"article:{n}" for n in range(25)]

    def work(thread: int) -> None:
        with Redis.from_url(redis_url) as own:
            store(own, jobs[thread::5])

    seen = dict.fromkeys(entities, -1.0)
    steps_back = 0
    with ThreadPoolExecutor(5) as pool:
        running = [pool.submit(work, thread) for thread in range(5)]
        while not all(job.done() for job in running):
            for entity, value in zip(entities, read(client, "v1", entities, NOW), strict=True):
                if value.values is not None:
                    steps_back += value.values["version"] < seen[entity]
                    seen[entity] = max(seen[entity], value.values["version"])
        for job in running:
            job.result()
    final = read(client, "v1", entities, NOW)
    return sum((value.values or {}).get("version") != 199.0 for value in final), steps_back


def test_thousands_of_interleaved_writes_end_with_the_newest_and_no_reader_sees_a_step_back(
    client: Redis, redis_url: str
) -> None:
    assert interleaved(client, redis_url, lambda own, rows: write(own, "v1", rows, NOW, batch=7)) == (0, 0)


def test_plain_writes_fail_the_same_trial(client: Redis, redis_url: str) -> None:
    def last_wins(own: Redis, rows: list[OnlineRow]) -> None:
        for row in rows:
            own.set(feature_key("v1", row.entity), encode("v1", row.values, row.as_of, NOW))

    ended_old, steps_back = interleaved(client, redis_url, last_wins)
    assert ended_old > 0
    assert steps_back > 0


def test_a_key_of_another_type_is_missing_and_is_replaced(client: Redis) -> None:
    client.rpush(feature_key("v1", "article:a"), "not a vector")
    client.hset(feature_key("v1", "article:b"), "field", "value")
    assert [value.status for value in read(client, "v1", ["article:a", "article:b"], NOW)] == ["MISSING", "MISSING"]
    assert write(client, "v1", [OnlineRow(f"article:{n}", VALUES, NOW) for n in "abc"], NOW) == 3
    assert get(client).status == get(client, "article:b").status == "PRESENT"
    assert abs(client.ttl(feature_key("v1", "article:a")) - 86_400) <= 1


def stored(**changes: object) -> bytes:
    document = json.loads(encode("v1", VALUES, NOW, NOW)) | changes
    return json.dumps({name: value for name, value in document.items() if value != "absent"}).encode()


GARBAGE = [
    b"",
    b"\xff\x00\xfe",
    b"null",
    b"[]",
    b"3",
    b'"text"',
    b"{}",
    b"[" * 100_000,
    stored(schema="absent"),
    stored(schema="v2"),
    stored(schema=1),
    stored(values="absent"),
    stored(values=[1, 2]),
    stored(values={"x": "1"}),
    stored(values={"x": [1]}),
    stored(values={"x": True}),
    stored(values={"x": float("nan")}),
    stored(values={"x": float("inf")}),
    stored(as_of_us="absent"),
    stored(as_of_us="yesterday"),
    stored(as_of_us=None),
    stored(written_at_us=float("nan")),
    stored(written_at_us=1e300),
    stored(written_at_us="absent"),
    # Fresh for ever, and never to be replaced: what somebody would write who wants it to stay.
    stored(written_at_us=microseconds(NOW + timedelta(days=2))),
    stored(as_of_us=microseconds(NOW + timedelta(days=2))),
]


@pytest.mark.parametrize("raw", GARBAGE, ids=lambda raw: raw[:60].decode("latin-1"))
def test_what_no_writer_of_this_schema_wrote_is_missing_and_is_replaced(client: Redis, raw: bytes) -> None:
    assert decode(stored(), "v1", NOW).status == "PRESENT"
    client.set(feature_key("v1", "article:a"), raw)
    assert get(client) == MISSING
    assert put(client, NOW + timedelta(seconds=1)) == 1
    assert get(client).status == "PRESENT"


@settings(max_examples=300, deadline=None)
@given(raw=st.binary(max_size=200) | st.text(max_size=200))
def test_no_stored_bytes_make_a_reader_fail(raw: bytes | str) -> None:
    assert decode(raw, "v1", NOW) == MISSING


@settings(max_examples=200, deadline=None)
@given(
    values=st.dictionaries(st.text(max_size=8), st.none() | st.floats(allow_nan=False, allow_infinity=False), max_size=5),
    as_of=st.datetimes(datetime(1980, 1, 1), datetime(2025, 1, 7), timezones=st.just(UTC)),
)
def test_values_and_times_come_back_exactly(values: dict[str, float | None], as_of: datetime) -> None:
    assert decode(encode("v1", values, as_of, NOW), "v1", NOW) == FeatureValue("PRESENT", values, as_of)
    assert microseconds(as_of) < 2**53
