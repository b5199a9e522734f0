"""Applies the table of policies to each request, before its body is looked at: whose key, which role, how much.

A key is always checked where it may matter: a wrong one is a 401 also where none is needed. Whose feedback it is: `voices`.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, cast

import msgspec
from litestar import Litestar
from litestar.types import ASGIApp, HTTPScope, Receive, Scope, Send

from sentiment_platform.errors import SettingsError
from sentiment_platform.settings import Settings
from sentiment_platform.store.roles import ROLES, Role
from serving.contract.problems import Problem
from serving.contract.request_context import request_body
from serving.edge.client_address import ClientAddress, trusted_networks
from serving.edge.gcra import Bucket, Limit, LocalBuckets, limit_of
from serving.edge.policy import Policy, Route, policies_with, require_policies, routes_of
from serving.edge.rate_limit import RateLimiter, WithoutRedis, now_us, too_many
from serving.edge.security import CHALLENGE, Caller, KeyChecker, presented_key, wrong_key
from serving.edge.strict_request import READ, read_struct
from serving.links.database import LIMIT_S, DatabaseUnavailable, NoDatabase
from serving.links.redis_link import RedisLink
from serving.live.live import LiveModels
from serving.metrics import Metrics

OPTIONAL_LIMIT_S = 0.5
"""So long a caller waits for the check of a key that is not needed; feedback is then checked when it is shipped."""
UNCHECKED = "Try again in a few seconds; the key in SENTIMENT_ADMIN_KEY, where an operator set one, is checked without it."
GUESSES = Limit("guess", 6_000_000, 20)
"""Wrong keys of one address in each process: 20 at once, then one every six seconds."""


class Access:
    """The one guard of the application.

    Raises:
        SettingsError: a setting of limits, proxies or public reads cannot be used.
    """

    def __init__(self, settings: Settings, keys: KeyChecker, redis: RedisLink, metrics: Metrics) -> None:
        self._keys = keys
        self._metrics = metrics
        self._limiter = RateLimiter(redis, metrics)
        replicas = self._limiter.replicas
        metrics.watch("serving_replicas", "Processes that count requests in Redis, as last known.", lambda: replicas.count)
        self._address_limit = limit_of("address", settings.address_limit, "SENTIMENT_ADDRESS_LIMIT")
        self._key_limit = limit_of("key", settings.key_limit, "SENTIMENT_KEY_LIMIT")
        self._without_redis = _one_of(
            "SENTIMENT_LIMITS_WITHOUT_REDIS", settings.limits_without_redis, "policy", "local", "refuse"
        )
        self._public_reads = _one_of("SENTIMENT_PUBLIC_READS", settings.public_reads, "yes", "no") == "yes"
        self._addresses = ClientAddress(trusted_networks(settings.trusted_proxies))
        self._guesses = LocalBuckets()
        self._policies: Mapping[Route, Policy] = {}
        self.live: LiveModels | None = None
        self.look_ahead: Callable[[Any], object] = lambda _: None
        """Given the body of a request that is counted; what it asks of Redis goes with the question whether the request may."""

    def protect(self, app: Litestar, files: list[str]) -> None:
        """Take the table for the routes of `app`, with the `files` of the dashboard that have a path of their own.

        Raises:
            SettingsError: a route has no policy.
        """
        policies = policies_with(files)
        require_policies(routes_of(app), policies)
        self._policies = policies

    def around(self, app: ASGIApp) -> ASGIApp:
        """A route with this in front of it; Litestar's middleware, which no route can leave out."""

        async def admitted(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "http":
                await self.admit(scope)
            await app(scope, receive, send)

        return admitted

    async def admit(self, scope: HTTPScope) -> None:
        """Let the request in, its caller in `request.state.caller`, or refuse it.

        Raises:
            Problem: 401 without a valid key, 403 for one of a lesser role or without the scope, 429, 503 while nobody can say.
        """
        if scope["method"] == "OPTIONS":
            return
        policy = self._policies.get((scope["method"], scope["path_template"] or "/"))
        if policy is None:
            raise Problem(403, "no_policy", "Nobody is allowed to do this here.")
        state: dict[str, Any] = scope["state"]
        state["caller"] = None
        if policy.stays_open:
            return
        role = policy.needs(public_reads=self._public_reads)
        presented = presented_key(scope["headers"])
        caller = await self._caller(scope, presented, role) if presented or role else None
        if caller is not None:
            self._require(caller, role, policy)
        state["caller"] = caller
        if self._address_limit is not None or self._key_limit is not None:
            await self._pace(scope, policy, caller)

    async def _caller(self, scope: HTTPScope, presented: str, role: Role | None) -> Caller | None:
        if not presented:
            raise Problem(
                401, "key_missing", "Send an API key: `Authorization: Bearer KEY` or `X-API-Key: KEY`.", headers=CHALLENGE
            )
        guesses = Bucket(GUESSES, self._address(scope))
        left = self._guesses.left(guesses, now_us()) > 0
        try:
            caller = await self._keys.caller(presented, limit_s=LIMIT_S if role else OPTIONAL_LIMIT_S, guesses_left=left)
        except DatabaseUnavailable as error:
            if role is None:
                return None
            if isinstance(error, NoDatabase):
                raise
            raise DatabaseUnavailable("the key cannot be checked without it", remedy=UNCHECKED) from error
        if caller is None:
            self._metrics.keys_refused.labels("unknown").inc()
            taken = self._guesses.take([guesses], 1, now_us())
            if taken.refused is not None:
                self._metrics.rate_limited.labels("guess", "process").inc()
                raise too_many(GUESSES, taken.wait_us)
            raise wrong_key()
        return caller

    def _require(self, caller: Caller, role: Role | None, policy: Policy) -> None:
        if role is not None and ROLES.index(cast(Role, caller.role)) < ROLES.index(role):
            self._metrics.keys_refused.labels("role").inc()
            raise Problem(403, "role_too_low", f"This needs role {role}; the key has role {caller.role}.")
        if caller.scopes is not None and policy.scope not in caller.scopes:
            self._metrics.keys_refused.labels("scope").inc()
            raise Problem(
                403,
                "scope_missing",
                f"This needs scope {policy.scope}; the key is limited to {', '.join(sorted(caller.scopes))}.",
            )

    async def _pace(self, scope: HTTPScope, policy: Policy, caller: Caller | None) -> None:
        buckets: list[Bucket] = []
        if self._address_limit is not None:
            buckets.append(Bucket(self._address_limit, self._address(scope)))
        if self._key_limit is not None and caller is not None:
            buckets.append(Bucket(self._key_limit, caller.key_id))
        if not buckets or not (policy.cost or policy.cost_of):
            return
        without_redis = policy.without_redis if self._without_redis == "policy" else cast(WithoutRedis, self._without_redis)
        cost = self._cost(scope, policy)
        beside = partial(self.look_ahead, scope["state"].get(READ))
        await self._limiter.take(buckets, cost, without_redis=without_redis, beside=beside)

    def _cost(self, scope: HTTPScope, policy: Policy) -> int:
        if policy.cost_of is None:
            return policy.cost
        live = self.live.current if self.live is not None else None
        try:
            body = read_struct(scope, request_body.get())
        except msgspec.MsgspecError:
            # The route refuses it, and says why.
            body = None
        return policy.cost_of(body, live.default_family if live else None)

    def _address(self, scope: HTTPScope) -> str:
        peer = scope["client"][0] if scope["client"] else None
        return self._addresses.of(
            peer, [value.decode("latin-1") for name, value in scope["headers"] if name == b"x-forwarded-for"]
        )


def _one_of(variable: str, value: str, *known: str) -> str:
    if value not in known:
        raise SettingsError(f"{variable} is {value!r}.", remedy=f"Write one of {', '.join(known)}.")
    return value
