"""The switches (`sentiment_platform.flags`) as this process knows them: from Redis, else from PostgreSQL, else as they were last known.

They are looked at while requests come, at most once a second, so that an idle process lets both sleep.
"""

import asyncio
import logging
import secrets
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from sentiment_platform.flags import FLAGS, FLAGS_KEY, KEPT_S, Flag, decoded, encoded
from serving.links.database import Database, DatabaseUnavailable
from serving.links.redis_link import RedisLink

if TYPE_CHECKING:
    from sqlalchemy import Connection

FRESH_S = 1.0
STALE_S = 1.8
"""Older than this a request waits for the look, a moment at most: a change holds within 2 s."""
WAIT_S = 0.05
DATABASE_S = 1.0
logger = logging.getLogger(__name__)


class Flags:
    """Used from one event loop. `path` keeps what was known last for the next start."""

    def __init__(self, redis: RedisLink, database: Database, path: Path) -> None:
        self._redis = redis
        self._database = database
        self._path = path
        self._flags: dict[str, Flag] = {}
        self._looked_at = float("-inf")
        self._looking: asyncio.Task[None] | None = None
        with suppress(OSError):
            self._flags = {flag.name: flag for flag in decoded(path.read_bytes()) or ()}

    def enabled(self, name: str) -> bool:
        """Whether the switch is on, as far as it is known."""
        flag = self._flags.get(name)
        return flag is None or flag.enabled

    async def refreshed(self) -> None:
        """Look again where the last look is too old; called at the start of a request."""
        age_s = time.monotonic() - self._looked_at
        if age_s < FRESH_S and self._looking is None:
            return
        if self._looking is None:
            self._looking = asyncio.get_running_loop().create_task(self._look())
        if age_s > STALE_S:
            await asyncio.wait([self._looking], timeout=WAIT_S)

    def take(self, flags: Sequence[Flag]) -> None:
        """These are the newest that somebody knows; older ones change nothing."""
        newer = [flag for flag in flags if flag.name in FLAGS and flag.revision > self._revision(flag.name)]
        if not newer:
            return
        self._flags |= {flag.name: flag for flag in newer}
        for flag in newer:
            logger.warning("%s is %s: %s", flag.name, "on" if flag.enabled else "off", flag.reason)
        with suppress(OSError):
            # Its own, since processes of one machine share the folder.
            side = self._path.with_suffix(f".{secrets.token_hex(4)}")
            side.write_bytes(encoded(list(self._flags.values())))
            side.replace(self._path)

    async def tell(self, flags: Sequence[Flag]) -> None:
        """A change that was made here: for this process at once, for the others by Redis."""
        self.take(flags)
        await self._redis.command("SET", FLAGS_KEY, encoded(flags), "EX", KEPT_S, patient=True)

    async def _look(self) -> None:
        try:
            flags = decoded(await self._redis.command("GET", FLAGS_KEY))
            if flags is None or any(flag.revision < self._revision(flag.name) for flag in flags):
                flags = await self._stored()
                if flags is not None:
                    self._redis.send("SET", FLAGS_KEY, encoded(flags), "EX", KEPT_S)
            self.take(flags or ())
        finally:
            self._looked_at = time.monotonic()
            self._looking = None

    async def _stored(self) -> list[Flag] | None:
        def read(connection: "Connection") -> list[Flag]:
            from sentiment_platform.store.flags import read_flags

            return read_flags(connection)

        try:
            return await self._database.call(read, limit_s=DATABASE_S)
        except DatabaseUnavailable:
            return None

    def _revision(self, name: str) -> int:
        flag = self._flags.get(name)
        return flag.revision if flag else 0
