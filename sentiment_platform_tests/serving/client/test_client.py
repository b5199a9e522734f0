"""Claims about the client: it has a method for every route, each of which brings back its struct; refusals are typed; it is light."""

import asyncio
import json
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import msgspec
import pytest

from sentiment_platform.local.processes.ports import free_port
from sentiment_platform.models.families import FAMILIES
from sentiment_platform.settings import Settings
from sentiment_platform.store.drift import DriftRow, write_drift_rows
from sentiment_platform.store.engine import create_platform_engine
from sentiment_platform.store.incidents import Incident, open_incident
from sentiment_platform_tests.serving.publishing import NOW, Publisher
from sentiment_platform_tests.serving.running import ServingProcess
from sentiment_platform_tests.source_code import ROOT
from serving.client import ApiProblem, AsyncClient, Client, UnexpectedAnswer, Unreachable
from serving.client.clients import Route, Routes
from serving.contract.event_bodies import StreamState
from serving.contract.health_bodies import Health
from serving.contract.prediction_bodies import PredictRequest

FIRST, SECOND, THIRD = "v1.0.0-vader", "v1.0.1-vader", "v1.0.2-vader"
REPORT = DriftRow(
    report_id="0" * 32,
    subject="predicted_label",
    test="psi",
    window_start=NOW,
    window_end=NOW,
    reference=f"{FIRST}:test",
    n_reference=800,
    n_current=600,
    statistic=0.01,
    p_value=0.4,
    adjusted_p_value=1.0,
    effect_size=0.0,
    threshold=0.25,
    drifted=False,
)
ALERT = Incident(fingerprint="disk", category="system", severity="warning", source="tests", summary="The disk fills up.")
KEY = "an-admin-key-of-the-tests"
TEXT = "Profit rose"
Arguments = dict[str, tuple[tuple[Any, ...], dict[str, Any]]]


@pytest.fixture(scope="module")
def answering(module_settings: Settings) -> Iterator[ServingProcess]:
    """A process after two deployments, with an admin key."""
    engine = create_platform_engine(module_settings.database_url)
    publisher = Publisher(module_settings, engine)
    for version in (FIRST, SECOND):
        publisher.deploy(publisher.model(version))
    publisher.model(THIRD)
    with engine.begin() as connection:
        write_drift_rows(connection, [REPORT])
        open_incident(connection, ALERT, NOW)
    publisher.close()
    engine.dispose()
    process = ServingProcess(module_settings, SENTIMENT_ADMIN_KEY=KEY)
    try:
        yield process.start()
    finally:
        process.stop()


def documented() -> set[tuple[str, str]]:
    document = json.loads((ROOT / "serving" / "openapi.json").read_bytes())
    return {(method.upper(), path) for path, item in document["paths"].items() for method in item}


def asked(requests: list[tuple[str, str]]) -> set[tuple[str, str]]:
    """The documented routes that these requests reached, by method and path."""
    reached: set[tuple[str, str]] = set()
    for method, path in requests:
        fitting = [
            route for route in documented() if route[0] == method and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", route[1]), path)
        ]
        # A fixed path beats one with a parameter.
        reached.add(min(fitting, key=lambda route: route[1].count("{")))
    return reached


def arguments(client: Client) -> Arguments:
    """What each method of a client is called with; a method that is missing here is called without anything."""
    prediction_id = shipped_prediction(client)
    (alert,) = client.alerts().incidents
    return {
        "acknowledge": ((alert.id,), {"note": "a test", "dry_run": True}),
        "predict": ((TEXT,), {"explain": True}),
        "predict_batch": (([TEXT, PredictRequest(text=TEXT, ticker="AAPL")],), {}),
        "compare": ((TEXT,), {}),
        "feedback": ((prediction_id,), {"label": "positive"}),
        "prediction": ((prediction_id,), {}),
        "news": ((), {"symbol": "AAPL", "since": datetime(2026, 3, 2, tzinfo=UTC)}),
        "model": ((FIRST,), {}),
        "select": (("vader", SECOND, "a test"), {"dry_run": True}),
        "set_flag": (("collection",), {"enabled": True, "reason": "a test"}),
        "roll_back": (("a test",), {"dry_run": True}),
        "promote": ((THIRD, "a test"), {"dry_run": True}),
        "drift_report": ((REPORT.report_id,), {}),
        "performance_history": ((FIRST,), {}),
        "experiments": ((), {"version": FIRST, "other": SECOND}),
        "feature_schema": (("v1",), {}),
        "service": ((), {"window": "7d"}),
    }


def methods() -> dict[str, Route[Any, Any]]:
    return {name: value for name, value in vars(Routes).items() if isinstance(value, Route)}


def shipped_prediction(client: Client) -> str:
    """The id of an answer that has reached the database."""
    prediction_id = client.predict(TEXT).prediction_id
    ends = time.monotonic() + 20
    while True:
        try:
            client.prediction(prediction_id)
        except ApiProblem as problem:
            if problem.status != 404 or time.monotonic() > ends:
                raise
            time.sleep(0.2)
        else:
            return prediction_id


def of_its_kind(answer: Any) -> bool:
    """Whether an answer is a struct that reads back from its own JSON as itself, or text."""
    if isinstance(answer, str):
        return "serving_requests_total" in answer
    return msgspec.json.decode(msgspec.json.encode(answer), type=type(answer)) == answer


