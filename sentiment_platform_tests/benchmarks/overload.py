"""More than serving can answer: what is still answered, how soon the rest is refused, and how soon it is over (R.6, F.4, R.17, R.21)."""

import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import redis

from sentiment_platform.models.transformer.runtime import load_transformer
from sentiment_platform_tests.benchmarks.distil_roberta import write_distil_roberta
from sentiment_platform_tests.benchmarks.load import Seen, Stream, put_load, quantile
from sentiment_platform_tests.benchmarks.rows import TABLE, Figure
from sentiment_platform_tests.benchmarks.serving_start import local_settings, publisher
from sentiment_platform_tests.serving.running import ServingProcess, metric

SECONDS = 5.0
FACTORS = (0.5, 1, 2, 5, 10)
CONNECTIONS = 500
ACCEPTED_MS = 250.0
REFUSED_MS = 30.0
DEADLINE_MS = 200.0
RECOVERY_S = 5.0
FLUSHES = 3
HARMFUL_S, LAG_MS = 60.0, 20.0
DEAREST = {"longest": "", "combining marks": "e\u0301\u0323", "brackets": "["}


@TABLE.row("R.6", "overload from half to ten times the capacity: goodput, accepted and refused times, recovery")
def overload() -> Iterator[Figure]:
    with serving_both() as serving:
        for path in ("/predict/vader", "/predict/finbert"):
            capacity = capacity_of(serving, path)
            goodput: dict[float, Seen] = {}
            for factor in FACTORS:
                stream = Stream(
                    name=f"{factor}C",
                    port=serving.port,
                    path=path,
                    connections=CONNECTIONS,
                    rate=factor * capacity,
                    seconds=SECONDS,
                )
                (goodput[factor],) = put_load(stream)
            after = Stream(name="after", port=serving.port, path=path, connections=50, rate=capacity / 2, seconds=2 * RECOVERY_S)
            yield from ramp_figures(path, capacity, goodput, put_load(after)[0])


def ramp_figures(path: str, capacity: float, seen: dict[float, Seen], after: Seen) -> Iterator[Figure]:
    """Of a ramp on one path."""
    worst = seen[max(seen)]
    explains = {
        "capacity": round(capacity, 1),
        "goodput": {f"{factor}C": round(len(each.took_ms) / SECONDS / capacity, 3) for factor, each in seen.items()},
        "statuses": {f"{factor}C": each.statuses for factor, each in seen.items()},
        "accepted_p99_ms": {f"{factor}C": round(quantile(each.took_ms, 0.99), 1) for factor, each in seen.items()},
        "unsent": worst.unsent,
    }
    share = len(worst.took_ms) / SECONDS / capacity
    yield Figure(f"{path}: goodput at ten times the capacity", share, "of capacity", 0.9, 1, at_least=True, explains=explains)
    yield Figure(f"{path}: accepted, p99 at ten times", quantile(worst.took_ms, 0.99), "ms", ACCEPTED_MS, len(worst.took_ms))
    yield Figure(f"{path}: refused, p99 at ten times", quantile(worst.refused_ms, 0.99), "ms", REFUSED_MS, len(worst.refused_ms))
    yield Figure(f"{path}: refusals without Retry-After", worst.without_retry_after, "", 0, len(worst.refused_ms))
    yield Figure(f"{path}: until every answer is in time again", recovered_s(after), "s", RECOVERY_S, 1)


def recovered_s(after: Seen) -> float:
    """The second of a load in which the last answer was late."""
    return max((at for at, took in zip(after.at_s, after.took_ms, strict=True) if took > ACCEPTED_MS), default=0.0)


def capacity_of(serving: ServingProcess, path: str) -> float:
    """Answers a second of closed loops that each wait for their answer; the best of two numbers of them."""
    loads = [Stream(name=f"capacity {n}", port=serving.port, path=path, connections=n, seconds=SECONDS) for n in (4, 16)]
    return max(len(put_load(load)[0].took_ms) / SECONDS for load in loads)


@TABLE.row("F.4", "POST /predict at 100 connections, each text another one: p99 and the degraded share")
def hundred_connections() -> Iterator[Figure]:
    with serving_both() as serving:
        put_load(Stream(name="first", port=serving.port, connections=16, seconds=2))
        (seen,) = put_load(Stream(name="hundred", port=serving.port, connections=100, seconds=4 * SECONDS))
    answered = len(seen.took_ms)
    explains = {
        "answers_a_second": round(answered / (4 * SECONDS), 1),
        "degraded_share": round(seen.degraded / max(1, answered), 4),
        "p50_ms": round(quantile(seen.took_ms, 0.5), 1),
        "statuses": seen.statuses,
    }
    yield Figure("p99", quantile(seen.took_ms, 0.99), "ms", DEADLINE_MS, answered, explains=explains)
    refused = sum(count for status, count in seen.statuses.items() if status != "200") / sum(seen.statuses.values())
    yield Figure("refused", refused, "of all", 0.01, sum(seen.statuses.values()))


