"""Answers a second where the answer is in the cache, beside a bare Litestar route that makes one GET in Redis.

Cached is what a model answers that costs more than a round trip to Redis; VADER is asked anew (`predict/executor.py`).
"""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families
from redis import Redis

from sentiment_platform.models.transformer.runtime import load_transformer
from sentiment_platform_tests.benchmarks.distil_roberta import write_distil_roberta
from sentiment_platform_tests.benchmarks.rows import TABLE, Figure
from sentiment_platform_tests.benchmarks.serving_start import local_settings, publisher
from sentiment_platform_tests.benchmarks.throughput import compared, loader, peer, running, side_by_side
from sentiment_platform_tests.serving.running import ServingProcess

TEXT = "Profit rose at Harbour Mills"
CONNECTIONS = 100
OF_PEER = 0.7
HITS = 0.99


@TABLE.row(
    "F.5",
    "POST /predict/finbert, one text that is in the cache, against a bare Litestar route that makes one GET: answers a second",
)
def cached_throughput() -> Iterator[Figure]:
    with (
        tempfile.TemporaryDirectory() as checkpoint,
        tempfile.TemporaryDirectory() as folder,
        local_settings() as settings,
        publisher(settings) as publish,
    ):
        write_distil_roberta(Path(folder), Path(checkpoint))
        model = load_transformer(Path(folder))
        publish.deploy(publish.publish(Path(folder), "v1.0.0-finbert", model), publish.model())
        with running(settings) as serving:
            answer = serving.client.post("/predict/finbert", json={"text": TEXT}).raise_for_status().json()
            Redis.from_url(settings.redis_url).set("answer", json.dumps(answer))
            with peer("cached", {"REDIS_URL": settings.redis_url}) as beside, loader([TEXT]) as wrk:
                ours, theirs = side_by_side(wrk, f"{serving.url}/predict/finbert", f"{beside}/predict/vader", CONNECTIONS)
            yield from compared("a bare Litestar route", CONNECTIONS, ours, theirs, OF_PEER)
            yield Figure("share of the answers that came from the cache", _hits(serving), "", HITS, 1, at_least=True)


def _hits(serving: ServingProcess) -> float:
    counted = {
        hit: sum(
            sample.value
            for family in text_string_to_metric_families(serving.client.get("/metrics").text)
            for sample in family.samples
            if sample.name == "serving_predictions_total" and sample.labels["cache"] == hit
        )
        for hit in ("hit", "miss")
    }
    return counted["hit"] / sum(counted.values())
