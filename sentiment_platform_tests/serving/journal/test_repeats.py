"""Feedback under one Idempotency-Key at the same moment on two processes: one body is taken, with one moment, and nobody waits for a lost caller."""

import asyncio
import contextlib
import uuid
from collections.abc import AsyncGenerator

import pytest

from sentiment_platform.clock import utc_now
from serving.journal.journal_records import FeedbackRecord, new_record_id
from serving.journal.repeats import Repeated, Repeats, ReusedKey
from serving.links.redis_link import RedisLink

ROUNDS = 200
PREDICTION = new_record_id(utc_now().timestamp())


def record(label: str) -> FeedbackRecord:
    now = utc_now()
    identity = new_record_id(now.timestamp())
    return FeedbackRecord(
        id=identity, prediction_id=PREDICTION, label=label, preference=None, utility=None, comment=None, received_at=now
    )


async def said(process: Repeats, key: str, label: str) -> Repeated | None:
    """None: refused."""
    try:
        return await process.recorded(key, "somebody", record(label))
    except ReusedKey:
        return None


@contextlib.asynccontextmanager
async def two_processes(url: str) -> AsyncGenerator[list[Repeats]]:
    # Patient, since a busy machine is no reason to go on without Redis.
    links = [RedisLink(url, timeout_s=5) for _ in range(2)]
    for link in links:
        assert await link.connected()
    try:
        yield [Repeats(link) for link in links]
    finally:
        for link in links:
            await link.close()


def test_of_two_bodies_at_the_same_moment_one_is_taken_with_one_moment_and_is_new_once(redis_url: str) -> None:
    async def rounds() -> None:
        async with two_processes(redis_url) as (one, other):
            for _ in range(ROUNDS):
                key = str(uuid.uuid4())
                asked = [
                    said(process, key, label) for _ in range(3) for process, label in ((one, "negative"), (other, "positive"))
                ]
                taken = [told for told in await asyncio.gather(*asked) if told is not None]
                kept = {(told.record.label, told.record.received_at, told.record.id) for told in taken}
                assert (len(taken), len(kept), [told.is_new for told in taken].count(True)) == (3, 1, 1)

    asyncio.run(rounds())


def test_the_same_body_at_the_same_moment_is_taken_everywhere_with_one_moment(redis_url: str) -> None:
    async def rounds() -> None:
        async with two_processes(redis_url) as (one, other):
            for _ in range(ROUNDS):
                key = str(uuid.uuid4())
                asked = [said(process, key, "neutral") for _ in range(3) for process in (one, other)]
                taken = [told.record for told in await asyncio.gather(*asked) if told is not None]
                assert (len(taken), len({(told.received_at, told.id) for told in taken})) == (6, 1)

    asyncio.run(rounds())


def test_a_caller_that_leaves_while_redis_is_asked_takes_no_answer_from_the_others(redis_url: str) -> None:
    async def leave() -> tuple[list[Repeated | None], Repeated | None]:
        async with two_processes(redis_url) as (one, other):
            first, *others = [asyncio.create_task(said(one, "key", "neutral")) for _ in range(3)]
            await asyncio.sleep(0)
            first.cancel()
            with pytest.raises(asyncio.CancelledError):
                await first
            return [await each for each in others], await said(other, "key", "positive")

    told, elsewhere = asyncio.run(leave())
    assert len({each.record.received_at for each in told if each is not None}) == 1
    assert (None in told, elsewhere) == (False, None)


def test_without_redis_one_process_goes_by_itself() -> None:
    async def ask() -> list[Repeated | None]:
        process = Repeats(RedisLink(""))
        return [await said(process, "key", label) for label in ("neutral", "neutral", "positive")]

    first, again, refused = asyncio.run(ask())
    assert first is not None
    assert again is not None
    assert (again.record, again.is_new, refused) == (first.record, False, None)
