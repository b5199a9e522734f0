"""Who may do what: one line for each route and method, and nothing is open that has none. `access` applies it; nothing else asks for a key.

Here: roles, scopes, cost in rate tokens, what holds while Redis, which counts them, is away.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from litestar import Litestar
from litestar.routes import HTTPRoute

from sentiment_platform.errors import SettingsError
from sentiment_platform.models.families import FAMILIES, cheapest_family
from sentiment_platform.store.roles import ROLES, Role, Scope
from serving.contract.prediction_bodies import BatchRequest, PredictRequest
from serving.edge.rate_limit import WithoutRedis

Route = tuple[str, str]
"""Method and path, as Litestar spells it."""
DefaultFamily = str | None
Cost = Callable[[Any, DefaultFamily], int]
"""Tokens of a request with this body, where this family answers what names none."""
EXPLAINED = 5
"""How much more an answer costs that is explained: the model reads the text once without each word."""
DEAREST = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What a route asks of whoever calls it.

    Attributes:
        role: the least role; None for everybody, with or without a key.
        stays_open: open also where SENTIMENT_PUBLIC_READS is `no`; a key is not even looked at.
        scope: what a key that is limited to scopes must have.
        cost: rate tokens; 0 for what is not counted.
        cost_of: tokens by the body, where they depend on it.
        without_redis: what to do with a caller that has a limit.
    """

    role: Role | None = None
    stays_open: bool = False
    scope: Scope = "read"
    cost: int = 1
    cost_of: Cost | None = None
    without_redis: WithoutRedis = "local"

    def needs(self, *, public_reads: bool) -> Role | None:
        """The least role, None for everybody."""
        return self.role or (None if public_reads or self.stays_open else ROLES[0])


def _texts(family: str | None) -> Cost:
    def cost(body: Any, default_family: DefaultFamily) -> int:
        if isinstance(body, BatchRequest):
            return sum(cost(item, default_family) for item in body.items)
        tokens = tokens_of(family or default_family or cheapest_family())
        return tokens * EXPLAINED if isinstance(body, PredictRequest) and body.explain else tokens

    return cost


def _comparison(body: Any, default_family: DefaultFamily) -> int:
    return sum(_texts(family)(body, default_family) for family in FAMILIES)


def tokens_of(family: str) -> int:
    """Tokens of a text that a family judges: the root of its relative cost, `DEAREST` at most."""
    return min(DEAREST, math.isqrt(FAMILIES[family].cost)) if family in FAMILIES else DEAREST


OPEN = Policy(stays_open=True, cost=0)
READ = Policy()
SLOW_READ = Policy(cost=3)
SAY = Policy(scope="feedback", cost=2)


def _predict(family: str | None = None) -> Policy:
    return Policy(scope="predict", cost=tokens_of(family) if family else 1, cost_of=_texts(family))


def _act(role: Role) -> Policy:
    return Policy(role=role, scope="act", cost=5, without_redis="refuse")


POLICIES: Mapping[Route, Policy] = {
    ("POST", "/predict"): _predict(),
    **{("POST", f"/predict/{family}"): _predict(family) for family in FAMILIES},
    ("POST", "/predict/compare"): Policy(scope="predict", cost_of=_comparison),
    ("POST", "/predict/batch"): _predict(),
    ("GET", "/predictions/{prediction_id}"): READ,
    ("POST", "/feedback"): SAY,
    ("GET", "/news"): READ,
    ("GET", "/tickers"): READ,
    ("GET", "/models"): READ,
    ("GET", "/models/{version}"): READ,
    ("GET", "/models/status"): READ,
    ("GET", "/models/performance"): READ,
    ("GET", "/models/performance/history"): READ,
    ("GET", "/models/selections"): READ,
    ("POST", "/models/promote"): _act("promoter"),
    ("POST", "/models/select"): _act("admin"),
    ("POST", "/models/rollback"): _act("admin"),
    ("GET", "/experiments"): READ,
    ("GET", "/flags"): READ,
    ("PUT", "/flags/{name}"): _act("operator"),
    ("GET", "/features/{version}"): READ,
    ("GET", "/monitoring/drift"): READ,
    ("GET", "/monitoring/drift-reports"): READ,
    ("GET", "/monitoring/drift-reports/{report_id}"): READ,
    ("GET", "/monitoring/deployments"): READ,
    ("GET", "/monitoring/alerts"): READ,
    ("POST", "/monitoring/alerts/{incident_id}/ack"): _act("operator"),
    ("GET", "/monitoring/service"): SLOW_READ,
    ("GET", "/monitoring/sources"): READ,
    ("GET", "/monitoring/quality"): READ,
    ("GET", "/monitoring/decisions"): READ,
    ("GET", "/monitoring/runs"): READ,
    ("GET", "/audit"): Policy(role="admin"),
    ("GET", "/events"): READ,
    ("GET", "/about"): OPEN,
    ("GET", "/metrics"): Policy(cost=0),
    ("GET", "/health"): OPEN,
    ("GET", "/health/live"): OPEN,
    ("GET", "/"): OPEN,
    ("GET", "/app"): OPEN,
    ("GET", "/app/{page}"): OPEN,
    ("GET", "/assets/{name}"): OPEN,
    ("GET", "/docs"): OPEN,
    ("GET", "/schema"): OPEN,
    ("GET", "/schema/{path}"): OPEN,
    ("GET", "/schema/openapi.json"): OPEN,
    ("GET", "/schema/page.js"): OPEN,
    ("GET", "/schema/page.css"): OPEN,
}


def policies_with(files: Iterable[str]) -> Mapping[Route, Policy]:
    """The table, and the files of a built dashboard that stand at a path of their own."""
    return {**POLICIES, **{("GET", f"/{name}"): OPEN for name in files}}


def routes_of(app: Litestar) -> set[Route]:
    """Every route and method of an application; OPTIONS, which says what a path knows, left out."""
    return {
        (str(method), route.path_format or "/")
        for route in app.routes
        if isinstance(route, HTTPRoute)
        for method in route.methods
        if method != "OPTIONS"
    }


def require_policies(routes: Iterable[Route], policies: Mapping[Route, Policy]) -> None:
    """Nothing is served of which nobody said who may call it.

    Raises:
        SettingsError: a route has no policy.
    """
    if missing := sorted(set(routes) - set(policies)):
        raise SettingsError(
            f"No policy says who may call {', '.join(' '.join(route) for route in missing)}.",
            remedy="Give it a line in serving/edge/policy.py.",
        )


def access_table() -> str:
    """The table in Markdown, as `serving/edge/README.md` has it: a line a route; `if public` is SENTIMENT_PUBLIC_READS."""
    lines = ["| route | nobody known | " + " | ".join(ROLES) + " | scope | tokens | while Redis is away |", "|---" * 9 + "|"]
    for (method, path), policy in POLICIES.items():
        role = policy.needs(public_reads=True)
        anybody = "no" if role else "yes" if policy.stays_open else "if public"
        may = ["yes" if not role or ROLES.index(each) >= ROLES.index(role) else "no" for each in ROLES]
        tokens = "by family" if policy.cost_of else str(policy.cost) if policy.cost else "not counted"
        away = {"local": "counted by each process", "refuse": "refused"}[policy.without_redis] if tokens != "not counted" else ""
        scope = "" if policy.stays_open else policy.scope
        lines.append(f"| `{method} {path}` | {anybody} | " + " | ".join([*may, scope, tokens, away]) + " |")
    return "\n".join(lines) + "\n"
