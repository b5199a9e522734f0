"""Claims about limits as arithmetic: the plain model, this process's buckets and the script in Redis decide alike, to the microsecond."""

import asyncio
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from redis import Redis

from sentiment_platform.errors import SettingsError
from sentiment_platform.features.schema import V1
from sentiment_platform_tests.serving.edge.gcra_model import ADDRESS, KEY, PlainModel, ask_from_processes, too_many_let_in
from serving.edge.gcra import SCRIPT, Bucket, Limit, LocalBuckets, limit_of
from serving.edge.rate_limit import RateLimiter
from serving.links.redis_link import RedisLink
from serving.metrics import Metrics
from serving.predict.online_features import FeatureReader, Input

EVENTS = st.lists(
    st.tuples(st.integers(0, 40_000), st.integers(1, 60), st.sampled_from("ab"), st.sampled_from("xyz")), max_size=60
)


@settings(max_examples=200, deadline=None)
@given(events=EVENTS)
def test_the_buckets_of_a_process_decide_as_the_plain_model(events: list[tuple[int, int, str, str]]) -> None:
    model, buckets, now = PlainModel(), LocalBuckets(), 10**9
    for passed, cost, address, key in events:
        now += passed
        taken = buckets.take([Bucket(ADDRESS, address), Bucket(KEY, key)], cost, now)
        assert (taken.refused is None) == model.admits([(address, ADDRESS), (f"key {key}", KEY)], cost, now)
        if taken.refused is not None:
            # Whoever comes back when it was told is let in, and a microsecond earlier not.
            early = LocalBuckets()
            early._tats = buckets._tats.copy()
            both = [Bucket(ADDRESS, address), Bucket(KEY, key)]
            assert early.take(both, cost, now + taken.wait_us - 1).refused is not None
            assert early.take(both, cost, now + taken.wait_us).refused is None


@pytest.mark.parametrize("processes", [1, 2, 3, 7])
def test_processes_that_count_alone_give_together_no_more_than_the_limit(processes: int) -> None:
    limit = Limit("address", 50_000, 40)
    buckets = [LocalBuckets() for _ in range(processes)]
    taken = sum(
        buckets[n % processes].take([Bucket(limit.shared_by(processes), "one")], 1, n * 1_000).refused is None
        for n in range(1_000)
    )
    # The burst, and the tokens of a second; whole ones, so that each process may lack one of either.
    assert 40 + 20 - 2 * processes <= taken <= 40 + 20
    assert limit.shared_by(100).burst == 1


def test_a_process_forgets_whom_it_saw_longest_ago_when_there_are_too_many() -> None:
    buckets = LocalBuckets(largest=3)
    for caller in ("a", "b", "c", "a", "d"):
        buckets.take([Bucket(ADDRESS, caller)], 20, 10**9)
    left = {caller: buckets.left(Bucket(ADDRESS, caller), 10**9) for caller in "abcd"}
    assert left == {"a": 10, "b": 50, "c": 30, "d": 30}


@pytest.fixture
def url(_redis_server_url: str) -> str:
    return _redis_server_url


@pytest.fixture
def redis(url: str) -> Iterator[Redis]:
    client = Redis.from_url(url)
    for key in client.scan_iter("limit:*"):
        client.delete(key)
    yield client
    client.close()


def test_four_processes_are_let_in_by_redis_exactly_as_by_the_plain_model(redis: Redis, url: str) -> None:
    told = ask_from_processes(url, 4, 2_500)
    let_in = [event for event in told if event[4] == 0]
    assert len(told) == 10_000
    assert 200 < len(let_in) < 9_000, "limits were reached"
    assert too_many_let_in(told) == 0
    # The judge is awake: one more for free is seen.
    refused = next(event for event in told if event[4])
    assert too_many_let_in([*told, (*refused[:4], 0)]) > 0
    # Nothing stays behind when it is paid back.
    assert all(0 < redis.pttl(key) <= 100 for key in redis.scan_iter("limit:*"))


@pytest.mark.parametrize(("joined", "trips"), [(True, 1), (False, 2)])
def test_the_limit_and_what_a_request_names_are_one_round_trip(redis: Redis, url: str, joined: bool, trips: int) -> None:
    """Counted by Redis, by how often it read from a connection; asked one after the other, the control, it is two."""
    named = Input("Harbour Mills beats expectations", ticker="MILL")

    async def ask() -> int:
        link = RedisLink(url)
        limiter, features = RateLimiter(link, Metrics()), FeatureReader(link)
        assert await link.connected()
        # What is told of processes is told with the first.
        await limiter.take([Bucket(ADDRESS, "one")], 1, without_redis="refuse")
        await asyncio.sleep(0.05)
        before = reads(redis)
        beside = partial(features.ask_ahead, named, V1.version) if joined else lambda: None
        await limiter.take([Bucket(ADDRESS, "another")], 1, without_redis="refuse", beside=beside)
        assert (await features.read(named, V1.version)).status == "MISSING"
        # One is the question itself.
        counted = reads(redis) - before - 1
        await link.close()
        return counted

    assert asyncio.run(ask()) == trips


def reads(client: Redis) -> int:
    info: Any = client.info("stats")
    return info["total_reads_processed"]


def test_a_refused_request_takes_nothing_of_the_limit_that_had_enough(redis: Redis) -> None:
    keys = ("limit:address:z", "limit:key:z")
    numbers = (10_000_000, 5, 10_000_000, 2)
    for cost, refused in ((2, 0), (1, 2)):
        assert redis.eval(SCRIPT, 2, *keys, cost, *numbers)[0] == refused
    assert redis.eval(SCRIPT, 1, keys[0], 3, *numbers[:2])[0] == 0


@pytest.mark.parametrize(
    "setting", ["20", "20/", "/400", "0/5", "-1/5", "nan/5", "inf/5", "1/0", "1/1.5", "many/5", "1e9/5", "1/99999999"]
)
def test_what_is_no_limit_is_refused_by_the_name_of_its_setting(setting: str) -> None:
    with pytest.raises(SettingsError, match=r"SENTIMENT_KEY_LIMIT .* Write tokens a second"):
        limit_of("key", setting, "SENTIMENT_KEY_LIMIT")
    assert limit_of("key", "", "SENTIMENT_KEY_LIMIT") is None
    assert limit_of("key", "0.001/400", "SENTIMENT_KEY_LIMIT") == Limit("key", 10**9, 400)
