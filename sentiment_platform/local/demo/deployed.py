"""What a deployment of the demo's own run says, and answers that are the deployed version's."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from sentiment_platform.errors import PermanentError

TRIES = 5


def outcome_of_training(deployment: Mapping[str, Any], swapped_after_s: float, before: int) -> str:
    """What became of a training, in words: a second demo on one folder may find nothing better than what runs, and that is fine."""
    if deployment["published_now"]:
        return f"{deployment['deployment']} went live {swapped_after_s:.1f} s after training ended (before: revision {before})"
    return f"{deployment['deployment']} stays, nothing new was published: {deployment['reason']}"


def champion_of(deployment: Mapping[str, Any]) -> str:
    """The version that a deployment gives the unified route."""
    return str(deployment["champions"][deployment["default_family"]])


def answer_of(version: str, ask: Callable[[], dict[str, Any]], sleep: Callable[[float], object] = time.sleep) -> dict[str, Any]:
    """An answer of `version`. A busy machine may miss the deadline, and a cheaper family then stands in: that is asked again.

    Raises:
        PermanentError: it is another version's answer, or a stand-in's each time.
    """
    for attempt in range(TRIES):
        answer = ask()
        if not answer["degraded"]:
            break
        sleep(attempt)
    else:
        raise PermanentError(
            f"{TRIES} answers in turn missed the deadline of {version}, and a cheaper family stood in.",
            remedy="Leave the machine more room, or raise SENTIMENT_DEADLINE_MS.",
        )
    answered_by = answer["performance"]["model_version"]
    if answered_by != version:
        raise PermanentError(
            f"{answered_by} answered, but the deployment names {version}.", remedy="See /models/status and the log of serving."
        )
    return answer
