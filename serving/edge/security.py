"""Who may do what: an API key in `Authorization: Bearer` or `X-API-Key`, checked against the database or the configured admin key."""

import hmac
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from litestar.connection import ASGIConnection
from litestar.handlers.base import BaseRouteHandler

from sentiment_platform.clock import Clock
from serving.contract.problems import Problem
from serving.links.database import LIMIT_S, Database

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from sentiment_platform.store.api_keys import KeyHolder

CACHED_S = 5.0
MAX_CACHED = 1000
CONFIGURED_ADMIN = "configured-admin"
"""Stands for the id of the key in SENTIMENT_ADMIN_KEY; no key in the database has this form of id."""
CHALLENGE = {"WWW-Authenticate": "Bearer"}
ROLES = ("viewer", "operator", "promoter", "admin")
"""Ascending, as in `store.api_keys`, which is not imported here because it needs the database library."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who presented a valid key; `key_id` names it without being a secret."""

    name: str
    role: str
    key_id: str


class KeyChecker:
    """Checks keys; a valid one is remembered for five seconds (so a revoked one works no longer than that)."""

    def __init__(self, database: Database, admin_key: str, *, clock: Clock) -> None:
        self._database = database
        self._admin_key = admin_key.encode()
        self._clock = clock
        self._known: dict[bytes, tuple[float, Caller]] = {}

    def now(self) -> datetime:
        """The moment on the clock that keys expire by."""
        return self._clock()

    async def caller(self, presented: str, *, limit_s: float = LIMIT_S) -> Caller | None:
        """The holder of the key, None for a wrong one.

        Raises:
            DatabaseUnavailable: the key cannot be checked within `limit_s` seconds, so nobody is let in.
        """
        if self._admin_key and hmac.compare_digest(presented.encode(), self._admin_key):
            return Caller("configured admin", "admin", CONFIGURED_ADMIN)
        fingerprint = sha256(presented.encode()).digest()
        now = time.monotonic()
        kept = self._known.get(fingerprint)
        if kept is not None and now < kept[0]:
            return kept[1]

        def check(connection: "Connection") -> "KeyHolder | None":
            from sentiment_platform.store.api_keys import check_key

            return check_key(connection, presented, self._clock())

        holder = await self._database.call(check, limit_s=limit_s)
        if holder is None:
            self._known.pop(fingerprint, None)
            return None
        caller = Caller(f"{holder.owner} ({holder.key_id})", holder.role, holder.key_id)
        if len(self._known) >= MAX_CACHED:
            self._known.clear()
        self._known[fingerprint] = (now + CACHED_S, caller)
        return caller


def requires(role: str) -> Callable[[ASGIConnection[Any, Any, Any, Any], BaseRouteHandler], Awaitable[None]]:
    """A Litestar guard: 401 without a valid key, 403 for one of a lesser role, 503 when keys cannot be checked."""

    async def guard(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
        presented = presented_key(connection.headers.get("authorization"), connection.headers.get("x-api-key"))
        if not presented:
            raise Problem(
                401, "key_missing", "Send an API key: `Authorization: Bearer KEY` or `X-API-Key: KEY`.", headers=CHALLENGE
            )
        keys: KeyChecker = connection.app.state.services.keys
        caller = await keys.caller(presented)
        if caller is None:
            raise wrong_key()
        if ROLES.index(caller.role) < ROLES.index(role):
            raise Problem(403, "role_too_low", f"This needs role {role}; the key has role {caller.role}.")
        connection.state.caller = caller

    return guard


def wrong_key() -> Problem:
    """The refusal of a key that nobody holds, or not any more."""
    return Problem(401, "key_invalid", "This API key is unknown, expired or revoked.", headers=CHALLENGE)


def presented_key(authorization: str | None, api_key: str | None) -> str:
    """The key of a request, "" where there is none."""
    scheme, _, credentials = (authorization or "").partition(" ")
    key = credentials.strip() if scheme.lower() == "bearer" else ""
    return (key or api_key or "").strip()[:200]
