"""Claims about the first answers after a swap: what answers worse is left within seconds, once, and what a person chose stays."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from sqlalchemy import Engine

from sentiment_platform.monitoring.swap_judging import LOOKS
from sentiment_platform.promotion.requests import requested_content
from sentiment_platform_tests.serving.conftest import StartServing
from sentiment_platform_tests.serving.fickle import PLUGGED_IN, RAISES, fickle_version
from sentiment_platform_tests.serving.publishing import Publisher
from sentiment_platform_tests.serving.running import ServingProcess, metric
from serving.predict.canary import LASTS_S
from serving.predict.swap_watch import LOOK_S

pytestmark = pytest.mark.slow

FIRST, GOOD, BAD, WORSE = "v1.0.0-vader", "v1.0.1-vader", "v1.0.2-vader", "v1.0.3-vader"
PHRASES = (
    "reports a terrible loss and a weak outlook",
    "will hold its annual meeting in May",
    "reports great profit and strong growth",
)


def ask(serving: ServingProcess, word: str, count: int = 60) -> list[str]:
    """Which version answers each of `count` different texts."""
    texts = [f"Harbour Mills {PHRASES[number % 3]} {word} in {1900 + number}" for number in range(count)]
    return [serving.predict(text)["performance"]["model_version"] for text in texts]


def live_version(serving: ServingProcess) -> str:
    return serving.status()["families"]["vader"]["version"]


def canary(serving: ServingProcess) -> dict[str, Any] | None:
    return serving.status()["families"]["vader"]["canary"]


def chosen_by(serving: ServingProcess, version: str) -> str:
    """Why the next answer of a version is its, as its lineage says."""
    answers = (serving.predict(f"Harbour Mills {time.monotonic()}") for _ in range(100))
    answer = next(answer for answer in answers if answer["performance"]["model_version"] == version)
    path = f"/predictions/{answer['prediction_id']}"
    serving.wait_until(lambda: serving.answers(path))
    return serving.client.get(path).json()["model"]["chosen_by"]


def test_a_version_whose_classes_vanish_is_left_by_itself_within_seconds_and_a_good_one_stays(
    publisher: Publisher, start_serving: StartServing, engine: Engine
) -> None:
    publisher.deploy(publisher.model(FIRST))
    serving = start_serving()
    ask(serving, "first")
    publisher.deploy(publisher.model(GOOD, steepness=3.5))
    serving.wait_until(lambda: live_version(serving) == GOOD)
    assert set(ask(serving, "second")) == {GOOD}
    time.sleep(LOOK_S + 1)
    assert live_version(serving) == GOOD, "the control: what answers as well stays"

    bad = publisher.model(BAD, steepness=0.0001)
    publisher.deploy(bad)
    serving.wait_until(lambda: live_version(serving) == BAD)
    ask(serving, "third")
    breached = time.monotonic()
    serving.wait_until(lambda: live_version(serving) == GOOD, 10)
    assert time.monotonic() - breached < 10
    selection = serving.status()["families"]["vader"]["selection"]
    assert selection["actor"] == "auto_rollback:class_share"
    serving.wait_until(
        lambda: metric(serving.client.get("/metrics").text, "serving_auto_rollbacks_total", metric="class_share") == 1
    )
    requested = requested_content(engine)
    assert requested
    assert (requested.champions["vader"], requested.left, requested.restores) == (GOOD, BAD, 2)
    assert requested.intent([]).rule == "rollback"
    # No flapping: what answers now is not left again, nor does what was left come back.
    assert set(ask(serving, "fourth")) == {GOOD}
    time.sleep(LOOK_S + 0.5)
    assert live_version(serving) == GOOD


def test_a_version_that_fails_at_texts_is_left_by_itself_and_meanwhile_every_request_is_answered(
    publisher: Publisher, start_serving: StartServing
) -> None:
    publisher.deploy(fickle_version(publisher, FIRST))
    serving = start_serving(program=PLUGGED_IN)
    ask(serving, "first", 9)
    publisher.deploy(fickle_version(publisher, GOOD, fails=True))
    serving.wait_until(lambda: live_version(serving) == GOOD and serving.status()["rollback"]["held"])
    assert set(ask(serving, "in May")) == {GOOD}, "it fails at none of these"
    time.sleep(LOOK_S + 0.5)
    assert live_version(serving) == GOOD, "the control"
    assert set(ask(serving, RAISES)) == {FIRST}
    breached = time.monotonic()
    serving.wait_until(lambda: live_version(serving) == FIRST, 10)
    assert time.monotonic() - breached < 10
    assert serving.status()["families"]["vader"]["selection"]["actor"] == "auto_rollback:errors"
    assert metric(serving.client.get("/metrics").text, "serving_requests_total", route="/predict", status="500") == 0


def test_a_new_version_answers_its_share_at_first_and_all_once_it_was_judged_and_one_that_fails_never_does(
    publisher: Publisher, start_serving: StartServing
) -> None:
    publisher.deploy(fickle_version(publisher, FIRST))
    serving = start_serving(program=PLUGGED_IN, SENTIMENT_CANARY_SHARE="0.3")
    assert set(ask(serving, "first")) == {FIRST}

    publisher.deploy(fickle_version(publisher, GOOD))
    serving.wait_until(lambda: live_version(serving) == GOOD)
    first_seen = canary(serving)
    assert first_seen
    assert (first_seen["before"], first_seen["share"], first_seen["texts_left"]) == (FIRST, 0.3, LOOKS[0])
    left = datetime.fromisoformat(first_seen["ends_at"]) - datetime.now(UTC)
    assert timedelta(seconds=LASTS_S - 20) < left < timedelta(seconds=LASTS_S)
    answered = ask(serving, "second", 100)
    asked = canary(serving)
    assert asked, "fewer than it is judged by have met it"
    assert asked["texts_left"] == LOOKS[0] - answered.count(GOOD)
    assert chosen_by(serving, FIRST) == "canary"
    assert chosen_by(serving, GOOD) == "deployment"
    assert 0.15 < answered.count(GOOD) / 100 < 0.45
    assert set(answered) == {FIRST, GOOD}
    assert ask(serving, "second", 100) == answered, "each unit meets the same version again"
    ask(serving, "third", 150)
    serving.wait_until(lambda: canary(serving) is None, 10)
    assert set(ask(serving, "second", 100)) == {GOOD}

    publisher.deploy(fickle_version(publisher, BAD, fails=True))
    serving.wait_until(lambda: live_version(serving) == BAD)
    answered = ask(serving, RAISES, 250)
    assert BAD not in answered
    serving.wait_until(lambda: live_version(serving) == GOOD, 10)
    assert serving.status()["families"]["vader"]["selection"]["actor"] == "auto_rollback:errors"
    assert canary(serving) is None
    errors = metric(serving.client.get("/metrics").text, "serving_model_errors_total", version=BAD)
    assert 0 < errors < 0.45 * 250, "most units never met it"


def test_what_a_person_chose_is_not_left(publisher: Publisher, start_serving: StartServing) -> None:
    publisher.deploy(publisher.model(FIRST))
    serving = start_serving()
    ask(serving, "first")
    chosen = publisher.document([publisher.model(WORSE, steepness=0.0001)])
    document = msgspec.structs.replace(chosen, rule="manual")
    publisher.registry.publish_deployment(document, publisher.keys, fence=lambda: None)
    serving.wait_until(lambda: live_version(serving) == WORSE)
    ask(serving, "second")
    time.sleep(2 * LOOK_S)
    assert live_version(serving) == WORSE
