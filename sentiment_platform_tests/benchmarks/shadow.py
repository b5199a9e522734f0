"""What a version in shadow costs those who are served: the same load on one process, with and without it, in turns."""

import statistics
from collections.abc import Iterator

import msgspec
import numpy as np

from sentiment_platform.registry.deployment import Shadow
from sentiment_platform.registry.documents import digest
from sentiment_platform_tests.benchmarks.load import Stream, put_load
from sentiment_platform_tests.benchmarks.rows import TABLE, Figure
from sentiment_platform_tests.benchmarks.serving_start import local_settings, publisher
from sentiment_platform_tests.serving.running import ServingProcess, metric

ROUNDS, SECONDS, A_SECOND, CONNECTIONS = 10, 3.0, 100.0, 16
CHAMPION, TRIED = "v1.0.0-vader", "v1.0.1-vader"


@TABLE.row("E.10 serving", "p95 of served answers with a version in shadow that answers a tenth of the requests")
def shadow_cost() -> Iterator[Figure]:
    with local_settings() as settings, publisher(settings) as publish:
        champion, tried = publish.model(CHAMPION), publish.model(TRIED, steepness=2.0)
        publish.deploy(champion)
        serving = ServingProcess(settings).start()
        plan = Shadow(
            name="cost",
            phase=1,
            version=TRIED,
            manifest_digest=digest(tried),
            beside=CHAMPION,
            share=0.1,
            daily_cap=1_000_000,
        )
        p95: dict[bool, list[float]] = {False: [], True: []}
        try:
            _p95_ms(serving)
            for number in range(2 * ROUNDS):
                in_shadow = number % 2 == 1
                document = publish.document([champion])
                document = msgspec.structs.replace(document, shadow=plan) if in_shadow else document
                publish.registry.publish_deployment(document, publish.keys, fence=lambda: None)
                publish.deployed.append(document)
                serving.wait_until(lambda document=document: _runs(serving, document.revision, document.shadow == plan))
                p95[in_shadow].append(_p95_ms(serving))
            answered = metric(serving.client.get("/metrics").text, "serving_shadow_answers_total", outcome="answered")
        finally:
            serving.stop()
    alone, beside = statistics.median(p95[False]), statistics.median(p95[True])
    explains = {
        "alone_ms": [round(one, 3) for one in p95[False]],
        "beside_ms": [round(one, 3) for one in p95[True]],
        "answered_in_shadow": int(answered),
        "a_second": A_SECOND,
    }
    yield Figure("p95 with the shadow over p95 without it", beside / alone, "times", 1.05, ROUNDS, explains=explains)


def _runs(serving: ServingProcess, revision: int, in_shadow: bool) -> bool:
    status = serving.status()
    experiment = status["experiment"]
    is_there = bool(experiment) and all(one["loaded"] for one in experiment["versions"])
    return status["deployment"]["revision"] == revision and is_there == in_shadow


def _p95_ms(serving: ServingProcess) -> float:
    (seen,) = put_load(
        Stream(
            name="answers",
            port=serving.port,
            rate=A_SECOND,
            connections=CONNECTIONS,
            seconds=SECONDS,
            path="/predict/vader",
            as_users=True,
        )
    )
    return float(np.percentile(seen.took_ms, 95))
