"""An answer tells where its time went, and comes within the time that its client has."""

import re

import pytest

from sentiment_platform_tests.serving.conftest import StartServing
from sentiment_platform_tests.serving.publishing import Publisher
from sentiment_platform_tests.serving.running import ServingProcess
from sentiment_platform_tests.serving.turtle import PLUGGED_IN

pytestmark = pytest.mark.slow
TEXT = "Harbour Mills reports great profit"


def timing(header: str) -> dict[str, float]:
    return {name: float(ms) for name, ms in re.findall(r"(\w+);dur=([\d.]+)", header)}


@pytest.mark.parametrize("path", ["/predict", "/predict/vader", "/predict/compare"])
def test_the_parts_of_an_answer_add_up_to_no_more_than_its_total(answering: ServingProcess, path: str) -> None:
    reply = answering.client.post(path, json={"text": f"{TEXT} over {path}"})
    parts = timing(reply.headers["server-timing"])
    total = parts.pop("total")
    assert parts.keys() >= {"features", "inference"}
    assert sum(parts.values()) <= total + 0.01 * (1 + len(parts))
    assert "server-timing" not in answering.client.get("/health").headers


@pytest.mark.parametrize("asked", ["0", "-5", "1.5", "soon", "", "999999999999"])
def test_a_deadline_that_is_none_is_refused(answering: ServingProcess, asked: str) -> None:
    reply = answering.client.post("/predict", json={"text": TEXT}, headers={"X-Request-Deadline-Ms": asked})
    assert (reply.status_code, reply.json()["code"]) == (400, "invalid_request")
    assert reply.json()["errors"][0]["field"] == "X-Request-Deadline-Ms"


def test_a_client_that_has_less_time_gets_the_cheaper_family_and_nobody_gets_more_than_the_setting(
    publisher: Publisher, start_serving: StartServing
) -> None:
    publisher.deploy(publisher.model("v1.0.0-turtle", steepness=2.0), publisher.model("v1.0.0-vader"))
    serving = start_serving(program=PLUGGED_IN, TURTLE_S="0.3", SENTIMENT_DEADLINE_MS="2000")

    def asked(deadline_ms: int | None, path: str = "/predict") -> tuple[int, str]:
        headers = {"X-Request-Deadline-Ms": str(deadline_ms)} if deadline_ms else {}
        reply = serving.client.post(path, json={"text": f"{TEXT} {deadline_ms} {path}"}, headers=headers)
        body = reply.json()
        return reply.status_code, body["prediction"]["model_used"] if reply.status_code == 200 else body["code"]

    assert asked(None) == (200, "turtle"), "the control"
    assert asked(100) == (200, "vader")
    assert asked(100, "/predict/turtle") == (503, "overloaded")
    waited = serving.client.post("/predict/turtle", json={"text": f"{TEXT} and it waited"})
    parts = timing(waited.headers["server-timing"])
    assert parts["inference"] >= 300
    assert "queue" in parts
