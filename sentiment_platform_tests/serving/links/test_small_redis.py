"""Serving over a Redis that was given twice as much as it holds: it answers as before, and says how often it was helped."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from sentiment_platform.entities import unknown_keys
from sentiment_platform.features.connection import connect
from sentiment_platform.features.online import OnlineRow, write
from sentiment_platform.features.schema import V1
from sentiment_platform.local.parts.redis import LocalRedis
from sentiment_platform.settings import Settings
from sentiment_platform_tests.serving.conftest import StartServing
from sentiment_platform_tests.serving.publishing import Publisher
from sentiment_platform_tests.serving.running import ServingProcess, metric

LIMIT_BYTES = 4 * 2**20
ROWS = 16_000
TEXTS = [f"Profit of unit {n} rose and its debt fell" for n in range(20)]


@pytest.fixture
def small(servers_dir: Path) -> Iterator[tuple[str, Redis]]:
    folder = servers_dir / "small-redis-of-serving"
    folder.mkdir(mode=0o711, exist_ok=True)
    server = LocalRedis(folder)
    server.start()
    client = connect(server.url)
    client.config_set("maxmemory", client.info("memory")["used_memory"] + LIMIT_BYTES)
    yield server.url, client
    client.close()
    server.stop()


def fill(client: Redis) -> None:
    """More than twice of what fits."""
    now = datetime.now(UTC)
    rows = (OnlineRow(f"article:{n:032}", dict.fromkeys(V1.names, float(n)), now) for n in range(ROWS))
    assert write(client, "v1", rows, now) == ROWS


def ask(serving: ServingProcess) -> list[dict[str, Any]]:
    return [serving.predict(text, source="Harbour Wire") for text in TEXTS]


def counted(serving: ServingProcess, cache: str) -> float:
    return metric(serving.client.get("/metrics").text, "serving_predictions_total", cache=cache)


@pytest.mark.slow
def test_over_a_redis_filled_to_twice_its_limit_answers_are_right_and_hits_are_counted(
    settings: Settings, publisher: Publisher, start_serving: StartServing, small: tuple[str, Redis]
) -> None:
    url, client = small
    publisher.deploy(publisher.model())
    serving = start_serving(over=replace(settings, redis_url=url))
    before = ask(serving)
    assert (counted(serving, "hit"), counted(serving, "miss")) == (0, len(TEXTS))
    fill(client)
    evicted = client.info("stats")["evicted_keys"]
    assert evicted > 0
    answers = [answer for _ in range(3) for answer in ask(serving)]
    fill(client)
    assert client.info("stats")["evicted_keys"] > evicted
    answers += [answer for _ in range(3) for answer in ask(serving)]
    for number, answer in enumerate(answers):
        assert answer["prediction"] == before[number % len(TEXTS)]["prediction"]
        assert not answer["degraded"]
    hits = sum(answer["performance"]["cache_hit"] for answer in answers)
    assert hits > 0
    assert (counted(serving, "hit"), counted(serving, "miss")) == (hits, len(TEXTS) + len(answers) - hits)
    assert unknown_keys(client) == []
