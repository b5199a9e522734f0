"""Claims about more than serving can answer, over a real process and load from another one: it answers what it can, and tells the rest.

Short forms of the benchmark rows R.6, R.17 and R.21, with bounds that hold on a busy machine.
"""

from collections.abc import Generator, Iterator
from contextlib import contextmanager

import pytest

from sentiment_platform.settings import Settings
from sentiment_platform_tests.benchmarks.load import Stream, put_load, quantile
from sentiment_platform_tests.benchmarks.overload import DEAREST
from sentiment_platform_tests.serving.publishing import Publisher
from sentiment_platform_tests.serving.running import ServingProcess, metric
from sentiment_platform_tests.serving.turtle import PLUGGED_IN

pytestmark = pytest.mark.slow

TURTLE_S = 0.3
CAPACITY = 4 / TURTLE_S
"""Answers a second of one thread."""
DEADLINE_MS = "2000"
"""Model and deadline are ten times as slow as usual: what a busy machine adds counts a tenth, and every bound stays in proportion."""


@pytest.fixture(scope="module")
def deployed(module_settings: Settings) -> Settings:
    """With a family that takes its time, and VADER beside it."""
    publisher = Publisher(module_settings)
    publisher.deploy(publisher.model("v1.0.0-turtle", steepness=2.0), publisher.model())
    publisher.close()
    return module_settings


@contextmanager
def answering(settings: Settings, **changed: str) -> Generator[ServingProcess]:
    process = ServingProcess(settings, program=PLUGGED_IN, TURTLE_S=str(TURTLE_S), **changed)
    try:
        yield process.start()
    finally:
        process.stop()


@pytest.fixture(scope="module")
def serving(deployed: Settings) -> Iterator[ServingProcess]:
    with answering(deployed) as process:
        yield process


@pytest.fixture(scope="module")
def slow(deployed: Settings) -> Iterator[ServingProcess]:
    with answering(deployed, SENTIMENT_DEADLINE_MS=DEADLINE_MS, SENTIMENT_STATE_DIR=str(deployed.state_dir / "slow")) as process:
        yield process


def refused(serving: ServingProcess) -> float:
    return metric(serving.client.get("/metrics").text, "serving_refused_total", work="answer")


def test_at_ten_times_the_capacity_a_model_goes_on_answering_and_each_refusal_says_when_to_come_back(
    slow: ServingProcess,
) -> None:
    (alone,) = put_load(Stream(name="alone", port=slow.port, path="/predict/turtle", connections=16, seconds=6))
    (crowd,) = put_load(
        Stream(name="crowd", port=slow.port, path="/predict/turtle", connections=300, rate=10 * CAPACITY, seconds=6)
    )
    assert set(crowd.statuses) == {"200", "503"}
    # R.6 asks for nine tenths on a machine of its own; a queue that shut the model out answered a twentieth.
    assert len(crowd.took_ms) > 0.3 * len(alone.took_ms)
    assert crowd.without_retry_after == 0
    # Whoever is refused learns it before the deadline.
    assert quantile(crowd.refused_ms, 0.5) < 100


def test_a_crowd_of_loops_is_refused_at_the_door_and_afterwards_all_are_answered(serving: ServingProcess) -> None:
    before = refused(serving)
    (crowd,) = put_load(Stream(name="loops", port=serving.port, path="/predict/vader", connections=600, seconds=1.5))
    assert set(crowd.statuses) == {"200", "503"}
    assert refused(serving) > before
    assert crowd.without_retry_after == 0
    reply = serving.client.post("/predict/vader", json={"text": "Alder profit rose after the crowd"})
    assert reply.status_code == 200


def test_explanations_and_full_batches_in_loops_leave_room_for_others(serving: ServingProcess) -> None:
    normal = Stream(name="normal", port=serving.port, path="/predict/vader", connections=8, rate=50, seconds=2)
    explain = Stream(
        name="explain", port=serving.port, path="/predict/vader", connections=3, seconds=2, explain=True, characters=4_900
    )
    batch = Stream(name="batch", port=serving.port, path="/predict/batch", seconds=2, items=32, characters=1_900)
    asked, explained, batched = put_load(normal, explain, batch)
    assert asked.statuses.get("200", 0) >= 0.95 * 50 * 2
    assert quantile(asked.took_ms, 0.9) < 200
    # They are slower, and they are answered.
    assert explained.took_ms
    assert batched.took_ms


def test_fifty_of_the_dearest_texts_a_second_hold_nobody_up(serving: ServingProcess) -> None:
    normal = Stream(name="normal", port=serving.port, path="/predict/vader", connections=8, rate=50, seconds=2)
    dearest = [
        Stream(
            name=name,
            port=serving.port,
            path="/predict/vader",
            connections=8,
            rate=50 / 3,
            seconds=2,
            characters=4_900,
            filled_with=filled_with,
        )
        for name, filled_with in DEAREST.items()
    ]
    asked, *others = put_load(normal, *dearest)
    assert asked.statuses.get("200", 0) >= 0.95 * 50 * 2
    assert quantile(asked.took_ms, 0.9) < 200
    assert set().union(*(other.statuses for other in others)) <= {"200", "400", "503"}
    assert others[0].took_ms, "the control: the longest texts are answered"


def test_five_hundred_clients_with_one_question_cause_one_computation(slow: ServingProcess) -> None:
    def computed() -> float:
        return metric(slow.client.get("/metrics").text, "serving_computed_total", family="turtle")

    before = computed()
    (seen,) = put_load(
        Stream(name="stampede", port=slow.port, path="/predict/turtle", connections=500, rate=500, seconds=1, distinct=False)
    )
    assert len(seen.took_ms) > 100
    assert computed() - before == 1
