"""What is answered is what the document says of that route and status: body, media type and headers, where it goes well and where not."""

import json
from typing import Any

import httpx
import jsonschema
import pytest

from sentiment_platform_tests.serving.conftest import StartServing
from sentiment_platform_tests.serving.running import ServingProcess
from sentiment_platform_tests.source_code import ROOT

DOCUMENT: dict[str, Any] = json.loads((ROOT / "serving" / "openapi.json").read_bytes())
TEXT = {"text": "Profit rose"}
NEVER = "0192f0c0-0000-4000-8000-000000000000"
ID = "01a224b6-28cd-707e-a484-feb0f7e2ce7b"
SELECT = {"family": "vader", "version": "v9.9.9-vader", "reason": "a test"}


def disagreement(path: str, method: str, reply: httpx.Response) -> str | None:
    """What of a reply is not as its route documents that status, or else its `default`."""
    responses = DOCUMENT["paths"][path][method.lower()]["responses"]
    said = responses.get(str(reply.status_code), responses["default"])
    if "$ref" in said:
        said = DOCUMENT["components"]["responses"][said["$ref"].rpartition("/")[2]]
    kind = reply.headers["content-type"].partition(";")[0]
    if kind not in said["content"]:
        return f"{kind} is not {list(said['content'])}"
    if missing := [name for name in said.get("headers", ()) if name.lower() not in reply.headers]:
        return f"no {missing}"
    try:
        body = reply.json() if kind.endswith("json") else reply.text
        jsonschema.validate(body, {**said["content"][kind]["schema"], "components": DOCUMENT["components"]})
    except jsonschema.ValidationError as error:
        return error.message
    return None


def ask(serving: ServingProcess, method: str, path: str, given: dict[str, Any]) -> httpx.Response:
    """One request; path parameters are filled from `given`, which else goes to httpx."""
    named = {"version": "v1.0.0-vader", "prediction_id": ID, "report_id": "0" * 32, "incident_id": "0" * 32, "name": "collection"}
    filled = path.format(**named | given.pop("path", {}))
    return serving.client.request(method, filled, **given)


def plain_requests() -> list[tuple[str, str]]:
    return [(method.upper(), path) for path, item in DOCUMENT["paths"].items() for method in item if path != "/events"]


@pytest.mark.parametrize("deployed", [True, False])
def test_every_route_answers_as_documented_with_and_without_models_and_servers(
    deployed: bool, answering: ServingProcess, start_serving: StartServing
) -> None:
    serving = answering if deployed else start_serving(ready=False, DATABASE_URL="", REDIS_URL="")
    seen: set[int] = set()
    answered = serving.predict()["prediction_id"] if deployed else ID
    for method, path in plain_requests():
        body = (
            {"items": [TEXT]}
            if path.endswith("batch")
            else {"prediction_id": answered, "utility": 1}
            if path == "/feedback"
            else TEXT
        )
        for given in (
            {"json": body} if method == "POST" else {},
            {"content": "{"} if method == "POST" else {"params": {"limit": 0}},
        ):
            reply = ask(serving, method, path, dict(given))
            assert disagreement(path, method, reply) is None, (method, path, given, reply.status_code, reply.text)
            seen.add(reply.status_code)
    assert seen >= ({200, 202, 400, 401, 404} if deployed else {200, 400, 401, 503})


def test_every_refusal_that_a_route_explains_is_as_documented(answering: ServingProcess, start_serving: StartServing) -> None:
    key = {"X-API-Key": "an-admin-key-of-the-tests"}
    administered = start_serving(
        ready=False,
        over=answering.settings,
        SENTIMENT_ADMIN_KEY=key["X-API-Key"],
        SENTIMENT_STATE_DIR=str(answering.settings.state_dir / "administered"),
    )
    administered.wait_until(lambda: administered.answers("/health"), 30)
    cases: list[tuple[str, str, dict[str, Any], int]] = [
        ("POST", "/predict", {"json": {"text": ""}}, 400),
        ("POST", "/predict", {"json": TEXT | {"unknown": 1}}, 400),
        ("POST", "/predict", {"content": "x" * 70_000}, 413),
        ("POST", "/predict", {"content": "text", "headers": {"Content-Type": "text/plain"}}, 415),
        ("POST", "/feedback", {"json": {"prediction_id": ID}}, 400),
        ("POST", "/feedback", {"json": {"prediction_id": NEVER, "utility": 1}}, 404),
        ("GET", "/features/{version}", {"path": {"version": "v99"}}, 404),
        ("GET", "/models/{version}", {"path": {"version": "v9.9.9-vader"}}, 404),
        ("GET", "/models/{version}", {"path": {"version": "vader"}}, 400),
        ("POST", "/models/select", {"json": SELECT}, 401),
        ("POST", "/models/select", {"json": SELECT, "headers": key}, 404),
        ("POST", "/models/select", {"json": {}, "headers": key}, 400),
        ("POST", "/models/promote", {"json": {"version": "v9.9.9-vader", "reason": "a test"}, "headers": key}, 404),
        ("POST", "/monitoring/alerts/{incident_id}/ack", {"json": {}}, 401),
        ("POST", "/monitoring/alerts/{incident_id}/ack", {"json": {}, "headers": key}, 404),
        ("GET", "/audit", {}, 401),
        ("GET", "/audit", {"headers": key, "params": {"limit": 0}}, 400),
        ("PUT", "/flags/{name}", {"json": {"enabled": True, "reason": "a test"}}, 401),
        ("PUT", "/flags/{name}", {"json": {"enabled": True}, "headers": key}, 400),
        ("PUT", "/flags/{name}", {"path": {"name": "none"}, "json": {"enabled": True, "reason": "a test"}, "headers": key}, 404),
        ("GET", "/monitoring/service", {"params": {"window": "1y"}}, 400),
    ]
    for method, path, given, status in cases:
        reply = ask(administered, method, path, given)
        assert (reply.status_code, disagreement(path, method, reply)) == (status, None), (method, path, reply.text)


def test_an_answer_of_another_form_is_seen() -> None:
    def reply(status: int, body: Any, kind: str = "application/json", **headers: str) -> httpx.Response:
        return httpx.Response(status, json=body, headers={"Content-Type": kind, "X-Request-ID": "an-id", **headers})

    problem = DOCUMENT["components"]["schemas"]["ProblemDocument"]["examples"][0]
    assert disagreement("/predict", "POST", reply(503, problem, "application/problem+json", **{"Retry-After": "1"})) is None
    assert disagreement("/predict", "POST", reply(503, problem, "application/problem+json")) == "no ['Retry-After']"
    assert disagreement("/predict", "POST", reply(503, problem)) is not None
    assert disagreement("/health/live", "GET", reply(200, {"status": "dead"})) is not None
