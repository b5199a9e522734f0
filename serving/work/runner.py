"""One loaded model, and where its work is done: on the event loop while that costs less than handing it over, else by the scheduler.

A loaded model is thread-safe and uses one thread a call, so N calls side by side are N single-threaded sessions over one copy of
the weights.
"""

import os
import time
from collections.abc import Sequence

import numpy as np

from sentiment_platform.features.compute import FeatureVector
from sentiment_platform.models.explanation import MAX_PARTS
from sentiment_platform.models.families import FAMILIES
from sentiment_platform.models.family import Explanation, Floats, Model, OneTextModel
from serving.contract.request_context import took
from serving.work.batches import Work
from serving.work.classes import NotTaken, WorkClass
from serving.work.cost import Cost, timed
from serving.work.scheduler import Scheduler

Probabilities = tuple[float, float, float]
"""Of negative, neutral and positive, in this order; they add up to 1."""

INLINE_COST = 10
"""Families up to this relative cost may run on the event loop."""
INLINE_S = 0.0015
"""The longest that a model may hold the event loop at once."""
SHORT_TEXT = 100
"""Characters."""
ROUNDING = 1e-4
"""Of probabilities in single precision."""
_Asked = tuple[str, FeatureVector]


def usable_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def as_matrix(features: Sequence[FeatureVector]) -> Floats:
    """(n, k) with NaN for what is missing."""
    return np.array([[np.nan if value is None else value for value in row] for row in features], dtype=np.float64)


def predict_batch(model: Model, texts: list[str], features: list[FeatureVector]) -> list[Probabilities]:
    """Call the model; raises FloatingPointError when it answers with anything but distributions."""
    rows = model.predict(texts, as_matrix(features))
    if rows.shape != (len(texts), 3):
        raise FloatingPointError("the model answered with other numbers than three probabilities a text")
    return [_distribution((a, b, c)) for a, b, c in rows.tolist()]


def _distribution(probabilities: Probabilities) -> Probabilities:
    # A comparison with NaN is false.
    if not (min(probabilities) >= -ROUNDING and abs(sum(probabilities) - 1) <= ROUNDING):
        raise FloatingPointError("the model answered with other numbers than three probabilities a text")
    return probabilities


class ModelRunner:
    """Answers texts with one loaded model. Used from one event loop."""

    def __init__(self, family: str, model: Model, scheduler: Scheduler, version: str = "") -> None:
        self._version = version or family
        self.inline = FAMILIES[family].cost <= INLINE_COST
        self._model = model
        # A dear family answers several texts at once for little more than one; a cheap one gains nothing by it.
        self._one_text = model if self.inline and isinstance(model, OneTextModel) else None
        self._scheduler = scheduler
        self._answering = Cost()
        self._explaining: Cost | None = None

    @property
    def depth(self) -> int:
        """Texts that wait for a thread or are on one."""
        return self._scheduler.depth(self)

    @property
    def saturated(self) -> bool:
        """Whether a short text that came now would be too late."""
        return not self.inline and self._scheduler.is_full(self._answering.of(SHORT_TEXT))

    def try_out(self, texts: Sequence[str], features: int) -> None:
        """Learn what a text costs here before anybody waits for it; with so many features, all missing. Blocking."""
        missing = np.full((1, features), np.nan)
        for text in texts:
            _, _, busy_s = timed(lambda text=text: self._model.predict([text], missing))
            self._answering.learn(1, len(text), busy_s)

    def takes(self, text: str, kind: WorkClass, ends_at: float) -> bool:
        """Whether `run` would be in time, as far as can be known."""
        cost_s = self._answering.of(len(text))
        return self._is_for_the_loop(cost_s) or self._scheduler.takes(kind, cost_s, ends_at)

    @property
    def why_not(self) -> NotTaken:
        """Of what `takes` refused just now."""
        return self._scheduler.why_not

    async def run(self, text: str, features: FeatureVector, kind: WorkClass, ends_at: float) -> Probabilities:
        """Probabilities before `time.perf_counter()` is `ends_at`.

        Raises:
            Overloaded: it would take longer, or it did. Whatever the model raises at this text.
        """
        cost_s = self._answering.of(len(text))
        if self._is_for_the_loop(cost_s):
            answer, wall_s, busy_s = timed(lambda: self._predict([(text, features)])[0])
            self._answering.learn(1, len(text), busy_s)
            took("inference", wall_s)
            return answer
        work = Work(
            kind=kind,
            key=self,
            item=(text, features),
            length=len(text),
            most=self._model.batch_size,
            run=self._predict_apart,
            ran=self._learn,
            ends_at=ends_at,
            cost_s=cost_s,
            version=self._version,
        )
        asked = time.perf_counter()
        probabilities = await self._scheduler.do(work)
        took("queue", work.began - asked)
        took("inference", time.perf_counter() - work.began)
        return probabilities

    async def explain(self, text: str, features: FeatureVector, ends_at: float) -> Explanation:
        """Where the sentiment comes from. An explanation is many answers, and its turn comes after those.

        Raises:
            Overloaded: as `run`.
        """
        cost_s = self._explaining.of(len(text)) if self._explaining else self._guess_of_explaining(text)
        if self._is_for_the_loop(cost_s):
            return self._explain([(text, features)])[0]
        return await self._scheduler.do(
            Work(
                kind="explain",
                key=self._explain,
                item=(text, features),
                length=len(text),
                most=1,
                run=self._explain,
                ran=self._learn_explaining,
                ends_at=ends_at,
                cost_s=cost_s,
                version=self._version,
            )
        )

    def _is_for_the_loop(self, cost_s: float) -> bool:
        return self.inline and cost_s <= INLINE_S

    def _predict(self, asked: list[_Asked]) -> list[Probabilities]:
        # On the loop and on a thread alike: in numpy's order of adding, the last digits would depend on how busy the process is.
        if (one_text := self._one_text) is not None:
            return [_distribution(one_text.predict_one(text, features)) for text, features in asked]
        return predict_batch(self._model, [text for text, _ in asked], [features for _, features in asked])

    def _predict_apart(self, asked: list[_Asked]) -> list[Probabilities | Exception]:
        """As `_predict`; a text at which the model fails costs those beside it no answer."""
        try:
            return [*self._predict(asked)]
        except Exception as error:
            return [error] if len(asked) == 1 else [self._predict_apart([each])[0] for each in asked]

    def _explain(self, asked: list[_Asked]) -> list[Explanation]:
        return [self._model.explain(text, as_matrix([features])) for text, features in asked]

    def _learn(self, asked: list[_Asked], busy_s: float) -> None:
        self._answering.learn(len(asked), sum(len(text) for text, _ in asked), busy_s)

    def _learn_explaining(self, asked: list[_Asked], busy_s: float) -> None:
        if self._explaining is None:
            self._explaining = Cost()
        self._explaining.learn(len(asked), sum(len(text) for text, _ in asked), busy_s)

    def _guess_of_explaining(self, text: str) -> float:
        """By reading it in parts, forwards and backwards: texts of half its length on the average."""
        parts = 2 * min(MAX_PARTS, 1 + text.count(" "))
        return self._answering.of(parts * len(text) // 2, parts)
