"""What the demo says of its own run: since when it counts, whose answers it shows, and what became of a training."""

import os
import time
from typing import Any

import psutil
import pytest

from sentiment_platform.errors import PermanentError
from sentiment_platform.local.demo.deployed import TRIES, answer_of, champion_of, outcome_of_training
from sentiment_platform.local.processes.process_age import elapsed_s, process_age_s

DEPLOYMENT = {
    "deployment": "deploy-000002",
    "champions": {"vader": "v1.0.0-vader", "finbert": "v1.0.0-finbert"},
    "default_family": "finbert",
    "reason": "Nothing is better than what runs.",
}


def answer(version: str, *, degraded: bool = False) -> dict[str, Any]:
    return {"performance": {"model_version": version}, "degraded": degraded}


def test_an_answer_of_the_deployed_champion_is_taken() -> None:
    assert champion_of(DEPLOYMENT) == "v1.0.0-finbert"
    pauses: list[float] = []
    found = answer_of("v1.0.0-finbert", lambda: answer("v1.0.0-finbert"), pauses.append)
    assert (found, pauses) == (answer("v1.0.0-finbert"), [])


def test_an_answer_of_another_version_fails_the_demo() -> None:
    with pytest.raises(PermanentError, match=r"v0\.9\.0-finbert answered, but the deployment names v1\.0\.0-finbert"):
        answer_of("v1.0.0-finbert", lambda: answer("v0.9.0-finbert"))


def test_a_stand_in_is_asked_again_and_fails_the_demo_when_it_answers_each_time() -> None:
    replies = iter([answer("v1.0.0-vader", degraded=True), answer("v1.0.0-finbert")])
    assert answer_of("v1.0.0-finbert", lambda: next(replies), lambda _: None) == answer("v1.0.0-finbert")
    pauses: list[float] = []
    with pytest.raises(PermanentError, match="missed the deadline"):
        answer_of("v1.0.0-finbert", lambda: answer("v1.0.0-vader", degraded=True), pauses.append)
    assert len(pauses) == TRIES


def test_a_training_after_which_nothing_was_published_is_not_told_as_a_swap() -> None:
    new = outcome_of_training(DEPLOYMENT | {"published_now": True}, 1.24, before=1)
    assert new == "deploy-000002 went live 1.2 s after training ended (before: revision 1)"
    old = outcome_of_training(DEPLOYMENT | {"published_now": False}, 0.0, before=2)
    assert old == "deploy-000002 stays, nothing new was published: Nothing is better than what runs."


def test_the_age_of_the_process_counts_from_its_start_and_not_from_an_import() -> None:
    started = psutil.Process(os.getpid()).create_time()
    # The kernel counts in hundredths of a second, and psutil adds the time of the boot, which it knows to a second.
    assert process_age_s() == pytest.approx(time.time() - started, abs=2.0)


@pytest.mark.parametrize(("shown", "seconds"), [("00:07\n", 7), ("  02:03", 123), ("01:00:00", 3600), ("2-01:00:09", 176409)])
def test_the_times_of_ps_are_read(shown: str, seconds: float) -> None:
    assert elapsed_s(shown) == seconds
