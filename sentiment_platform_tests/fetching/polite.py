"""A client that waits by a clock that only moves when somebody sleeps, and answers that come one after the other."""

from collections.abc import Callable

from sentiment_platform.fetching.http import FetchLimits, user_agent
from sentiment_platform.fetching.politeness import PoliteClient, Retries
from sentiment_platform_tests.news.server import Answer

LOCAL = FetchLimits(allow_private_hosts=True, read_s=1.0)


class Clock:
    """`sleeps` lists what was slept; the time of `monotonic` is their sum and what was set by hand."""

    def __init__(self) -> None:
        self.time = 1000.0
        self.sleeps: list[float] = []

    def monotonic(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(round(seconds, 6))
        self.time += seconds


def polite(clock: Clock, uniform: Callable[[float, float], float] = max, retries: Retries | None = None) -> PoliteClient:
    return PoliteClient(
        agent=user_agent("ops@example.com"),
        limits=LOCAL,
        retries=retries,
        monotonic=clock.monotonic,
        sleep=clock.sleep,
        uniform=uniform,
    )


def in_turn(*answers: Answer) -> Answer:
    waiting = list(answers)
    return lambda handler: (waiting.pop(0) if len(waiting) > 1 else waiting[0])(handler)
