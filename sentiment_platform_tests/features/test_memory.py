"""A Redis that is too small: what it evicts is missing, what it has is right, and nobody is refused."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from redis import Redis

from sentiment_platform.entities import feature_key
from sentiment_platform.features.connection import connect
from sentiment_platform.features.online import TTL_S, OnlineRow, read, write
from sentiment_platform.features.schema import V1
from sentiment_platform.local.parts.redis import LocalRedis
from sentiment_platform_tests.features.articles import NOW

LIMIT_BYTES = 4 * 2**20
ROWS = 16_000


@pytest.fixture
def small(servers_dir: Path) -> Iterator[Redis]:
    """A Redis of this test alone with the local stack's policy and a limit of 4 MiB."""
    folder = servers_dir / "small-redis"
    folder.mkdir(mode=0o711, exist_ok=True)
    server = LocalRedis(folder)
    server.start()
    client = connect(server.url)
    # The server itself takes about one; the limit is what the values may have beside it.
    client.config_set("maxmemory", client.info("memory")["used_memory"] + LIMIT_BYTES)
    yield client
    client.close()
    server.stop()


def row(number: int) -> OnlineRow:
    values = {name: float(number) for name in V1.names}
    return OnlineRow(f"article:{number:032}", values, NOW + timedelta(microseconds=number))


def test_the_local_redis_has_a_limit_and_evicts_by_use(client: Redis) -> None:
    assert int(client.config_get("maxmemory")["maxmemory"]) == 128 * 2**20
    assert client.config_get("maxmemory-policy")["maxmemory-policy"] == "allkeys-lru"


def test_filled_to_twice_its_limit_it_misses_and_is_never_wrong(small: Redis) -> None:
    base = small.info("memory")["used_memory"]
    sample = small.memory_usage(feature_key("v1", row(0).entity)) if write(small, "v1", [row(0)], NOW) else 0
    assert ROWS * sample > 2 * LIMIT_BYTES, "the test is to write more than twice of what fits"
    assert write(small, "v1", map(row, range(ROWS)), NOW) == ROWS, "no write is refused"
    assert small.info("memory")["used_memory"] <= base + 1.1 * LIMIT_BYTES
    found = [
        (number, value)
        for start in range(0, ROWS, 1000)
        for number, value in enumerate(read(small, "v1", [row(n).entity for n in range(start, start + 1000)], NOW), start)
    ]
    present = {number: value for number, value in found if value.status == "PRESENT"}
    assert {value.status for _, value in found} == {"PRESENT", "MISSING"}
    assert all(value.values == row(number).values for number, value in present.items())
    hit_rate = len(present) / ROWS
    print(f"hit rate {hit_rate:.2f}")
    assert 0.2 < hit_rate < 0.6
    assert small.info("stats")["evicted_keys"] > 0
    assert write(small, "v1", [row(0)], NOW) == 1
    assert abs(small.ttl(feature_key("v1", row(0).entity)) - TTL_S) <= 1
