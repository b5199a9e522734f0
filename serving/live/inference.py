"""Running a model without holding the event loop: a short queue per model, small batches of similar length, a bound on the wait.

A loaded model is thread-safe and uses one thread a call, so N calls side by side are N single-threaded sessions over one copy of
the weights. A family that answers within a fraction of a millisecond runs on the loop itself: handing it over would cost more.
"""

import asyncio
import os
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np

from sentiment_platform.errors import TransientError
from sentiment_platform.features.compute import FeatureVector
from sentiment_platform.models.families import FAMILIES
from sentiment_platform.models.family import Explanation, Floats, Model

Probabilities = tuple[float, float, float]
"""Of negative, neutral and positive, in this order; they add up to 1."""

INLINE_COST = 10
"""Families up to this relative cost run on the event loop."""
MAX_WAITING = 64
SIMILAR_LENGTH = 1.5
SHORT_TEXT = 500
"""Characters that count as one text: one long text must not make the next short ones look late."""
_FORGETTING = 0.2


class Overloaded(TransientError):
    """The answer would come too late, or did not come in time."""

    def __init__(self) -> None:
        super().__init__("The model is busy beyond the deadline.", remedy="Try again in a moment, or use POST /predict.")


@dataclass(slots=True)
class _Waiting:
    text: str
    features: FeatureVector
    answer: asyncio.Future[Probabilities] = field(repr=False)


def usable_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def as_matrix(features: Sequence[FeatureVector]) -> Floats:
    """(n, k) with NaN for what is missing."""
    return np.array([[np.nan if value is None else value for value in row] for row in features], dtype=np.float64)


def predict_batch(model: Model, texts: list[str], features: list[FeatureVector]) -> list[Probabilities]:
    """Call the model; raises FloatingPointError when it answers with anything but distributions."""
    rows = model.predict(texts, as_matrix(features))
    if rows.shape != (len(texts), 3) or not np.isfinite(rows).all():
        raise FloatingPointError("the model answered with other numbers than three probabilities a text")
    return [(float(a), float(b), float(c)) for a, b, c in rows]


class ModelRunner:
    """Answers texts with one loaded model. Used from one event loop."""

    def __init__(self, family: str, model: Model, threads: ThreadPoolExecutor, workers: int) -> None:
        self.inline = FAMILIES[family].cost <= INLINE_COST
        self._model = model
        self._threads = threads
        self._workers = workers
        self._waiting: deque[_Waiting] = deque()
        self._running = 0
        self._running_texts = 0
        self._seconds_per_text = 0.0

    @property
    def depth(self) -> int:
        """Texts that wait or are being answered."""
        return len(self._waiting) + self._running_texts

    def expected_wait_s(self) -> float:
        """How long a text that arrives now will take, from how long the last ones took."""
        return (self.depth / self._workers + 1) * self._seconds_per_text

    async def run(self, text: str, features: FeatureVector, limit_s: float) -> Probabilities:
        """Probabilities within `limit_s` seconds.

        Raises:
            Overloaded: it would take longer, or it did.
        """
        if self.inline:
            return predict_batch(self._model, [text], [features])[0]
        if limit_s <= 0 or len(self._waiting) >= MAX_WAITING or self.expected_wait_s() > limit_s:
            self._forget()
            raise Overloaded
        item = _Waiting(text, features, asyncio.get_running_loop().create_future())
        self._waiting.append(item)
        self._start()
        try:
            async with asyncio.timeout(limit_s):
                return await item.answer
        except TimeoutError:
            raise Overloaded from None

    async def explain(self, text: str, features: FeatureVector) -> Explanation:
        """Where the sentiment comes from; off the loop where one answer is not cheap, because an explanation is many answers."""
        given = as_matrix([features])
        if self.inline:
            return self._model.explain(text, given)
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._model.explain, text, given)

    def _start(self) -> None:
        while self._running < self._workers and (batch := self._take()):
            self._running += 1
            self._running_texts += len(batch)
            task = asyncio.get_running_loop().create_task(self._answer(batch))
            _tasks.add(task)
            task.add_done_callback(_tasks.discard)

    def _take(self) -> list[_Waiting]:
        """The oldest that somebody still waits for, and those nearest to it in length: padding is wasted work."""
        while self._waiting and self._waiting[0].answer.done():
            self._waiting.popleft()
        if not self._waiting:
            return []
        oldest = self._waiting.popleft()
        length = max(1, len(oldest.text))
        similar = sorted(
            (w for w in self._waiting if not w.answer.done() and _ratio(len(w.text), length) <= SIMILAR_LENGTH),
            key=lambda w: abs(len(w.text) - length),
        )[: max(0, self._model.batch_size - 1)]
        # Nobody is left idle: what waits is shared among the free workers.
        share = max(1, -(-(len(self._waiting) + 1) // max(1, self._workers - self._running)))
        batch = [oldest, *similar[: share - 1]]
        for item in batch[1:]:
            self._waiting.remove(item)
        return batch

    async def _answer(self, batch: list[_Waiting]) -> None:
        started = time.perf_counter()
        texts, features = [item.text for item in batch], [item.features for item in batch]
        try:
            loop = asyncio.get_running_loop()
            answers = await loop.run_in_executor(self._threads, predict_batch, self._model, texts, features)
        except Exception as error:
            for item in batch:
                if not item.answer.done():
                    item.answer.set_exception(error)
        else:
            self._learn((time.perf_counter() - started) / sum(1 + len(text) // SHORT_TEXT for text in texts))
            for item, answer in zip(batch, answers, strict=True):
                if not item.answer.done():
                    item.answer.set_result(answer)
        finally:
            self._running -= 1
            self._running_texts -= len(batch)
            self._start()

    def _learn(self, seconds: float) -> None:
        known = self._seconds_per_text
        self._seconds_per_text = seconds if not known else known + _FORGETTING * (seconds - known)

    def _forget(self) -> None:
        # One slow spell must not shut the model out for ever: with an empty queue nobody would measure again.
        if self.depth == 0:
            self._seconds_per_text /= 2


_tasks: set[asyncio.Task[None]] = set()


def _ratio(a: int, b: int) -> float:
    return max(a, b, 1) / max(1, min(a, b))
