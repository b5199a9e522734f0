"""Claims about what is taken on: costs are learned, busy neighbours do not inflate them, and the loop's share keeps its deadline."""

import asyncio
import threading
import time
from typing import Any, cast

import pytest
import uvicorn
from uvicorn.server import ServerState

from serving.edge.admission import admitting_connections
from serving.edge.door import Door
from serving.metrics import Metrics
from serving.predict.single_flight import SingleFlight
from serving.work.cost import Cost, timed
from serving.work.head_room import ONE_STEP_S, HeadRoom
from serving.work.loop_share import LoopShare, work_in
from serving.work.rests import AT_ONCE, LONGEST_S, REFUSAL_S, SHARE, Rests


async def nobody(scope: Any, receive: Any, send: Any) -> None:
    """An application that is never called."""
    raise AssertionError


def busy(seconds: float) -> None:
    ends = time.thread_time() + seconds
    while time.thread_time() < ends:
        pass


def test_a_cost_is_learned_from_texts_of_any_length_and_forgets_what_was_before() -> None:
    cost = Cost()
    for length in (50, 400, 90, 2000, 150) * 20:
        cost.learn(1, length, 0.002 + 0.00001 * length)
    assert cost.of(1000) == pytest.approx(0.012, rel=0.02)
    assert cost.of(4 * 1000, texts=4) == pytest.approx(0.048, rel=0.02)
    for _ in range(400):
        cost.learn(4, 400, 4 * 0.05)
    assert cost.of(100) == pytest.approx(0.05, rel=0.05)


def test_a_cost_is_never_negative_whatever_was_seen() -> None:
    cost = Cost()
    for length, seconds in ((10, 0.05), (5000, 0.001), (10, 0.05), (4000, 0.001)):
        cost.learn(1, length, seconds)
    assert all(cost.of(length) > 0 for length in (0, 1, 100, 5000, 100_000))


def test_neighbours_on_the_processor_do_not_inflate_a_cost_and_waiting_counts_as_work() -> None:
    stop = threading.Event()

    def neighbour() -> None:
        while not stop.is_set():
            busy(0.001)

    neighbours = [threading.Thread(target=neighbour) for _ in range(3)]
    for each in neighbours:
        each.start()
    try:
        _, wall_s, cost_s = timed(lambda: busy(0.05))
    finally:
        stop.set()
        for each in neighbours:
            each.join()
    assert cost_s == pytest.approx(0.05, rel=0.5)
    assert wall_s > 1.3 * cost_s, "the control: by the clock it took much longer"
    _, _, waited_s = timed(lambda: time.sleep(0.05))
    assert waited_s >= 0.05


def test_the_loop_takes_a_share_of_the_deadline_and_nothing_that_is_old() -> None:
    share = LoopShare(0.2)
    now = time.perf_counter()
    taken = [share.take("answer", 1, now) for _ in range(400)]
    begun = [each for each in taken if each]
    assert share.waiting_s == pytest.approx(0.1, rel=0.02)
    assert begun == taken[: len(begun)]
    assert share.take("answer", 1, now) is None
    for each in begun[1:]:
        share.finish(each, answered=True)
    assert share.take("answer", 1, time.perf_counter() - 0.16) is None, "it is old"
    assert share.take("answer", 1, time.perf_counter() - 0.1)


def test_where_nothing_is_begun_one_is_however_old_and_then_no_other() -> None:
    share = LoopShare(0.2)
    old = time.perf_counter() - 1
    taken = share.take("answer", 1, old)
    assert taken
    assert not taken.is_late()
    assert share.take("answer", 1, old) is None
    share.finish(taken, answered=False)
    assert share.waiting_s == 0


def test_a_batch_leaves_room_for_answers_and_is_begun_alone_whatever_its_size() -> None:
    share = LoopShare(0.2)
    now = time.perf_counter()
    largest = work_in("batch", 65_536)
    assert share.take("batch", largest, now)
    assert share.take("batch", 10 * largest, now) is None
    assert share.take("answer", work_in("answer", 100), now)


