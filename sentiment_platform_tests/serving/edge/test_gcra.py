"""Claims about limits as arithmetic: the plain model, this process's buckets and the script in Redis decide alike, to the microsecond."""

import random
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from redis import Redis

from sentiment_platform.errors import SettingsError
from serving.edge.gcra import SCRIPT, Bucket, Limit, LocalBuckets, limit_of

ADDRESS, KEY = Limit("address", 1_000, 50), Limit("key", 3_000, 30)


class PlainModel:
    """GCRA as its definition has it: a bucket that leaks a token each interval, in whole microseconds."""

    def __init__(self) -> None:
        self._owed_until: dict[str, int] = {}

    def admits(self, wanted: list[tuple[str, Limit]], cost: int, now: int) -> bool:
        owed = {name: max(0, self._owed_until.get(name, now) - now) for name, _ in wanted}
        after = {name: owed[name] + min(cost, limit.burst) * limit.interval_us for name, limit in wanted}
        if any(after[name] > limit.burst * limit.interval_us for name, limit in wanted):
            return False
        self._owed_until |= {name: now + owes for name, owes in after.items()}
        return True


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


Event = tuple[int, int, str, str, int]
"""Redis' time, cost, address, key, and which limit refused (0 for none)."""


def ask(url: str, seed: int, events: int) -> list[Event]:
    """What one process asks of Redis, and is told."""
    client, chance, told = Redis.from_url(url), random.Random(seed), list[Event]()
    for _ in range(events):
        cost, address, key = chance.choice((1, 1, 1, 5, 60)), chance.choice("abc"), chance.choice("xy")
        arguments = (cost, ADDRESS.interval_us, ADDRESS.burst, KEY.interval_us, KEY.burst)
        refused, _, now, *_ = client.eval(SCRIPT, 2, f"limit:address:{address}", f"limit:key:{key}", *map(str, arguments))
        told.append((now, cost, address, key, refused))
    client.close()
    return told


def too_many_let_in(told: list[Event]) -> int:
    """Events that were let in and that the plain model refuses, and those refused that it lets in."""
    model, differ = PlainModel(), 0
    # Within one microsecond Redis let in first whom it let in.
    for now, cost, address, key, refused in sorted(told, key=lambda event: (event[0], event[4] > 0)):
        differ += model.admits([(address, ADDRESS), (f"key {key}", KEY)], cost, now) != (refused == 0)
    return differ


def test_four_processes_are_let_in_by_redis_exactly_as_by_the_plain_model(redis: Redis, url: str) -> None:
    with ProcessPoolExecutor(4, mp_context=get_context("spawn")) as processes:
        runs = [processes.submit(ask, url, seed, 2_500) for seed in range(4)]
        told = [event for run in runs for event in run.result(60)]
    let_in = [event for event in told if event[4] == 0]
    assert len(told) == 10_000
    assert 200 < len(let_in) < 9_000, "limits were reached"
    assert too_many_let_in(told) == 0
    # The judge is awake: one more for free is seen.
    refused = next(event for event in told if event[4])
    assert too_many_let_in([*told, (*refused[:4], 0)]) > 0
    # Nothing stays behind when it is paid back.
    assert all(0 < redis.pttl(key) <= 100 for key in redis.scan_iter("limit:*"))


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
