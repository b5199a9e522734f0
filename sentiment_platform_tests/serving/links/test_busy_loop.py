"""Claims about Redis and an event loop that has no time: Redis is not called away because the process itself is late."""

import asyncio
import time

from serving.links.redis_link import RedisLink

WORK_S = 0.01
"""Of each turn of the loop: a round trip takes some turns, and so longer than its limit. On a quiet machine Redis was blamed for that at once."""


async def asked_by_a_busy_process(url: str) -> str:
    link = RedisLink(url)
    assert await link.connected()
    await link.probe()
    assert link.status.status == "ok"
    ends = time.monotonic() + 3

    async def work() -> None:
        # What requests do: a piece of work each turn of the loop.
        while time.monotonic() < ends:
            until = time.thread_time() + WORK_S
            while time.thread_time() < until:
                pass
            await asyncio.sleep(0)

    async def ask() -> str:
        while time.monotonic() < ends and link.status.status == "ok":
            await link.command("GET", "anything")
            await asyncio.sleep(0)
        return link.status.status

    status, _ = await asyncio.gather(ask(), work())
    await link.close()
    return status


def test_a_process_that_is_late_does_not_blame_redis(redis_url: str) -> None:
    assert asyncio.run(asked_by_a_busy_process(redis_url)) == "ok"
