"""A model that hangs at a text costs a thread: it is counted, others take its place, and beyond a bound the process asks for a new start."""

import time

import pytest

from sentiment_platform_tests.serving.conftest import StartServing
from sentiment_platform_tests.serving.fickle import HANGS, PLUGGED_IN, fickle_version
from sentiment_platform_tests.serving.publishing import Publisher
from sentiment_platform_tests.serving.running import metric
from serving.work.stuck import MOST_REPLACED

pytestmark = pytest.mark.slow

FICKLE, VADER = "v1.0.0-fickle", "v1.0.0-vader"
IMPATIENT = "import serving.work.stuck\nserving.work.stuck.STUCK_S = 0.5\n" + PLUGGED_IN.replace(
    "import serving\n", "import serving.server\nserving.server.LEFT_S = 2.0\n"
)


def test_texts_at_which_a_model_hangs_are_counted_and_beyond_a_bound_the_process_is_not_ready_and_still_leaves(
    publisher: Publisher, start_serving: StartServing
) -> None:
    publisher.deploy(fickle_version(publisher, FICKLE, fails=True), fickle_version(publisher, VADER))
    serving = start_serving(program=IMPATIENT)

    def version(text: str) -> str:
        return serving.predict(text)["performance"]["model_version"]

    def stuck() -> float:
        return metric(serving.client.get("/metrics").text, "serving_stuck_threads")

    assert (version("Profit rose"), stuck()) == (FICKLE, 0)
    for number in range(MOST_REPLACED):
        assert version(f"An {HANGS} hits mine {number}") == VADER, "nobody waits for it"
        serving.wait_until(lambda number=number: stuck() == number + 1, 5)
        assert version(f"Profit rose {number} times") == FICKLE, "another thread answers"
    assert serving.answers("/health")
    assert serving.client.get("/monitoring/service").json()["process"]["load"]["stuck_threads"] == MOST_REPLACED
    assert version(f"An {HANGS} hits the last mine") == VADER
    serving.wait_until(lambda: not serving.answers("/health"), 5)
    assert "3 threads of the models hang (v1.0.0-fickle)" in serving.health()["reason"]
    assert version("Profit fell") in (FICKLE, VADER), "it answers on, as long as it is asked"
    assert serving.log_text().count(f"{FICKLE} does not end, 0.5 s past the deadline (answer; texts: 1") == MOST_REPLACED + 1, (
        "each once"
    )
    began = time.monotonic()
    assert serving.terminate() == 0
    assert time.monotonic() - began < 5
    assert "model_" in serving.log_text().rpartition("did not end: ")[2]
