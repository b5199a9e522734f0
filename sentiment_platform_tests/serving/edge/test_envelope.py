"""Claims about what every answer has, whoever wrote it: headers, HEAD, ETags, origins."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from typing import Any

import httpx
import pytest
from litestar import Litestar, get
from litestar.response import Stream

from sentiment_platform.errors import SettingsError
from sentiment_platform.settings import Settings
from sentiment_platform_tests.serving.publishing import Publisher
from sentiment_platform_tests.serving.running import ServingProcess
from serving.edge.envelope import Envelope, allowed_origins, head_as_get
from serving.edge.policy import POLICIES

HERE = "https://app.example.org"
GETS = ["/schema", "/schema/openapi.json", "/schema/page.js", "/health", "/health/live", "/models/status", "/models/performance"]
GETS += [
    "/features/v1",
    "/features/v99",
    "/monitoring/alerts",
    "/monitoring/alerts?limit=0",
    "/",
    "/docs",
    "/nowhere",
    "/predict",
]


@pytest.fixture(scope="module")
def answering(module_settings: Settings) -> Iterator[ServingProcess]:
    """A process with VADER deployed that one origin may read."""
    publisher = Publisher(module_settings)
    publisher.deploy(publisher.model())
    publisher.close()
    process = ServingProcess(module_settings, SENTIMENT_CORS_ORIGINS=f"{HERE}, http://localhost:5173")
    try:
        yield process.start()
    finally:
        process.stop()


def comparable(reply: httpx.Response) -> dict[str, str]:
    """The headers that two answers to the same question share, the length where it does not depend on the moment."""
    fixed = reply.request.url.path not in ("/health", "/models/status", "/models/performance", "/metrics", "/monitoring/alerts")
    return {
        name: value for name, value in reply.headers.items() if name != "x-request-id" and (fixed or name != "content-length")
    }


@pytest.mark.parametrize("path", GETS)
def test_head_answers_as_get_does_without_the_body(answering: ServingProcess, path: str) -> None:
    shown, asked = (answering.client.request(method, path, headers={"X-Request-ID": "1"}) for method in ("GET", "HEAD"))
    assert shown.content or path in ("/", "/docs")
    assert asked.content == b""
    assert asked.status_code == shown.status_code
    assert comparable(asked) == comparable(shown)
    assert "content-length" in asked.headers


def test_head_of_a_stream_ends_at_once_and_the_stream_hears_of_it() -> None:
    ended = asyncio.Event()

    @get("/events", sync_to_thread=False)
    def events() -> Stream:
        async def endless() -> AsyncGenerator[str]:
            try:
                while True:
                    yield "data: 1\n\n"
                    await asyncio.sleep(0.01)
            finally:
                ended.set()

        return Stream(endless)

    app = Litestar([events], openapi_config=None)
    app.asgi_handler = Envelope(head_as_get(app.asgi_handler), origins=frozenset())
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        await asyncio.sleep(60)

    async def ask() -> None:
        scope: Any = {"type": "http", "method": "HEAD", "path": "/events", "headers": [], "query_string": b""}
        scope |= {"state": {}, "raw_path": b"/events", "root_path": "", "scheme": "http", "http_version": "1.1"}
        async with asyncio.timeout(5):
            await app(scope, receive, send)
            await ended.wait()

    asyncio.run(ask())
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    assert sent[1]["body"] == b""


def test_the_root_and_docs_lead_to_the_page(answering: ServingProcess) -> None:
    for path in ("/", "/docs"):
        reply = answering.client.get(path, follow_redirects=True)
        assert (reply.status_code, reply.url.path) == (200, "/schema")
        assert "Sentiment Platform" in reply.text


def test_a_wrong_method_is_told_the_right_ones(answering: ServingProcess) -> None:
    for path, allowed in (("/predict", "OPTIONS, POST"), ("/models/status", "GET, HEAD, OPTIONS")):
        refused = answering.client.delete(path)
        assert (refused.status_code, refused.headers["allow"]) == (405, allowed)
        assert refused.headers["content-type"] == "application/problem+json"
        assert refused.json()["detail"] == f"This route takes {allowed}; send one of them."
        options = answering.client.options(path)
        assert (options.status_code, options.headers["allow"], options.content) == (204, allowed, b"")


def test_what_changes_rarely_is_sent_once_and_predictions_are_never_kept(answering: ServingProcess) -> None:
    for path in ("/schema", "/schema/openapi.json", "/schema/page.css", "/features/v1"):
        first = answering.client.get(path)
        assert first.headers["cache-control"] == "no-cache"
        tag = first.headers["etag"]
        for known in (tag, f'"other", W/{tag}', "*"):
            again = answering.client.get(path, headers={"If-None-Match": known})
            assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        assert answering.client.get(path, headers={"If-None-Match": '"other"'}).content == first.content
    predicted = answering.client.post("/predict", json={"text": "Profit rose."})
    status = answering.client.get("/models/status")
    refused = answering.client.get("/features/v99", headers={"If-None-Match": "*"})
    assert [reply.status_code for reply in (predicted, status, refused)] == [200, 200, 404]
    assert predicted.headers["cache-control"] == status.headers["cache-control"] == "no-store"
    assert not {"etag"} & (predicted.headers.keys() | refused.headers.keys())


def test_every_answer_tells_browsers_to_be_strict(answering: ServingProcess) -> None:
    too_large = "x" * 70_000
    replies = [answering.client.get(path) for path in GETS]
    replies += [answering.client.post("/predict", content=too_large), answering.client.post("/models/rollback", json={})]
    answered = answering.client.post("/predict", json={"text": "Profit rose."}).json()["prediction_id"]
    said = [{"prediction_id": answered, "utility": utility} for utility in (0, 1)]
    replies += [answering.client.post("/feedback", json=body, headers={"Idempotency-Key": "strict"}) for body in said]
    assert {reply.status_code for reply in replies} >= {200, 202, 307, 401, 404, 405, 413, 422}
    for reply in replies:
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert reply.headers["referrer-policy"] == "no-referrer"
        assert reply.headers["cross-origin-resource-policy"] == "same-origin"
        policy = reply.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        for name in ("cache-control", "content-security-policy", "x-request-id"):
            assert len(reply.headers.get_list(name)) == 1, name


def test_a_listed_origin_may_ask_and_read_and_no_other_may(answering: ServingProcess) -> None:
    ask = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    for path in ("/predict", "/models/select"):
        allowed = answering.client.options(path, headers={"Origin": HERE, **ask})
        assert allowed.status_code == 204
        assert allowed.headers["access-control-allow-origin"] == HERE
        methods = allowed.headers["access-control-allow-methods"].split(", ")
        # A browser on another origin may turn a switch too.
        assert set(methods) == {"HEAD", *(method for method, _ in POLICIES)}
        assert {"content-type", "x-api-key"} <= set(allowed.headers["access-control-allow-headers"].lower().split(", "))
    for origin in (HERE, "http://localhost:5173"):
        for reply in (
            answering.client.post("/predict", json={"text": "Profit rose."}, headers={"Origin": origin}),
            answering.client.post("/predict", content="x" * 70_000, headers={"Origin": origin}),
            answering.client.get("/nowhere", headers={"Origin": origin}),
        ):
            assert reply.headers["access-control-allow-origin"] == origin
            assert "Retry-After" in reply.headers["access-control-expose-headers"]
    for origin in ("https://app.example.org.evil.example", "https://APP.example.org", "null", "http://app.example.org"):
        for refused in (
            answering.client.options("/predict", headers={"Origin": origin, **ask}),
            answering.client.get("/health", headers={"Origin": origin}),
        ):
            assert not [name for name in refused.headers if name.startswith("access-control-")], origin
            assert refused.headers["vary"] == "Origin"
    assert "access-control-allow-credentials" not in allowed.headers


def test_without_a_list_no_origin_is_answered() -> None:
    assert allowed_origins("") == frozenset()
    assert allowed_origins(" https://a.example , http://127.0.0.1:3000,") == {b"https://a.example", b"http://127.0.0.1:3000"}


@pytest.mark.parametrize("setting", ["*", "https://a.example/", "a.example", "https://A.example", "https://*.example", "null"])
def test_what_is_no_exact_origin_is_refused_with_the_remedy(setting: str) -> None:
    with pytest.raises(SettingsError, match=r"(?s)SENTIMENT_CORS_ORIGINS.*https://app\.example\.org"):
        allowed_origins(setting)
