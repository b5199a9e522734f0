"""Claims about the queue of the models' threads: order, what is not begun, what may run together, and that no class starves."""

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from functools import wraps
from typing import Any

import pytest

from serving.work.batches import Work
from serving.work.classes import Overloaded, WorkClass
from serving.work.scheduler import PASSED_OVER, Scheduler
from serving.work.stuck import MOST_REPLACED

PIECE_S = 0.02
STUCK_S = 0.3


class Machine:
    """A scheduler over threads that sleep, and what they ran, in order."""

    def __init__(self, workers: int = 1) -> None:
        self.scheduler = Scheduler(ThreadPoolExecutor(workers + MOST_REPLACED), workers, stuck_s=STUCK_S)
        self.ran: list[list[Any]] = []

    def work(
        self, name: str, kind: WorkClass = "answer", *, within_s: float = 5.0, cost_s: float = PIECE_S, length: int = 10
    ) -> Work:
        def run(items: list[Any]) -> list[Any]:
            self.ran.append(items)
            time.sleep(cost_s)
            return items

        return Work(
            kind=kind,
            key=self,
            item=name,
            length=length,
            most=4 if kind == "answer" else 1,
            run=run,
            ran=lambda items, seconds: None,
            ends_at=time.perf_counter() + within_s,
            cost_s=cost_s,
        )

    async def do(self, *work: Work) -> list[Any]:
        return await asyncio.gather(*(self.scheduler.do(each) for each in work), return_exceptions=True)


def on_a_loop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    @wraps(test)
    def run(**fixtures: Any) -> None:
        asyncio.run(test(**fixtures))

    return run


@on_a_loop
async def test_answers_pass_batches_shadows_and_explanations_that_came_before_them() -> None:
    machine = Machine()
    kinds: list[WorkClass] = ["explain", "shadow", "batch", "answer"]
    await machine.do(machine.work("running"), *(machine.work(kind, kind) for kind in kinds))
    assert machine.ran == [["running"], ["answer"], ["batch"], ["shadow"], ["explain"]]


@on_a_loop
async def test_a_class_that_waits_behind_another_has_its_turn_after_a_few_batches() -> None:
    machine = Machine()
    answers = [machine.work(f"{number}", cost_s=0.002, length=10 * 2**number) for number in range(3 * PASSED_OVER)]
    await machine.do(*answers[:1], machine.work("waits", "explain", cost_s=0.002), *answers[1:])
    assert machine.ran.index(["waits"]) == PASSED_OVER + 1


@on_a_loop
async def test_of_two_threads_one_is_kept_free_of_all_but_answers() -> None:
    machine = Machine(2)
    others = [machine.work(f"other {number}", "explain", cost_s=0.2) for number in range(2)]
    running = asyncio.gather(*(machine.scheduler.do(each) for each in others))
    await asyncio.sleep(0.02)
    began = time.perf_counter()
    await machine.do(machine.work("answer"))
    assert time.perf_counter() - began < 0.15
    assert machine.ran == [["other 0"], ["answer"]]
    await running


@on_a_loop
async def test_what_cannot_be_in_time_is_refused_at_once_and_an_empty_queue_takes_it() -> None:
    machine = Machine()
    asked = [machine.work(f"{number}", within_s=0.2, length=10 * 2**number) for number in range(30)]
    began = time.perf_counter()
    answers = await machine.do(*asked)
    refused = [answer for answer in answers if isinstance(answer, Overloaded)]
    assert refused[-1].reason == "queue"
    assert 1 <= len(answers) - len(refused) <= 10, "what fits into a fifth of a second, with head room"
    assert time.perf_counter() - began < 0.5
    assert len(machine.ran) <= 10, "of what was refused nothing was run"
    with pytest.raises(Overloaded) as alone:
        await machine.scheduler.do(machine.work("too slow for its deadline", within_s=0.01, cost_s=0.05))
    assert alone.value.reason == "deadline"


@on_a_loop
async def test_work_whose_caller_left_is_not_begun() -> None:
    machine = Machine()
    running = asyncio.ensure_future(machine.scheduler.do(machine.work("running", cost_s=0.1)))
    left = asyncio.ensure_future(machine.scheduler.do(machine.work("left", length=1000)))
    await asyncio.sleep(0.03)
    left.cancel()
    await running
    await machine.do(machine.work("after"))
    assert machine.ran == [["running"], ["after"]]
    assert not machine.scheduler.busy


@on_a_loop
async def test_only_texts_of_similar_length_run_together() -> None:
    machine = Machine()
    lengths = [100, 110, 1000, 120, 130, 140]
    await machine.do(machine.work("running"), *(machine.work(f"{length}", length=length) for length in lengths))
    assert machine.ran == [["running"], ["100", "110", "120", "130"], ["1000"], ["140"]]


@on_a_loop
async def test_one_failure_is_its_callers_and_the_next_work_is_done() -> None:
    machine = Machine()

    def fail(items: list[Any]) -> list[Any]:
        raise FloatingPointError("no number")

    broken = machine.work("broken")
    broken.run = fail
    with pytest.raises(FloatingPointError):
        await machine.scheduler.do(broken)
    assert await machine.do(machine.work("next")) == ["next"]


@on_a_loop
async def test_threads_that_hang_are_told_and_replaced_up_to_a_bound_and_what_ends_after_all_is_one_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    machine, ends, learned = Machine(2), threading.Event(), list[Any]()

    async def hang(number: int) -> None:
        def run(items: list[Any]) -> list[Any]:
            ends.wait(60)
            return items

        work = machine.work(f"hangs {number}", within_s=0.1)
        work.run, work.ran, work.version = run, lambda items, seconds: learned.append(items), "v1.0.0-finbert"
        with pytest.raises(Overloaded):
            await machine.scheduler.do(work)

    async def answered() -> bool:
        return await machine.do(machine.work("next", within_s=0.5)) == ["next"]

    try:
        await asyncio.gather(hang(0), hang(1))
        assert (machine.scheduler.stuck(), await answered()) == (0, False), "the control: both threads are at work"
        await asyncio.sleep(STUCK_S)
        assert await answered(), "others have taken their place"
        assert (machine.scheduler.stuck(), machine.scheduler.why_not_ready()) == (2, "")
        assert not machine.scheduler.busy
        await hang(2)
        await asyncio.sleep(STUCK_S)
        assert await answered(), "one thread is left"
        assert "3 threads of the models hang (v1.0.0-finbert)" in machine.scheduler.why_not_ready()
        await hang(3)
        await asyncio.sleep(STUCK_S)
        began = time.perf_counter()
        assert not await answered()
        assert (machine.scheduler.stuck(), time.perf_counter() - began < 0.1) == (4, True), "refused at once"
        told = [record.getMessage() for record in caplog.records if record.name == "serving.work.stuck"]
        assert len(told) == 4, "each once"
        assert all(line.startswith("v1.0.0-finbert does not end, 0.3 s past the deadline (answer; texts: 1,") for line in told)
    finally:
        ends.set()
    while machine.scheduler.stuck():
        await asyncio.sleep(0.01)
    assert await answered()
    assert machine.scheduler.why_not_ready() == ""
    assert learned == [], "what hung says nothing of what a text costs"
