"""Claims about whose word feedback is: a key's, a client's of it, or nobody's, which is counted, capped and kept apart."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Engine, select

from sentiment_platform.clock import utc_now
from sentiment_platform.store.api_keys import create_key, revoke_key
from sentiment_platform.store.engine import create_platform_engine
from sentiment_platform.store.tables import Feedback
from sentiment_platform_tests.serving.documented import documented_answer
from sentiment_platform_tests.serving.running import ServingProcess, metric
from serving.contract.problems import Problem
from serving.edge.voices import Allowance


@pytest.fixture(scope="module")
def stored(answering: ServingProcess) -> Iterator[Engine]:
    engine = create_platform_engine(answering.settings.database_url)
    yield engine
    engine.dispose()


def say(serving: ServingProcess, key: str = "", **fields: str) -> tuple[int, dict[str, str]]:
    body = {"prediction_id": serving.predict()["prediction_id"], "label": "neutral", **fields}
    reply = serving.client.post("/feedback", json=body, headers={"X-API-Key": key} if key else {})
    return reply.status_code, reply.json()


def voice(serving: ServingProcess, stored: Engine, feedback_id: str) -> str | None:
    def arrived() -> list[str | None]:
        with stored.connect() as connection:
            return list(connection.execute(select(Feedback.voice).where(Feedback.id == feedback_id)).scalars())

    return serving.wait_until(arrived)[0]


def test_the_voice_is_the_key_or_the_client_that_its_holder_names_and_otherwise_nobodys(
    answering: ServingProcess, stored: Engine
) -> None:
    with stored.begin() as connection:
        key = create_key(connection, "viewer", "a desk")
    name = key.split("_")[1]
    cases = [(key, {}, name), (key, {"client_id": "reader-7"}, f"{name}/reader-7"), ("", {"client_id": "reader-7"}, None)]
    for presented, fields, expected in cases:
        status, accepted = say(answering, presented, **fields)
        assert (status, accepted["voice"]) == (202, "known" if expected else "anonymous")
        assert voice(answering, stored, accepted["feedback_id"]) == expected
    assert say(answering, key, client_id="two words")[0] == 400


def test_a_wrong_an_expired_and_a_revoked_key_are_refused_and_do_not_become_nobodys_word(
    answering: ServingProcess, stored: Engine
) -> None:
    with stored.begin() as connection:
        expired = create_key(connection, "admin", "a desk", utc_now() - timedelta(days=1))
        revoked = create_key(connection, "viewer", "a desk")
        revoke_key(connection, revoked.split("_")[1])
    for key in (expired, revoked, f"{revoked}x", "sp_a_b", "nonsense"):
        status, problem = say(answering, key)
        assert (status, problem["code"]) == (401, "key_invalid")


def test_feedback_is_counted_by_day_and_kind(answering: ServingProcess) -> None:
    before = metric(answering.client.get("/metrics").text, "serving_feedback_total", voice="anonymous")
    say(answering)
    assert metric(answering.client.get("/metrics").text, "serving_feedback_total", voice="anonymous") == before + 1
    (today,) = answering.wait_until(lambda: documented_answer(answering, "/monitoring/quality")["feedback"])
    assert today["day"] == f"{utc_now():%Y-%m-%d}"


def test_so_much_a_minute_is_taken_of_nobody_and_then_429_says_when_and_how() -> None:
    allowance = Allowance(a_minute=3)
    for _ in range(3):
        allowance.take()
    with pytest.raises(Problem) as refused:
        allowance.take()
    assert refused.value.status_code == 429
    assert 1 <= int((refused.value.headers or {})["Retry-After"]) <= 60
    assert "send an API key of any role" in refused.value.detail
