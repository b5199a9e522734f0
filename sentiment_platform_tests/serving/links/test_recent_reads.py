"""Claims about reads that are kept: one read for all who ask at once, errors are never kept, and no more than a bounded number stays."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from serving.links import recent_reads
from serving.links.recent_reads import RecentReads


class Counted:
    """Reads that take a moment and fail as long as `broken`."""

    def __init__(self) -> None:
        self.reads = 0
        self.broken = False

    async def __call__(self) -> int:
        self.reads += 1
        number = self.reads
        await asyncio.sleep(0.02)
        if self.broken:
            raise ConnectionError("away")
        return number


def run(work: Callable[[RecentReads, Counted], Awaitable[None]], kept_s: float = 5.0) -> Counted:
    read = Counted()

    async def with_reads() -> None:
        await work(RecentReads(kept_s=kept_s), read)

    asyncio.run(with_reads())
    return read


def test_all_who_ask_at_once_share_one_read_and_another_question_is_read_itself() -> None:
    async def ask(reads: RecentReads, read: Counted) -> None:
        answers = await asyncio.gather(*(reads.get("a", read) for _ in range(20)))
        assert set(answers) == {1}
        assert (await reads.get("a", read), await reads.get("b", read)) == (1, 2)

    assert run(ask).reads == 2


def test_what_is_older_than_it_may_be_is_read_again() -> None:
    async def ask(reads: RecentReads, read: Counted) -> None:
        assert await reads.get("a", read) == 1
        await asyncio.sleep(0.06)
        assert await reads.get("a", read) == 2

    run(ask, kept_s=0.05)


def test_an_error_goes_to_all_who_wait_and_is_not_kept() -> None:
    async def ask(reads: RecentReads, read: Counted) -> None:
        read.broken = True
        answers = await asyncio.gather(*(reads.get("a", read) for _ in range(3)), return_exceptions=True)
        assert [type(answer) for answer in answers] == [ConnectionError] * 3
        read.broken = False
        assert await reads.get("a", read) == 2

    assert run(ask).reads == 2


def test_who_leaves_does_not_take_the_answer_from_the_others() -> None:
    async def ask(reads: RecentReads, read: Counted) -> None:
        first = asyncio.ensure_future(reads.get("a", read))
        await asyncio.sleep(0)
        second = asyncio.ensure_future(reads.get("a", read))
        await asyncio.sleep(0)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        assert await second == 1

    assert run(ask).reads == 1


def test_many_questions_do_not_grow_without_bound() -> None:
    async def ask(reads: RecentReads, read: Counted) -> None:
        await asyncio.gather(*(reads.get(number, read) for number in range(3 * recent_reads.MOST_KEPT)))
        before = read.reads
        assert await reads.get(3 * recent_reads.MOST_KEPT - 1, read) == before
        await reads.get(0, read)
        assert read.reads == before + 1, "the oldest were given up"

    run(ask)
