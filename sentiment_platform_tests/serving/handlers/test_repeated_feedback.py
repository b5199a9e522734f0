"""Feedback that is sent again under its Idempotency-Key: the same answer, one row, whatever process takes it, restarts included."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from sentiment_platform.settings import Settings
from sentiment_platform.store.api_keys import create_key
from sentiment_platform.store.engine import create_platform_engine
from sentiment_platform_tests.serving.running import ServingProcess, metric

pytestmark = pytest.mark.slow
KEY = "8e03978e-40d5-43dd-bc93-6894a57f9324"


@pytest.fixture
def neighbour(answering: ServingProcess, module_settings: Settings) -> Iterator[ServingProcess]:
    process = ServingProcess(module_settings, SENTIMENT_STATE_DIR=str(module_settings.state_dir / "neighbour"))
    try:
        yield process.start()
    finally:
        process.stop()


SHARE_OF_THREE = """
import serving.edge.voices as voices
voices.Allowance.__init__.__defaults__ = (3,)
import serving
serving.run()
"""


@pytest.fixture
def start_alone(answering: ServingProcess, module_settings: Settings) -> Iterator[ServingProcess]:
    process = ServingProcess(module_settings, program=SHARE_OF_THREE)
    try:
        yield process.start()
    finally:
        process.stop()


def send(serving: ServingProcess, prediction: str, key: str, label: str = "neutral", **headers: str) -> httpx.Response:
    body = {"prediction_id": prediction, "label": label}
    return serving.client.post("/feedback", json=body, headers={"Idempotency-Key": key, **headers})


def rows(settings: Settings, prediction: str) -> list[Any]:
    engine = create_platform_engine(settings.database_url)
    with engine.connect() as connection:
        query = text("SELECT id, label, received_at FROM platform.feedback WHERE prediction_id = :id")
        stored = list(connection.execute(query, {"id": prediction}))
    engine.dispose()
    return stored


def test_the_same_again_has_the_same_answer_and_is_one_row_on_both_processes(
    answering: ServingProcess, neighbour: ServingProcess, module_settings: Settings
) -> None:
    prediction = answering.predict()["prediction_id"]
    counted = metric(answering.client.get("/metrics").text, "serving_feedback_total", voice="anonymous")
    first = send(answering, prediction, KEY)
    assert first.status_code == 202
    # Without a shared secret a neighbour knows the prediction by the database alone.
    answering.wait_until(lambda: answering.health()["journal_backlog_records"] == 0)
    again = [send(answering, prediction, f'"{KEY}"'), send(neighbour, prediction, KEY), send(answering, prediction, KEY)]
    assert {reply.text for reply in again} == {first.text}
    assert metric(answering.client.get("/metrics").text, "serving_feedback_total", voice="anonymous") == counted + 1
    for process in (answering, neighbour):
        process.wait_until(lambda process=process: process.health()["journal_backlog_records"] == 0)
    ((identity, label, _),) = rows(module_settings, prediction)
    assert (identity, label) == (first.json()["feedback_id"], "neutral")

    for process in (answering, neighbour):
        refused = send(process, prediction, KEY, "positive")
        assert (refused.status_code, refused.json()["code"]) == (422, "idempotency_key_reused")
        assert refused.json()["errors"][0]["field"] == "Idempotency-Key"


def test_without_a_key_each_is_one_of_its_own(answering: ServingProcess, module_settings: Settings) -> None:
    """The control: this is what the key prevents."""
    prediction = answering.predict()["prediction_id"]
    for _ in range(2):
        answering.client.post("/feedback", json={"prediction_id": prediction, "label": "neutral"})
    answering.wait_until(lambda: len(rows(module_settings, prediction)) == 2)


def test_what_is_sent_again_takes_nothing_of_the_share_of_those_without_a_key(start_alone: ServingProcess) -> None:
    """A share of three: what is new, and refused for it, is taken once there is room, and not taken for known."""
    prediction = start_alone.predict()["prediction_id"]
    told = [send(start_alone, prediction, key).status_code for key in ("a", "a", "a", "b", "b", "c", "a", "b", "d", "d", "c")]
    assert told == [202] * 8 + [429, 429, 202]
    start_alone.wait_until(lambda: start_alone.health()["journal_backlog_records"] == 0)
    assert len(rows(start_alone.settings, prediction)) == 3


def test_two_speakers_may_use_one_word(answering: ServingProcess, module_settings: Settings) -> None:
    prediction = answering.predict()["prediction_id"]
    engine = create_platform_engine(module_settings.database_url)
    with engine.begin() as connection:
        keys = [create_key(connection, "viewer", owner) for owner in ("a desk", "another desk")]
    engine.dispose()
    replies = [
        send(answering, prediction, "same", label, **{"X-API-Key": key})
        for key, label in zip(keys, ("positive", "negative"), strict=True)
    ]
    assert [reply.status_code for reply in replies] == [202, 202]
    assert len({reply.json()["feedback_id"] for reply in replies}) == 2


@pytest.mark.parametrize("key", ["", "a b", "a" * 65, "<script>"])
def test_what_is_no_word_is_refused(answering: ServingProcess, key: str) -> None:
    refused = send(answering, answering.predict()["prediction_id"], key)
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid_request")
    assert refused.json()["errors"][0]["field"] == "Idempotency-Key"
