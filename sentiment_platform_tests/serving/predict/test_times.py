"""An answer tells where its time went, and comes within the time that its client has."""

import json
import re

import pytest

from sentiment_platform_tests.serving.conftest import StartServing
from sentiment_platform_tests.serving.publishing import Publisher
from sentiment_platform_tests.serving.running import ServingProcess
from sentiment_platform_tests.serving.turtle import PLUGGED_IN
from sentiment_platform_tests.source_code import ROOT

pytestmark = pytest.mark.slow
TEXT = "Harbour Mills reports great profit"
PATHS = {
    path: item["post"]
    for path, item in json.loads((ROOT / "serving" / "openapi.json").read_bytes())["paths"].items()
    if path.startswith("/predict") and "post" in item
}
LONG = {"X-Experiment-Arm": "nobody"}
"""A header that a route has to read: the request goes the long way, through Litestar."""


def timing(header: str) -> dict[str, float]:
    return {name: float(ms) for name, ms in re.findall(r"(\w+);dur=([\d.]+)", header)}


def body(path: str, text: str) -> dict[str, object]:
    return {"items": [{"text": f"{text}, first"}, {"text": f"{text}, second"}]} if path.endswith("batch") else {"text": text}


@pytest.mark.parametrize("path", ["/predict", "/predict/vader", "/predict/compare", "/predict/batch"])
def test_the_parts_of_an_answer_add_up_to_no_more_than_its_total_on_both_ways(answering: ServingProcess, path: str) -> None:
    told: list[set[str]] = []
    for headers in ({}, LONG):
        reply = answering.client.post(path, json=body(path, f"{TEXT} over {path} by {len(headers)}"), headers=headers)
        parts = timing(reply.headers["server-timing"])
        told.append(set(parts))
        total = parts.pop("total")
        assert parts.keys() >= {"features", "inference"}
        # Of texts side by side the longest counts, part by part.
        assert max(parts.values()) <= total + 0.01
        assert sum(parts.values()) <= total + 0.01 * (1 + len(parts)) or path in ("/predict/batch", "/predict/compare")
    assert told[0] == told[1]
    explained = answering.client.post(path, json={"text": TEXT, "explain": True}) if not path.endswith("batch") else None
    assert explained is None or timing(explained.headers["server-timing"])["explanation"] > 0
    assert "explanation" not in told[0], "the control"
    assert "server-timing" not in answering.client.get("/health").headers


@pytest.mark.parametrize("path", PATHS)
def test_every_route_of_predictions_documents_the_time_that_a_client_has_and_the_times_it_tells(path: str) -> None:
    assert "X-Request-Deadline-Ms" in [parameter["name"] for parameter in PATHS[path]["parameters"]]
    assert "Server-Timing" in PATHS[path]["responses"]["200"]["headers"]


@pytest.mark.parametrize("asked", ["0", "-5", "1.5", "soon", "", "999999999999"])
def test_a_deadline_that_is_none_is_refused(answering: ServingProcess, asked: str) -> None:
    for path in PATHS:
        reply = answering.client.post(path, json=body(path, TEXT), headers={"X-Request-Deadline-Ms": asked})
        assert (reply.status_code, reply.json()["code"]) == (400, "invalid_request"), path
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
    short = {"X-Request-Deadline-Ms": "100"}
    batch = serving.client.post("/predict/batch", json=body("/predict/batch", f"{TEXT} in a batch"), headers=short).json()
    assert [one["prediction"]["model_used"] for one in batch["answers"]] == ["vader", "vader"]
    compared = serving.client.post("/predict/compare", json={"text": f"{TEXT} compared"}, headers=short).json()["results"]
    assert {family: answer is not None for family, answer in compared.items() if family != "finbert"} == {
        "vader": True,
        "turtle": False,
    }
    waited = serving.client.post("/predict/turtle", json={"text": f"{TEXT} and it waited"})
    parts = timing(waited.headers["server-timing"])
    assert parts["inference"] >= 300
    assert "queue" in parts