@TABLE.row("R.17", "the dearest texts, explanations and batches beside a normal client of /predict/vader: its p99")
def dear_requests() -> Iterator[Figure]:
    with serving_both() as serving:
        for what, others in dear_streams(serving.port).items():
            # As long as the load beside it lasts: a minute where it is what somebody would send to do harm.
            seconds = max((each.seconds for each in others), default=SECONDS)
            normal, *rest = put_load(normal_stream(serving.port, seconds), *others)
            lag_ms = serving.client.get("/monitoring/service").json()["process"]["load"]["loop_lag_p99_ms"]
            explains = {
                "p50_ms": round(quantile(normal.took_ms, 0.5), 1),
                "statuses": normal.statuses,
                "beside": {each.name: each.statuses for each in rest},
            }
            yield Figure(
                f"beside {what}", quantile(normal.took_ms, 0.99), "ms", DEADLINE_MS, len(normal.took_ms), explains=explains
            )
            if seconds == HARMFUL_S:
                yield Figure(f"beside {what}: timers of the event loop are late, p99", lag_ms, "ms", LAG_MS, int(10 * seconds))


def normal_stream(port: int, seconds: float) -> Stream:
    """A client that asks 100 short questions a second."""
    return Stream(name="normal", port=port, path="/predict/vader", connections=8, rate=100, seconds=seconds)


def dear_streams(port: int) -> dict[str, list[Stream]]:
    """What else is asked at the same time."""
    explain = Stream(
        name="explain", port=port, path="/predict/vader", connections=3, seconds=SECONDS, explain=True, characters=4_900
    )
    batch = Stream(name="batch", port=port, path="/predict/batch", seconds=SECONDS, items=32, characters=1_900)
    dearest = [
        Stream(
            name=name,
            port=port,
            path="/predict/vader",
            connections=8,
            rate=50 / 3,
            seconds=HARMFUL_S,
            characters=4_900,
            filled_with=filled_with,
        )
        for name, filled_with in DEAREST.items()
    ]
    return {
        "nothing": [],
        "50 of the dearest texts a second": dearest,
        "three loops of explanations": [explain],
        "a loop of full batches": [batch],
        "both": [explain, batch],
    }


@TABLE.row("R.21", "500 clients with one question whose cached answer ends: computations, goodput")
def stampede() -> Iterator[Figure]:
    with serving_both() as serving:
        few = Stream(name="few", port=serving.port, connections=16, seconds=SECONDS, distinct=False)
        capacity = len(put_load(few)[0].took_ms) / SECONDS
        before, goodput = computations(serving), list[Seen]()
        for _ in range(FLUSHES):
            many = Stream(name="many", port=serving.port, connections=CONNECTIONS, rate=capacity, seconds=2, distinct=False)
            goodput += put_load(many)
            with redis.Redis.from_url(serving.settings.redis_url) as client:
                client.flushdb()
        computed = computations(serving) - before
    share = sum(len(seen.took_ms) for seen in goodput) / (2 * FLUSHES) / capacity
    yield Figure("computations for each question", computed / FLUSHES, "", 1, FLUSHES)
    statuses = [seen.statuses for seen in goodput]
    yield Figure("goodput at the capacity of 16 clients", share, "of it", 0.8, 1, at_least=True, explains={"statuses": statuses})


def computations(serving: ServingProcess) -> float:
    """Answers that a model computed so far."""
    text = serving.client.get("/metrics").text
    return sum(metric(text, "serving_computed_total", family=family) for family in ("vader", "finbert"))


@contextmanager
def serving_both() -> Generator[ServingProcess]:
    """A process over a local stack that answers with a transformer of 82 million parameters, and VADER beside it."""
    with local_settings() as settings, publisher(settings) as publish:
        with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as checkpoint:
            write_distil_roberta(Path(folder), Path(checkpoint))
            transformer = publish.publish(Path(folder), "v1.0.0-finbert", load_transformer(Path(folder)))
        publish.deploy(transformer, publish.model())
        serving = ServingProcess(settings)
        try:
            serving.start()
            yield serving
        finally:
            serving.stop()
