"""Does a version that has just taken over answer as well as the one before? A pure function of the answers of both.

It looks at fixed numbers of answers, so that looking every minute is no further test: 6 looks at 7 questions share `WATCH_ERROR`. Each
question has a floor beside its test: a difference that is certain and small is no reason to go back.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Literal

import numpy as np

from sentiment_platform.statistics.fisher import larger_share_p
from sentiment_platform.text.sentiment import LABELS

Metric = Literal["errors", "degraded", "p95", "class_share", "disagreement"]
LOOKS = (50, 100, 200, 400, 700, 1000)
"""Answers of the new version on different texts, at which it is judged; with the last the watch ends."""
FEWEST_BEFORE = 50
NO_CLASS = -1
WATCH_ERROR = 0.01
"""Chance that a version as good as the one before is sent back by its watch."""
QUESTIONS = 4 + len(LABELS)
LEVEL = WATCH_ERROR / (len(LOOKS) * QUESTIONS)
ERRORS_MORE = 0.02
DEGRADED_MORE = 0.10
P95_TIMES, P95_MORE_MS = 1.5, 5.0
VANISHED = 0.25
"""A class is gone where it is answered on less than this part of its share before."""
SMALLEST_CLASS = 0.05
DISAGREES_MORE = 0.20
"""Beyond what the holdout says of the two; the share of texts that they answer differently."""
DISAGREEMENT_TEXTS = 200
UNKNOWN_DISAGREEMENT = 0.30
"""Expected of two versions where no holdout says it."""


@dataclass(frozen=True, kw_only=True)
class Answers:
    """What became of each text that a version was to answer, one answer a text, in their order.

    Attributes:
        degraded: another version answered, because this one was too busy or too slow; `failed`: because it raised, or nobody answered.
        classes: `NO_CLASS` where it did not answer itself.
        latency_ms: NaN where it did not answer itself, or from the cache.
    """

    degraded: Sequence[bool]
    failed: Sequence[bool]
    classes: Sequence[int]
    latency_ms: Sequence[float]

    def __len__(self) -> int:
        return len(self.classes)

    def first(self, n: int) -> "Answers":
        """The first `n`."""
        return Answers(
            degraded=self.degraded[:n], failed=self.failed[:n], classes=self.classes[:n], latency_ms=self.latency_ms[:n]
        )


@dataclass(frozen=True, kw_only=True)
class Disagreement:
    """Of `asked` texts that the new version answered, so many were `different` when the one before answered them again.

    `expected`: the share on the holdout; None where they were never compared there.
    """

    asked: int
    different: int
    expected: float | None


@dataclass(frozen=True, kw_only=True)
class Question:
    """What was asked about one metric after `n` answers: before, now, chance, and whether it is a reason to go back."""

    metric: Metric
    n: int
    before: float
    now: float
    p: float
    worse: bool
    words: str


def judge_swap(new: Answers, before: Answers, disagreement: Disagreement | None = None) -> list[Question]:
    """The questions of the first look at which something is worse, else of the last look that is due; none where answers are too few.

    That a version fails is no matter of comparison: where the one before answered too little, it is held to have failed at nothing.
    """
    due = [look for look in LOOKS if look <= len(new)]
    questions: list[Question] = []
    for look in due:
        if len(before) >= FEWEST_BEFORE:
            questions = _questions(new.first(look), before, disagreement if look == due[-1] else None)
        elif any(new.failed[:look]):
            questions = [_errors(new.first(look), before)]
        if any(question.worse for question in questions):
            break
    return questions


def worst(questions: Sequence[Question]) -> Question | None:
    """The reason to go back: of several the least likely one."""
    return min((question for question in questions if question.worse), key=lambda question: question.p, default=None)


def next_look(answers: int) -> int:
    """How many looks are due after so many answers."""
    return sum(look <= answers for look in LOOKS)


def _questions(new: Answers, before: Answers, disagreement: Disagreement | None) -> list[Question]:
    asked = [_errors(new, before), _degraded(new, before), _p95(new, before)]
    asked += [_class_share(index, new, before) for index in range(len(LABELS))]
    asked.append(_disagreement(disagreement, len(new)) if disagreement else None)
    return [question for question in asked if question is not None]


def _errors(new: Answers, before: Answers) -> Question:
    counts = sum(new.failed), len(new), sum(before.failed), max(len(before), FEWEST_BEFORE)
    now, then = counts[0] / counts[1], counts[2] / counts[3]
    p = larger_share_p(*counts)
    words = f"it failed at {now:.1%} of {len(new):,} texts, the one before at {then:.1%}"
    return Question(
        metric="errors", n=len(new), before=then, now=now, p=p, worse=p < LEVEL and now - then >= ERRORS_MORE, words=words
    )


def _degraded(new: Answers, before: Answers) -> Question:
    counts = sum(new.degraded), len(new), sum(before.degraded), len(before)
    now, then = counts[0] / counts[1], counts[2] / counts[3]
    p = larger_share_p(*counts)
    words = f"{now:.1%} of {len(new):,} answers are degraded, {then:.1%} before"
    worse = p < LEVEL and now - then >= DEGRADED_MORE
    return Question(metric="degraded", n=len(new), before=then, now=now, p=p, worse=worse, words=words)


def _p95(new: Answers, before: Answers) -> Question | None:
    timed = [ms for ms in new.latency_ms if isfinite(ms)]
    earlier = [ms for ms in before.latency_ms if isfinite(ms)]
    if len(timed) < LOOKS[0] or len(earlier) < FEWEST_BEFORE:
        return None
    now, then = float(np.percentile(timed, 95)), float(np.percentile(earlier, 95))
    bound = max(P95_TIMES * then, then + P95_MORE_MS)
    # How many answers take longer than the bound is a share, whatever the times are distributed like.
    slow = sum(ms > bound for ms in timed), len(timed), sum(ms > bound for ms in earlier), len(earlier)
    p = larger_share_p(*slow)
    words = f"95 % of answers take up to {now:.1f} ms, {then:.1f} ms before"
    return Question(metric="p95", n=len(new), before=then, now=now, p=p, worse=p < LEVEL and now > bound, words=words)


def _class_share(index: int, new: Answers, before: Answers) -> Question | None:
    (there, then), (said, earlier) = (
        [sum(one == index for one in each.classes) for each in (new, before)],
        [sum(one != NO_CLASS for one in each.classes) for each in (new, before)],
    )
    if not said or not earlier or then / earlier < SMALLEST_CLASS:
        return None
    shares = there / said, then / earlier
    # That other answers became so common is that this one became so rare.
    p = larger_share_p(said - there, said, earlier - then, earlier)
    words = f"{shares[0]:.1%} of answers are {LABELS[index]}, {shares[1]:.1%} before"
    worse = p < LEVEL and shares[0] < VANISHED * shares[1]
    return Question(metric="class_share", n=len(new), before=shares[1], now=shares[0], p=p, worse=worse, words=words)


def _disagreement(told: Disagreement, n: int) -> Question | None:
    if told.asked < LOOKS[0]:
        return None
    expected = UNKNOWN_DISAGREEMENT if told.expected is None else told.expected
    now = told.different / told.asked
    # Against a sample of the same size that differs as was expected: what the holdout says is an estimate too.
    p = larger_share_p(told.different, told.asked, round(expected * told.asked), told.asked)
    words = f"{now:.1%} of {told.asked:,} texts are answered otherwise than by the version before, {expected:.1%} were expected"
    worse = p < LEVEL and now - expected >= DISAGREES_MORE
    return Question(metric="disagreement", n=n, before=expected, now=now, p=p, worse=worse, words=words)
