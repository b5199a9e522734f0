"""The short way of a plain prediction and the long one through Litestar say the same of everything but time and identity."""

from typing import Any

import httpx
import pytest

from sentiment_platform_tests.serving.running import ServingProcess, metric

VARY = ("response_time_ms", "cache_hit", "prediction_id", "request_id")
LONG = {"X-Experiment-Arm": "nobody"}
"""A header that a route has to read: the request goes the long way."""
BODIES = {
    "text": {"text": "Harbour Mills reports great profit"},
    "named": {"text": "Harbour Mills reports great profit", "ticker": "HMLS", "source": "Harbour Wire"},
    "explained": {"text": "Harbour Mills reports great profit", "explain": True},
    "other script": {"text": "株価が上がった"},
    "empty": {"text": ""},
    "no symbol": {"text": "Profit rose", "ticker": "not a symbol"},
    "unknown field": {"text": "Profit rose", "colour": "red"},
    "wrong type": {"text": 3},
}


def same(answer: httpx.Response) -> tuple[int, set[str], Any]:
    def without(value: Any) -> Any:
        return {key: without(each) for key, each in value.items() if key not in VARY} if isinstance(value, dict) else value

    return answer.status_code, set(answer.headers), without(answer.json())


@pytest.mark.parametrize("path", ["/predict", "/predict/vader", "/predict/finbert"])
@pytest.mark.parametrize("name", BODIES)
def test_both_ways_answer_alike(answering: ServingProcess, name: str, path: str) -> None:
    short, long = (answering.client.post(path, json=BODIES[name], headers=headers) for headers in ({}, LONG))
    assert same(short) == same(long)


def test_the_short_way_is_counted_under_its_route(answering: ServingProcess) -> None:
    def counted() -> float:
        text = answering.client.get("/metrics").text
        return metric(text, "serving_requests_total", route="/predict/vader", method="POST", status="200")

    before = counted()
    answering.predict(path="/predict/vader")
    assert counted() == before + 1


def test_a_wrong_key_is_refused_on_both_ways(answering: ServingProcess) -> None:
    for headers in ({}, LONG):
        key = {"X-API-Key": f"sp_{'0' * 12}_{'x' * 43}", **headers}
        assert answering.client.post("/predict", json=BODIES["text"], headers=key).status_code in (401, 429)
