"""Claims about who may call what: every route has a line, the pages say the same, and the process keeps to it, role by role."""

import asyncio
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
from litestar import Litestar, get
from sqlalchemy import Engine

from sentiment_platform.errors import SettingsError
from sentiment_platform.settings import Settings
from sentiment_platform.store.api_keys import create_key
from sentiment_platform.store.engine import create_platform_engine
from sentiment_platform.store.roles import ROLES, SCOPES, Role
from sentiment_platform_tests.serving.running import ServingProcess
from sentiment_platform_tests.source_code import ROOT
from serving.app import create_app
from serving.contract.problems import Problem
from serving.edge.policy import POLICIES, Policy, access_table, require_policies, routes_of

# Where the dashboard is not built, its files have no routes of their own.
IN_PATHS = {"prediction_id": "0" * 8, "version": "v1", "report_id": "0", "incident_id": "0", "page": "news", "name": "x.js"}


def app() -> Litestar:
    return create_app(Settings.from_environment({}))


def test_every_route_has_a_policy_and_every_policy_a_route() -> None:
    assert set(POLICIES) <= routes_of(app())
    require_policies({route for route in routes_of(app()) if "." not in route[1] or route in POLICIES}, POLICIES)


def test_an_application_with_a_route_of_which_nobody_said_who_may_call_it_does_not_start() -> None:
    @get("/forgotten", sync_to_thread=False)
    def forgotten() -> None: ...

    with pytest.raises(SettingsError, match="GET /forgotten"):
        require_policies(routes_of(Litestar([forgotten], openapi_config=None)), POLICIES)


def test_a_route_without_a_line_is_closed_to_everybody() -> None:
    access = app().state.services.access
    scope: dict[str, Any] = {"method": "GET", "path_template": "/news", "state": {}, "headers": [], "client": None}
    asyncio.run(access.admit(scope))
    for changed in ({"path_template": "/forgotten"}, {"method": "PATCH"}):
        with pytest.raises(Problem) as refused:
            asyncio.run(access.admit(scope | changed))
        assert (refused.value.status_code, refused.value.code) == (403, "no_policy")


def test_what_changes_something_needs_a_role_is_counted_and_refused_while_nobody_counts() -> None:
    acts = {route: policy for route, policy in POLICIES.items() if policy.scope == "act"}
    assert {route for route in POLICIES if route[0] != "GET"} - set(acts) == {
        ("POST", path)
        for path in ("/predict", "/predict/vader", "/predict/finbert", "/predict/compare", "/predict/batch", "/feedback")
    }
    for policy in acts.values():
        assert policy.role in ("operator", "promoter", "admin")
        assert (policy.cost > 0, policy.without_redis) == (True, "refuse")


def test_the_page_has_the_table_as_it_is() -> None:
    page = (ROOT / "serving" / "edge" / "README.md").read_text()
    shown = re.search(r"<!-- access: python -m serving access -->\n\n(.*?)\n<!-- /access -->", page, re.DOTALL)
    assert shown is not None
    assert shown[1] == access_table(), "python -m serving access"


def test_the_table_of_routes_names_the_least_role_of_each() -> None:
    lines = (ROOT / "serving" / "handlers" / "README.md").read_text().splitlines()
    named = {match[1]: match[2] for line in lines if (match := re.match(r"\| `((?:GET|POST|PUT) [^`]+)`.*\| ([^|]+) \|$", line))}
    compared = {f"{method} {path}": policy for (method, path), policy in POLICIES.items() if f"{method} {path}" in named}
    assert len(compared) > 30
    for route, policy in compared.items():
        assert named[route] == (policy.role or ("any role, optional" if policy.scope == "feedback" else "none")), route


@pytest.fixture(scope="module")
def stored(module_settings: Settings) -> Iterator[Engine]:
    engine = create_platform_engine(module_settings.database_url)
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def keys(stored: Engine) -> dict[Role, str]:
    with stored.begin() as connection:
        return {role: create_key(connection, role, "the matrix") for role in ROLES}


@pytest.fixture(scope="module", params=["yes", "no"])
def serving(request: pytest.FixtureRequest, module_settings: Settings, keys: dict[Role, str]) -> Iterator[ServingProcess]:
    """A process without a model: who may ask does not depend on what is answered."""
    assert keys
    process = ServingProcess(module_settings, SENTIMENT_PUBLIC_READS=request.param)
    try:
        yield process.start(ready=False)
    finally:
        process.stop()


def ask(serving: ServingProcess, method: str, path: str, key: str | None) -> httpx.Response:
    # A stream has no end: its head is enough.
    method = "HEAD" if path == "/events" else method
    where = re.sub(r"{(\w+)}", lambda name: IN_PATHS.get(name[1], "x"), path)
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return serving.client.request(method, where, headers=headers, json={} if method == "POST" else None)


def test_each_role_may_call_what_the_table_says_and_nothing_else(serving: ServingProcess, keys: dict[Role, str]) -> None:
    public = serving.environment["SENTIMENT_PUBLIC_READS"] == "yes"
    wrong: dict[str, str] = {}
    for (method, path), policy in POLICIES.items():
        least = policy.needs(public_reads=public)
        if method == "GET" and least is not None:
            assert ask(serving, "HEAD", path, None).status_code == 401, path
        for holder in (None, *ROLES):
            reply = ask(serving, method, path, keys[holder] if holder else None)
            expected = "in" if least is None else "401" if holder is None else "in"
            if least is not None and holder is not None and ROLES.index(holder) < ROLES.index(least):
                expected = "403"
            given = str(reply.status_code) if reply.status_code in (401, 403) else "in"
            if given != expected:
                wrong[f"{method} {path} by {holder or 'nobody'}"] = f"{given}, not {expected}"
    assert wrong == {}


def test_a_wrong_key_is_refused_wherever_one_may_matter(serving: ServingProcess) -> None:
    for path in ("/news", "/about"):
        assert ask(serving, "GET", path, "nonsense").status_code == (200 if path == "/about" else 401)
    reply = ask(serving, "POST", "/predict", "nonsense")
    assert (reply.status_code, reply.headers["WWW-Authenticate"]) == (401, "Bearer")


def test_a_key_that_is_limited_to_a_scope_may_nothing_else_that_asks_for_one(serving: ServingProcess, stored: Engine) -> None:
    routes: dict[str, tuple[str, str]] = {
        "predict": ("POST", "/predict"),
        "feedback": ("POST", "/feedback"),
        "read": ("GET", "/models/status"),
        "act": ("POST", "/models/rollback"),
    }
    for scope in SCOPES:
        with stored.begin() as connection:
            key = create_key(connection, "admin", "one scope", scopes=[scope])
        refused = {other: ask(serving, *route, key) for other, route in routes.items()}
        assert {other for other, reply in refused.items() if reply.status_code == 403} == set(routes) - {scope}
        assert {reply.json()["code"] for other, reply in refused.items() if other != scope} == {"scope_missing"}


def test_no_key_and_no_secret_is_in_the_log(serving: ServingProcess, keys: dict[Role, str]) -> None:
    secret = "sp_000000000000_" + "Zq7" * 14
    ask(serving, "GET", "/models/status", secret)
    serving.client.get("/models/status", headers={"X-API-Key": secret})
    log = serving.log.read_text()
    assert log, "the control: it says something"
    for key in (*keys.values(), secret):
        assert key not in log
        assert key.split("_", 2)[2] not in log


def test_a_policy_without_a_role_is_closed_by_the_setting_unless_it_stays_open() -> None:
    assert Policy().needs(public_reads=False) == "viewer"
    assert replace(Policy(), stays_open=True).needs(public_reads=False) is None
