"""Whose key it is: in `Authorization: Bearer` or `X-API-Key`, held against the keys in force and the configured admin key.

What a key opens: `policy`, `access`.
"""

import asyncio
import hmac
import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sentiment_platform.clock import Clock
from sentiment_platform.setting_values.secrets import guessable
from sentiment_platform.store.key_form import NOBODYS, PresentedKey, StoredKey, read_key
from serving.contract.problems import Problem
from serving.links.database import LATE, LIMIT_S, Database, DatabaseUnavailable

if TYPE_CHECKING:
    from sqlalchemy import Connection

CACHED_S = 5.0
AGAIN_S = 0.5
"""A key that nobody holds may have been made a moment ago: it waits for a look at the table, which is taken so often at most."""
AWAY_S = 1.0
"""So long nobody waits for the keys again after they could not be read."""
TOLD_EVERY_S = 60.0
CONFIGURED_ADMIN = "configured-admin"
"""Stands for the id of the key in SENTIMENT_ADMIN_KEY; no key in the database has this form of id."""
STRONG_CHARACTERS = 24
CHALLENGE = {"WWW-Authenticate": "Bearer"}


@dataclass(frozen=True, slots=True)
class Caller:
    """Who presented a valid key; `key_id` names it without being a secret. `scopes` is what it is limited to, None for nothing."""

    name: str
    role: str
    key_id: str
    scopes: Collection[str] | None = None


class KeyChecker:
    """Holds keys against those in force, which are read at most every five seconds, and only when a key is presented.

    So a revoked key works no longer than that, and whoever guesses costs the database nothing. `database` is for this alone.
    """

    def __init__(self, database: Database, admin_key: str, *, pepper: str = "", clock: Clock) -> None:
        self._database = database
        self._admin_key = admin_key.encode()
        self._admin_key_is_weak = bool(guessable(admin_key, STRONG_CHARACTERS))
        self._pepper = pepper
        self._clock = clock
        self._keys: Mapping[str, StoredKey] = {}
        self._read_at = self._away_until = -CACHED_S
        self._why_away = DatabaseUnavailable("the keys could not be read a moment ago")
        self._reading: asyncio.Task[None] | None = None
        self._used: dict[str, datetime] = {}

    def now(self) -> datetime:
        """The moment on the clock that keys expire by."""
        return self._clock()

    async def caller(self, presented: str, *, limit_s: float = LIMIT_S, guesses_left: bool = True) -> Caller | None:
        """The holder of the key, None for a wrong one.

        Args:
            guesses_left: without any, a configured admin key that a person made up is not even looked at, and no new key is looked for.

        Raises:
            DatabaseUnavailable: the key cannot be checked within `limit_s` seconds, so nobody is let in.
        """
        may_be_admin = self._admin_key and (guesses_left or not self._admin_key_is_weak)
        if may_be_admin and hmac.compare_digest(presented.encode(), self._admin_key):
            return Caller("configured admin", "admin", CONFIGURED_ADMIN)
        key = read_key(presented)
        if key is None:
            return None
        arrived_at = time.monotonic()
        if arrived_at >= self._read_at + CACHED_S:
            await self._read(limit_s)
        caller = self._holder(key)
        if caller is None and guesses_left and self._read_at < arrived_at:
            await asyncio.sleep(self._read_at + AGAIN_S - time.monotonic())
            while self._read_at < arrived_at:
                await self._read(limit_s)
            caller = self._holder(key)
        return caller

    async def tell_use(self) -> None:
        """Write when keys were used last, now and then, until cancelled; whoever uses one never waits for it."""
        while True:
            await asyncio.sleep(TOLD_EVERY_S)
            await self.tell_use_now()

    async def tell_use_now(self) -> None:
        """The same once; what could not be written is tried again with the next."""
        used, self._used = self._used, {}
        if not used:
            return

        def write(connection: "Connection") -> None:
            from sentiment_platform.store.api_keys import mark_used

            mark_used(connection, used)

        try:
            await self._database.call(write)
        except Exception:
            self._used = {**used, **self._used}

    def _holder(self, key: PresentedKey) -> Caller | None:
        stored = self._keys.get(key.key_id, NOBODYS)
        now = self._clock()
        if not stored.admits(key.secret_hash, now, self._pepper):
            return None
        self._used[stored.key_id] = now
        return Caller(f"{stored.owner} ({stored.key_id})", stored.role, stored.key_id, stored.scopes)

    async def _read(self, limit_s: float) -> None:
        """One read for all that wait; each waits no longer than it may."""
        if time.monotonic() < self._away_until:
            raise self._why_away
        if self._reading is None:
            self._reading = asyncio.create_task(self._read_now())
            self._reading.add_done_callback(self._read_ended)
        try:
            await asyncio.wait_for(asyncio.shield(self._reading), limit_s)
        except TimeoutError:
            raise DatabaseUnavailable(LATE) from None

    async def _read_now(self) -> None:
        def read(connection: "Connection") -> dict[str, StoredKey]:
            from sentiment_platform.store.api_keys import keys_in_force

            return keys_in_force(connection, self._clock())

        asked_at = time.monotonic()
        self._keys = await self._database.call(read)
        self._read_at = asked_at

    def _read_ended(self, reading: "asyncio.Task[None]") -> None:
        self._reading = None
        if not reading.cancelled() and isinstance(error := reading.exception(), DatabaseUnavailable):
            self._away_until, self._why_away = time.monotonic() + AWAY_S, error


def wrong_key() -> Problem:
    """The refusal of a key that nobody holds, or not any more."""
    return Problem(401, "key_invalid", "This API key is unknown, expired or revoked.", headers=CHALLENGE)


def presented_key(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """The key in the headers of a request, "" where there is none."""
    bearer = other = ""
    for name, value in headers:
        if name == b"authorization":
            scheme, _, credentials = value.decode("latin-1").partition(" ")
            bearer = credentials.strip() if scheme.lower() == "bearer" else ""
        elif name == b"x-api-key":
            other = value.decode("latin-1").strip()
    return (bearer or other)[:200]