def test_every_route_of_the_document_has_a_method_that_brings_back_its_struct(answering: ServingProcess) -> None:
    requests: list[tuple[str, str]] = []
    with Client(answering.url, api_key=KEY) as client:
        given = arguments(client)
        client.http.event_hooks["request"] = [lambda request: requests.append((request.method, request.url.path))]
        for name in methods():
            positional, named = given.get(name, ((), {}))
            assert of_its_kind(getattr(client, name)(*positional, **named)), name
        assert isinstance(next(client.events()).event, StreamState)
        for family in FAMILIES:
            if family == "vader":
                assert client.predict(TEXT, family=family).prediction.model_used == family
            else:
                with pytest.raises(ApiProblem, match="503"):
                    client.predict(TEXT, family=family)
    assert asked(requests) == documented()
    assert asked([request for request in requests if request[1] != "/feedback"]) != documented(), "a missing method is seen"


def test_the_async_client_brings_back_the_same(answering: ServingProcess) -> None:
    async def ask(given: Arguments) -> dict[str, Any]:
        async with AsyncClient(answering.url, api_key=KEY) as client:
            names = [name for name in methods() if name not in ("select", "roll_back", "promote")]
            every = {name: given.get(name, ((), {})) for name in names}
            async for told in client.events():
                assert isinstance(told.event, StreamState)
                break
            return {name: await getattr(client, name)(*positional, **named) for name, (positional, named) in every.items()}

    with Client(answering.url, api_key=KEY) as client:
        given = arguments(client)
        answers = asyncio.run(ask(given))
        assert all(of_its_kind(answer) for answer in answers.values())
        assert answers["predict"].prediction == client.predict(TEXT).prediction
        assert answers["feature_schema"] == client.feature_schema("v1")


def test_a_refusal_is_an_exception_with_code_detail_errors_and_request_id(answering: ServingProcess) -> None:
    with Client(answering.url) as client:
        with pytest.raises(ApiProblem) as wrong_form:
            client.select("vader", FIRST, "x")
        assert (wrong_form.value.status, wrong_form.value.code) == (401, "key_missing")
        with pytest.raises(ApiProblem, match="key_missing"):
            client.acknowledge("0" * 32)
        with pytest.raises(ApiProblem) as refused:
            client.predict("")
        problem = refused.value
        assert (problem.status, problem.code, problem.retry_after_s) == (400, "invalid_request", None)
        assert len(problem.errors) == 1
        assert re.fullmatch(r"[0-9a-f]{16}", problem.request_id)
        assert "invalid_request" in str(problem)
        with pytest.raises(ApiProblem, match="404"):
            client.feature_schema("v9/..")


def test_health_is_an_answer_also_where_nothing_is_ready(settings: Settings) -> None:
    process = ServingProcess(settings)
    try:
        with Client(process.start(ready=False).url) as client:
            health = client.health()
            with pytest.raises(ApiProblem) as refused:
                client.predict(TEXT)
    finally:
        process.stop()
    assert isinstance(health, Health)
    assert health.status == "not_ready"
    assert refused.value.status == 503
    assert refused.value.retry_after_s in range(1, 60)


@pytest.mark.parametrize(
    ("status", "content", "kind"),
    [
        (502, b"<html>Bad Gateway</html>", "text/html"),
        (200, b"<html>Welcome</html>", "text/html"),
        (200, b'{"label": "positive"}', "application/json"),
        (503, b'{"status": 503}', "application/problem+json"),
    ],
)
def test_what_is_no_answer_of_the_api_is_said_so(status: int, content: bytes, kind: str) -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(status, content=content, headers={"Content-Type": kind})

    with Client("http://proxy.example") as client:
        client.http = httpx.Client(transport=httpx.MockTransport(answer), base_url="http://proxy.example")
        with pytest.raises(UnexpectedAnswer, match=str(status)):
            client.predict(TEXT)


def test_events_are_told_with_their_ids_and_what_is_none_is_said_so() -> None:
    opened = '{"type":"stream_state","at":"2026-03-02T09:30:00Z","connected":true,"message":null}'
    lines = [
        ": open",
        "",
        f"id: 17-0\nevent: stream_state\ndata: {opened}",
        "",
        f"event: stream_state\ndata: {opened}",
        "",
        "data: {}",
        "",
        "",
    ]

    def answer(request: httpx.Request) -> httpx.Response:
        assert request.headers["last-event-id"] == "16-0"
        return httpx.Response(200, content="\n".join(lines), headers={"Content-Type": "text/event-stream"})

    with Client("http://events.example") as client:
        client.http = httpx.Client(transport=httpx.MockTransport(answer), base_url="http://events.example")
        events = client.events(after="16-0")
        assert [next(events).id, next(events).id] == ["17-0", ""]
        with pytest.raises(UnexpectedAnswer, match="no event"):
            next(events)


def test_nobody_waits_longer_than_the_limit() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        started = time.monotonic()
        with (
            Client(f"http://127.0.0.1:{silent.getsockname()[1]}", timeout_s=0.3) as client,
            pytest.raises(Unreachable, match="Timeout"),
        ):
            client.predict(TEXT)
        assert time.monotonic() - started < 5
    with Client(f"http://127.0.0.1:{free_port()}") as client, pytest.raises(Unreachable, match="GET /health"):
        client.health()


def test_importing_the_client_loads_neither_the_web_framework_nor_the_graph_nor_the_database() -> None:
    code = "import sys, serving.client; print(sorted({m.partition('.')[0] for m in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "'httpx'" in loaded
    for name in ("litestar", "uvicorn", "dagster", "sqlalchemy", "onnxruntime", "torch"):
        assert f"'{name}'" not in loaded, name
