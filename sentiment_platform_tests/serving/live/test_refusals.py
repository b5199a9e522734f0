"""Claims about refusals: how an attempt ended is kept in words, and a refused deployment rests while another one may be tried."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from sentiment_platform.errors import PermanentError, TransientError
from sentiment_platform.registry.refusal import Refused
from serving.live.model_refused import ModelRefused
from serving.live.refusals import Refusals
from serving.metrics import Metrics

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


@pytest.fixture
def refusals() -> Refusals:
    return Refusals(Metrics(), clock=lambda: NOW)


def raising(error: Exception) -> Callable[[], None]:
    def work() -> None:
        raise error

    return work


@pytest.mark.parametrize(
    ("error", "outcome", "reason"),
    [
        (Refused("It is not what was signed.", reason="digest", remedy="Publish again."), "refused", "digest"),
        (ModelRefused("It answers otherwise here.", reason="golden", remedy="What runs stays."), "refused", "golden"),
        (PermanentError("It can never run.", remedy="Publish again."), "refused", "permanent"),
        (TransientError("GitHub is away.", remedy="Wait."), "failed", "unavailable"),
        (OSError("The disk is full."), "failed", "unavailable"),
    ],
)
def test_an_attempt_that_raises_is_the_candidate_with_its_reason(
    refusals: Refusals, error: Exception, outcome: str, reason: str
) -> None:
    assert refusals.attempt(7, ["v1.0.0-vader"], raising(error)) == outcome
    candidate = refusals.candidate
    assert candidate is not None
    assert (candidate.at, candidate.revision, candidate.versions) == (NOW, 7, ("v1.0.0-vader",))
    assert (candidate.outcome, candidate.reason, candidate.message) == (outcome, reason, str(error))


def test_an_attempt_that_succeeds_leaves_no_candidate(refusals: Refusals) -> None:
    refusals.attempt(7, ["v1.0.0-vader"], raising(OSError("The disk is full.")))
    assert refusals.attempt(7, ["v1.0.0-vader"], lambda: None) == "swapped"
    assert refusals.candidate is None
    assert refusals.last_attempt is not None
    assert refusals.last_attempt.message is None


def test_a_defect_of_ours_is_no_refusal(refusals: Refusals) -> None:
    with pytest.raises(ZeroDivisionError):
        refusals.attempt(7, [], raising(ZeroDivisionError()))
    assert refusals.last_attempt is None


def test_a_refused_deployment_rests_and_another_one_may_be_tried(refusals: Refusals) -> None:
    assert not refusals.rests("first")
    refusals.let_rest("first")
    assert refusals.rests("first")
    assert not refusals.rests("second")
    assert not refusals.retry_is_due(), "five minutes have not passed"
    refusals.forget_rest()
    assert not refusals.rests("first")
