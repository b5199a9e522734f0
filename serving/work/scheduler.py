"""Whose turn it is on the threads that run models: one queue over all models of the process, bounded in seconds of work.

Classes come before deadlines, and deadlines before arrival. Of nine batches at least one goes to a class that waits behind another,
and one thread is kept free of all but answers, so that no answer waits for more than a batch. What nobody waits for any more, or
cannot be in time, is not begun. Used from one event loop.
"""

import asyncio
import time
from bisect import insort
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from serving.metrics import Metrics
from serving.work.batches import Batch, Work
from serving.work.classes import CLASSES, NotTaken, Overloaded, WorkClass
from serving.work.cost import timed
from serving.work.head_room import HeadRoom
from serving.work.stuck import STUCK_S, StuckThreads

SIMILAR_LENGTH = 1.5
PASSED_OVER = 8
"""Batches that may go before a class that waits, until one of its own goes first."""
STRETCH_WEIGHT = 0.1
LONGEST_STRETCH = 8.0
FULL = 0.9
"""Of the usual deadline: a request has used some of it when it comes to its model."""
TRIAL_S = 1.0
"""A model that looks too slow for every deadline is tried once in so many seconds: it may have become faster."""


class Scheduler:
    """The threads of the models, and what waits for them.

    Args:
        threads: `workers` of them at least, and those that replace what hangs.
        deadline_s: within which answers are usually asked for.
        stuck_s: so long after its deadline work is taken to hang.
    """

    def __init__(
        self,
        threads: ThreadPoolExecutor,
        workers: int,
        *,
        deadline_s: float = 0.2,
        stuck_s: float = STUCK_S,
        metrics: Metrics | None = None,
    ) -> None:
        self._threads = threads
        self._workers = workers
        self._deadline_s = deadline_s
        self._metrics = metrics
        self._queues: dict[WorkClass, list[Work]] = {kind: [] for kind in CLASSES}
        self._passed_over: dict[WorkClass, int] = dict.fromkeys(CLASSES, 0)
        self._running: set[Batch] = set()
        self._stuck = StuckThreads(stuck_s)
        self._tasks: set[asyncio.Task[None]] = set()
        self._head_room = HeadRoom(least=0.3, most=0.85)
        self._stretch = 1.0
        self._tried_at = 0.0

    @property
    def busy(self) -> bool:
        """Whether anything waits or runs."""
        return bool(self._running) or any(self._queues.values())

    def stuck(self) -> int:
        """Threads whose work hangs."""
        self._stuck.take_from(self._running)
        return len(self._stuck)

    def why_not_ready(self) -> str:
        """Why work is not done as it should until the process starts anew; "" where it is."""
        return self._stuck.why_not_ready() if self.stuck() else ""

    def waiting_s(self, kind: WorkClass) -> float:
        """Seconds of work of a class that wait."""
        return sum(work.cost_s for work in self._queues[kind])

    def depth(self, key: object) -> int:
        """Items of one key that wait or run."""
        waiting = sum(work.key is key for queue in self._queues.values() for work in queue)
        return waiting + sum(len(batch.work) for batch in self._running if batch.work[0].key is key)

    def expected_s(self, kind: WorkClass, cost_s: float) -> float:
        """Seconds from now until work of this class and cost would be done, at the pace of late."""
        before = sum(self.waiting_s(each) for each in CLASSES[: CLASSES.index(kind) + 1])
        now = time.perf_counter()
        before += sum(max(0.0, batch.cost_s - (now - batch.started) / self._stretch) for batch in self._running)
        return (before / self._workers + cost_s) * self._stretch

    def takes(self, kind: WorkClass, cost_s: float, ends_at: float) -> bool:
        """Whether such work would be done in time, with head room for what comes before it by then.

        Where nothing else waits or runs, its own cost decides: what was learned while the machine was busy may not shut a model out.
        """
        left_s = ends_at - time.perf_counter()
        if self.stuck() and self._stuck.lost >= self._workers:
            return False
        if not self.busy:
            return cost_s <= left_s or (left_s > 0 and time.perf_counter() - self._tried_at >= TRIAL_S)
        return left_s > 0 and self.expected_s(kind, cost_s) <= left_s * self._head_room.share

    @property
    def why_not(self) -> NotTaken:
        """Of what was not taken just now: what waits before it, or its own cost."""
        return "queue" if self.busy else "deadline"

    def is_full(self, cost_s: float) -> bool:
        """Whether so much waits that an answer of this cost would be too late for the usual deadline."""
        return self.busy and not self.takes("answer", cost_s, time.perf_counter() + FULL * self._deadline_s)

    async def do(self, work: Work) -> Any:
        """The answer to one item.

        Raises:
            Overloaded: it would take longer than its deadline, or did. What `Work.run` raises.
        """
        if not self.takes(work.kind, work.cost_s, work.ends_at):
            raise Overloaded(self.why_not)
        if not self.busy and work.cost_s > work.ends_at - time.perf_counter():
            self._tried_at = time.perf_counter()
        queue = self._queues[work.kind]
        insort(queue, work, key=lambda each: each.ends_at)
        self._start()
        try:
            async with asyncio.timeout(work.ends_at - time.perf_counter()):
                answer = await work.answer
        except TimeoutError:
            self._was_late(work.kind)
            raise Overloaded("deadline") from None
        finally:
            work.answer.cancel()
            if work in queue:
                queue.remove(work)
        if work.kind == CLASSES[0]:
            self._head_room.in_time()
        return answer

    def _was_late(self, kind: WorkClass) -> None:
        if kind == CLASSES[0]:
            self._head_room.late()
        if self._metrics is not None:
            self._metrics.late.labels(kind).inc()

    def _start(self) -> None:
        self._stuck.take_from(self._running)
        while len(self._running) < self._workers - self._stuck.lost and (work := self._take()):
            batch = Batch(work, sum(each.cost_s for each in work), time.perf_counter())
            for each in work:
                each.began = batch.started
            self._running.add(batch)
            self._spawn(self._run(batch))

    def _spawn(self, coroutine: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _take(self) -> list[Work]:
        """The next batch: the class whose turn it is, its most urgent item, and those of similar length: padding is wasted work."""
        waiting: list[WorkClass] = [kind for kind in CLASSES if self._first(kind)]
        if self._keeps_a_thread_free():
            waiting = waiting[:1] if waiting and waiting[0] == CLASSES[0] else []
        if not waiting:
            return []
        overdue: list[WorkClass] = [kind for kind in waiting if self._passed_over[kind] >= PASSED_OVER]
        kind = (overdue or waiting)[0]
        for each in waiting:
            self._passed_over[each] = 0 if each == kind else self._passed_over[each] + 1
        queue = self._queues[kind]
        first = queue.pop(0)
        similar = sorted(
            (each for each in queue if each.key is first.key and _ratio(each.length, first.length) <= SIMILAR_LENGTH),
            key=lambda each: abs(each.length - first.length),
        )
        # Nobody is left idle: what waits is shared among the free workers.
        share = -(-(len(similar) + 1) // max(1, self._workers - len(self._running)))
        batch = [first, *similar[: max(0, min(share, first.most) - 1)]]
        for each in batch[1:]:
            queue.remove(each)
        return batch

    def _keeps_a_thread_free(self) -> bool:
        others = sum(batch.work[0].kind != CLASSES[0] for batch in self._running)
        return others >= self._workers - 1 and self._workers > 1

    def _first(self, kind: WorkClass) -> Work | None:
        """The most urgent one of a class that somebody waits for and that can still be in time."""
        queue = self._queues[kind]
        now = time.perf_counter()
        while queue and (queue[0].answer.done() or queue[0].ends_at <= now):
            queue.pop(0)
        return queue[0] if queue else None

    async def _run(self, batch: Batch) -> None:
        first, items = batch.work[0], [each.item for each in batch.work]
        try:
            loop = asyncio.get_running_loop()
            answers, wall_s, busy_s = await loop.run_in_executor(self._threads, timed, lambda: first.run(items))
        except Exception as error:
            for each in batch.work:
                if not each.answer.done():
                    each.answer.set_exception(error)
        else:
            if batch not in self._stuck:
                first.ran(items, busy_s)
            stretch = min(LONGEST_STRETCH, max(1.0, wall_s / max(busy_s, 1e-6)))
            self._stretch += STRETCH_WEIGHT * (stretch - self._stretch)
            for each, answer in zip(batch.work, answers, strict=True):
                if each.answer.done():
                    continue
                if isinstance(answer, Exception):
                    each.answer.set_exception(answer)
                else:
                    each.answer.set_result(answer)
        finally:
            self._running.discard(batch)
            self._stuck.ended(batch)
            self._start()


def _ratio(a: int, b: int) -> float:
    return max(a, b, 1) / max(1, min(a, b))