def test_late_answers_lower_what_is_planned_with_and_answers_in_time_raise_it_again() -> None:
    room = HeadRoom(least=0.2, most=0.8)
    lowered = []
    for _ in range(3):
        room.late()
        room.late()
        lowered.append(room.share)
        time.sleep(ONE_STEP_S)
    assert lowered == pytest.approx([0.8 * 0.85, 0.8 * 0.85**2, 0.8 * 0.85**3])
    room.in_time()
    assert lowered[-1] < room.share < lowered[-2]


def test_five_hundred_askers_at_a_time_cause_one_computation_and_those_who_leave_stop_nobody() -> None:
    async def ask() -> None:
        flights: SingleFlight[int] = SingleFlight()
        computed = 0

        async def compute() -> int:
            nonlocal computed
            computed += 1
            await asyncio.sleep(0.05)
            return computed

        askers = [asyncio.ensure_future(flights.do("key", compute)) for _ in range(500)]
        await asyncio.sleep(0.01)
        # The one that began it as well.
        for each in askers[:100]:
            each.cancel()
        assert await asyncio.gather(*askers[100:]) == [1] * 400
        assert computed == 1
        assert await flights.do("key", compute) == 2

    asyncio.run(ask())


def test_a_computation_that_nobody_waits_for_any_more_is_stopped() -> None:
    async def ask() -> None:
        flights: SingleFlight[None] = SingleFlight()
        ended: list[str] = []

        async def compute() -> None:
            try:
                await asyncio.sleep(5)
                ended.append("done")
            except asyncio.CancelledError:
                ended.append("stopped")
                raise

        askers = [asyncio.ensure_future(flights.do("key", compute)) for _ in range(3)]
        await asyncio.sleep(0.01)
        for each in askers:
            each.cancel()
        await asyncio.gather(*askers, return_exceptions=True)
        await asyncio.sleep(0)
        assert ended == ["stopped"]

    asyncio.run(ask())


def test_one_slow_call_among_quick_ones_moves_a_cost_little() -> None:
    cost = Cost()
    for length in range(40, 140, 2):
        cost.learn(1, length, 0.03)
    cost.learn(1, 90, 0.4)
    assert cost.of(90) < 0.06


def test_a_few_refusals_cost_nobody_a_rest_and_a_flood_of_them_rests_no_longer_than_allowed() -> None:
    rests, now = Rests(), 1000.0
    assert [rests.after_refusal(now) for _ in range(AT_ONCE - 1)] == [0.0] * (AT_ONCE - 1)
    flood = [rests.after_refusal(now) for _ in range(500)]
    assert 0 < flood[20] < flood[100] <= max(flood) == pytest.approx(LONGEST_S)
    assert rests.after_refusal(now + 1) == 0.0, "it is over"


def test_clients_that_ask_again_at_once_get_no_more_refusals_than_the_loop_can_spare() -> None:
    seconds, clients = 0.6, 20
    share = LoopShare(0.2)
    asked = b"POST /predict HTTP/1.1\r\nHost: here\r\nContent-Length: 2\r\n\r\n{}"

    async def refused() -> int:
        door = Door(nobody, share, metrics, ["/predict"], draining=lambda: False, full=lambda route: True)
        config = uvicorn.Config(nobody, http=admitting_connections(door, metrics), ws="none", log_config=None)  # type: ignore[arg-type]
        config.load()
        state, made = ServerState(), cast("type[asyncio.Protocol]", config.http_protocol_class)
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: made(config=config, server_state=state, app_state={}), "127.0.0.1")  # type: ignore[call-arg]
        answers = 0

        async def ask(ends: float) -> None:
            nonlocal answers
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            while time.perf_counter() < ends:
                writer.write(asked)
                head = await reader.readuntil(b"\r\n\r\n")
                await reader.readexactly(int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0]))
                assert head.startswith(b"HTTP/1.1 503")
                answers += 1
            writer.close()
            await writer.wait_closed()

        async with server:
            await asyncio.wait_for(asyncio.gather(*(ask(time.perf_counter() + seconds) for _ in range(clients))), 20)
            while state.connections:
                await asyncio.sleep(0.01)
        return answers

    metrics, began = Metrics(), time.perf_counter()
    answers = asyncio.run(refused())
    assert clients <= answers <= AT_ONCE + clients + (time.perf_counter() - began) * SHARE / REFUSAL_S
