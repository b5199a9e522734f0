"""Claims about several families at once: a plugged-in one is served without a change, and a busy one is degraded or shed in time."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from sentiment_platform_tests.serving.conftest import StartServing
from sentiment_platform_tests.serving.publishing import Publisher
from sentiment_platform_tests.serving.running import ServingProcess, metric
from sentiment_platform_tests.serving.turtle import PLUGGED_IN

pytestmark = pytest.mark.slow

TEXT = "Harbour Mills reports great profit"


def deploy_turtle(publisher: Publisher) -> None:
    publisher.deploy(publisher.model("v1.0.0-turtle", steepness=2.0), publisher.model("v1.0.0-vader"))


def timed(serving: ServingProcess, path: str, text: str) -> tuple[httpx.Response, float]:
    started = time.perf_counter()
    reply = serving.client.post(path, json={"text": text})
    return reply, time.perf_counter() - started


def test_a_family_that_is_only_in_the_table_has_its_route_status_comparison_and_document(
    publisher: Publisher, start_serving: StartServing
) -> None:
    deploy_turtle(publisher)
    serving = start_serving(program=PLUGGED_IN, TURTLE_S="0.01", SENTIMENT_DEADLINE_MS="2000")
    answer = serving.predict(TEXT, explain=True)
    assert (answer["prediction"]["model_used"], answer["degraded"]) == ("turtle", False)
    assert answer["performance"]["model_version"] == "v1.0.0-turtle"
    assert answer["explanation"]["contributions"] == [{"token": "turtle", "position": 0, "contribution": 1.0, "rule": "slow"}]
    vader = serving.predict(TEXT, "/predict/vader")["prediction"]["sentiment"]
    assert answer["comparison"]["vader_sentiment"] == vader != answer["prediction"]["sentiment"]
    assert serving.predict(TEXT, "/predict/turtle")["prediction"] == answer["prediction"]
    compared = serving.predict(TEXT, "/predict/compare")
    assert {family for family, result in compared["results"].items() if result} == {"turtle", "vader"}
    assert compared["missing"] == {"finbert": "family_not_deployed"}
    assert serving.status()["families"]["turtle"]["version"] == "v1.0.0-turtle"
    assert "/predict/turtle" in serving.client.get("/schema/openapi.json").json()["paths"]


def test_beyond_the_deadline_predict_degrades_the_named_family_sheds_and_nobody_waits(
    publisher: Publisher, start_serving: StartServing
) -> None:
    deploy_turtle(publisher)
    serving = start_serving(program=PLUGGED_IN, TURTLE_S="0.6", SENTIMENT_DEADLINE_MS="300")
    answer, took_s = timed(serving, "/predict", TEXT)
    body: dict[str, Any] = answer.json()
    assert (body["degraded"], body["prediction"]["model_used"]) == (True, "vader")
    assert set(body["comparison"].values()) == {None}, "nothing is compared that was not run"
    assert 0.25 < took_s < 0.55
    shed, took_s = timed(serving, "/predict/turtle", TEXT + " again")
    assert (shed.status_code, shed.json()["code"]) == (503, "overloaded")
    assert shed.headers["retry-after"]
    assert took_s < 0.55
    compared = serving.predict(TEXT, "/predict/compare")
    assert (compared["results"]["turtle"], compared["missing"]["turtle"]) == (None, "overloaded")
    assert compared["results"]["vader"]["prediction"]["model_used"] == "vader"
    assert metric(serving.client.get("/metrics").text, "serving_shed_total", family="turtle") == 3


def test_a_cascade_whose_second_has_no_time_answers_by_the_first_and_says_so(
    publisher: Publisher, start_serving: StartServing
) -> None:
    publisher.deploy(publisher.model("v1.0.0-turtle", steepness=2.0), publisher.model("v1.0.0-vader", steepness=0.5))
    serving = start_serving(program=PLUGGED_IN, TURTLE_S="1.5", SENTIMENT_DEADLINE_MS="1000", SENTIMENT_CASCADE_CONFIDENCE="0.8")
    sure, unsure = serving.predict(TEXT), serving.predict("Alder named an auditor")
    assert (sure["path"], sure["degraded"]) == ("cascade_first", False)
    said = unsure["path"], unsure["degraded_reason"], unsure["prediction"]["model_used"]
    assert said == ("cascade_first", "deadline", "vader")


def test_a_crowd_is_answered_within_the_deadline_one_way_or_the_other(publisher: Publisher, start_serving: StartServing) -> None:
    deploy_turtle(publisher)
    serving = start_serving(program=PLUGGED_IN, TURTLE_S="0.2", SENTIMENT_DEADLINE_MS="1000")
    with ThreadPoolExecutor(60) as crowd:
        replies = list(crowd.map(lambda number: timed(serving, "/predict", f"{TEXT} {number}"), range(180)))
    assert {reply.status_code for reply, _ in replies} == {200}
    degraded = [reply.json()["degraded"] for reply, _ in replies]
    assert 0 < sum(degraded) < len(degraded), "the queue is used, and not beyond the deadline"
    assert max(took_s for _, took_s in replies) < 3
    calm = serving.wait_until(
        lambda: not (reply := timed(serving, "/predict", f"calm {time.time()}")[0].json())["degraded"] and reply
    )
    assert calm["prediction"]["model_used"] == "turtle", "it recovers"


def test_a_family_whose_queue_is_full_says_so_in_the_status_and_recovers(
    publisher: Publisher, start_serving: StartServing
) -> None:
    deploy_turtle(publisher)
    serving = start_serving(program=PLUGGED_IN, TURTLE_S="0.5", SENTIMENT_DEADLINE_MS="4000")

    def turtle() -> dict[str, Any]:
        return serving.status()["families"]["turtle"]

    assert (turtle()["health"], turtle()["queue_depth"]) == ("ok", 0)
    # More than the turtle answers in time, fewer than the client has connections.
    with ThreadPoolExecutor(80) as crowd:
        replies = [crowd.submit(timed, serving, "/predict", f"{TEXT} {number}") for number in range(80)]
        full = serving.wait_until(lambda: (status := turtle())["health"] == "saturated" and status)
    assert full["queue_depth"] >= 8
    assert serving.status()["families"]["vader"]["health"] == "ok"
    assert {reply.result()[0].status_code for reply in replies} == {200}
    serving.wait_until(lambda: (turtle()["health"], turtle()["queue_depth"]) == ("ok", 0))
