"""A refused body is told everything that is wrong with it: each fault by field and item, all of them at once."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

import serving
from sentiment_platform.settings import Settings
from sentiment_platform_tests.serving.running import ServingProcess
from serving.contract.body_faults import MAX_FAULTS, body_faults
from serving.contract.feedback_bodies import FeedbackRequest
from serving.contract.prediction_bodies import BatchRequest, PredictRequest

pytestmark = pytest.mark.slow
PREDICT, BATCH, FEEDBACK, SELECT = "/predict", "/predict/batch", "/feedback", "/models/select"
ACKNOWLEDGE = f"/monitoring/alerts/{'0' * 32}/ack"
GOOD, BINARY = {"text": "Profit rose"}, "\u0001\u0002\u0003PNG\u0005"
ID = "01a224b6-28cd-707e-a484-feb0f7e2ce7b"
CHOICE = {"family": "vader", "version": "v1.0.0-vader", "reason": "a test"}
Place = tuple[str, int | None]

BAD: list[tuple[str, Any, list[Place]]] = [
    (PREDICT, {}, [("text", None)]),
    (PREDICT, {"text": ""}, [("text", None)]),
    (PREDICT, {"text": 1}, [("text", None)]),
    (PREDICT, {"text": None}, [("text", None)]),
    (PREDICT, {"text": " \u200b\u00ad "}, [("text", None)]),
    (PREDICT, {"text": "a" * 5001}, [("text", None)]),
    (PREDICT, {"text": BINARY}, [("text", None)]),
    (PREDICT, {**GOOD, "surprise": 1}, [("surprise", None)]),
    (PREDICT, {**GOOD, "ticker": "not a ticker"}, [("ticker", None)]),
    (PREDICT, {**GOOD, "source": ""}, [("source", None)]),
    (PREDICT, {**GOOD, "published_at": "2026-03-02T09:30:00"}, [("published_at", None)]),
    (PREDICT, {**GOOD, "published_at": "yesterday"}, [("published_at", None)]),
    (PREDICT, {**GOOD, "published_at": "0001-01-01T00:00:00+14:00"}, [("published_at", None)]),
    (PREDICT, {**GOOD, "published_at": "9999-12-31T23:59:59-12:00"}, [("published_at", None)]),
    (PREDICT, {**GOOD, "published_at": "1989-12-31T23:59:59Z"}, [("published_at", None)]),
    (PREDICT, {**GOOD, "published_at": "2098-03-02T09:30:00+05:30"}, [("published_at", None)]),
    (PREDICT, {**GOOD, "published_at": "1719914400"}, [("published_at", None)]),
    (PREDICT, {**GOOD, "source": "Quill\0"}, [("source", None)]),
    (PREDICT, {**GOOD, "source": " \u200b "}, [("source", None)]),
    (PREDICT, {**GOOD, "ticker": "AB\0"}, [("ticker", None)]),
    (PREDICT, {"text": "<p></p> &nbsp;"}, [("text", None)]),
    (
        PREDICT,
        {"text": "\0", "source": "\0", "published_at": "1900-01-01T00:00:00Z"},
        [(name, None) for name in ("text", "source", "published_at")],
    ),
    (BATCH, {"items": [GOOD, {"text": "\u200b"}]}, [("items[1].text", 1)]),
    (BATCH, {"items": [GOOD, {**GOOD, "published_at": "0001-01-01T00:00:00Z"}]}, [("items[1].published_at", 1)]),
    (FEEDBACK, {"prediction_id": ID, "preference": "gpt"}, [("preference", None)]),
    (PREDICT, {**GOOD, "traffic": "mine"}, [("traffic", None)]),
    (PREDICT, {**GOOD, "unit_id": "u" * 129}, [("unit_id", None)]),
    (PREDICT, {**GOOD, "explain": "perhaps"}, [("explain", None)]),
    (PREDICT, {**GOOD, "explain": "true"}, [("explain", None)]),
    (PREDICT, {**GOOD, "explain": 1}, [("explain", None)]),
    (PREDICT, {"text": BINARY, "ticker": "a!b", "extra": 1}, [("text", None), ("ticker", None), ("extra", None)]),
    (PREDICT, [GOOD], [("body", None)]),
    (BATCH, {}, [("items", None)]),
    (BATCH, {"items": []}, [("items", None)]),
    (BATCH, {"items": "Profit rose"}, [("items", None)]),
    (BATCH, {"items": [GOOD] * 33}, [("items", None)]),
    (BATCH, {"items": [GOOD, {}]}, [("items[1].text", 1)]),
    (BATCH, {"items": [GOOD, "Profit rose"]}, [("items[1]", 1)]),
    (BATCH, {"items": [{"text": BINARY}, GOOD, {"text": "\u200b"}]}, [("items[0].text", 0), ("items[2].text", 2)]),
    (BATCH, {"items": [{"text": BINARY}, {**GOOD, "ticker": 7}]}, [("items[0].text", 0), ("items[1].ticker", 1)]),
    (BATCH, {"items": [GOOD, {**GOOD, "explain": "true"}]}, [("items[1].explain", 1)]),
    (BATCH, {"items": [{**GOOD, "x": 1}], "y": 2}, [("items[0].x", 0), ("y", None)]),
    (FEEDBACK, {"label": "neutral"}, [("prediction_id", None)]),
    (FEEDBACK, {"prediction_id": ID}, [("label", None)]),
    (FEEDBACK, {"prediction_id": "x", "label": "great"}, [("prediction_id", None), ("label", None)]),
    (FEEDBACK, {"prediction_id": ID, "utility": 2}, [("utility", None)]),
    (FEEDBACK, {"prediction_id": ID, "utility": "0.5"}, [("utility", None)]),
    (FEEDBACK, {"prediction_id": ID, "preference": "V1", "comment": 5}, [("preference", None), ("comment", None)]),
    (SELECT, {"family": "vader", "reason": "a test"}, [("version", None)]),
    (SELECT, {**CHOICE, "version": "newest"}, [("version", None)]),
    (SELECT, {**CHOICE, "reason": "", "family": "VADER"}, [("reason", None), ("family", None)]),
    (SELECT, {**CHOICE, "dry_run": "no"}, [("dry_run", None)]),
    (SELECT, {**CHOICE, "force": True}, [("force", None)]),
    (ACKNOWLEDGE, {"note": 5, "dry_run": "no"}, [("note", None), ("dry_run", None)]),
    (ACKNOWLEDGE, {"note": "n" * 1001, "by": "me"}, [("note", None), ("by", None)]),
]


@pytest.fixture(scope="module")
def answering_with_key(module_settings: Settings) -> Any:
    process = ServingProcess(module_settings, SENTIMENT_ADMIN_KEY="the-admin-key-of-this-test")
    process.client.headers["authorization"] = "Bearer the-admin-key-of-this-test"
    try:
        yield process.start(ready=False)
    finally:
        process.stop()


@pytest.mark.parametrize(("path", "body", "places"), BAD, ids=lambda value: None if isinstance(value, list) else str(value)[:60])
def test_every_fault_is_named_by_field_and_item(
    answering_with_key: ServingProcess, path: str, body: Any, places: list[Place]
) -> None:
    reply = answering_with_key.client.post(path, json=body)
    assert (reply.status_code, reply.headers["content-type"]) == (400, "application/problem+json"), reply.text
    errors = reply.json()["errors"]
    assert sorted((error["field"], error["item"]) for error in errors) == sorted(places)
    assert all(len(error["message"]) > 10 and " - at `" not in error["message"] for error in errors)


def test_there_are_thirty_of_them() -> None:
    assert len(BAD) >= 30


@pytest.mark.parametrize(
    "content",
    [b"", b"  ", b"text=profit", b'{"text": "a"} {"text": "b"}', b'{"text": "\\ud800"}', b'{"text"', b"\xff", b"\0", b"[" * 40],
)
def test_what_is_no_json_is_a_fault_of_the_body(answering_with_key: ServingProcess, content: bytes) -> None:
    reply = answering_with_key.client.post(PREDICT, content=content, headers={"content-type": "application/json"})
    assert reply.status_code == 400
    assert [(error["field"], error["item"]) for error in reply.json()["errors"]] == [("body", None)]


@pytest.mark.parametrize(
    ("text", "half"),
    [
        (r"profit up \ud83d", r"\ud83d"),
        (r"\ude00 up", r"\ude00"),
        (r"\ud83d\ude00 \uD83D up", r"\uD83D"),
        (r"\ud83d\ud83d\ude00", r"\ud83d"),
        (r"\\\\ud83d \ud83e\n", r"\ud83e"),
    ],
)
def test_half_of_a_surrogate_pair_is_told_as_what_it_is(answering_with_key: ServingProcess, text: str, half: str) -> None:
    reply = answering_with_key.client.post(PREDICT, content=f'{{"text":"{text}"}}', headers={"content-type": "application/json"})
    (error,) = reply.json()["errors"]
    assert (reply.status_code, error["field"]) == (400, "body")
    assert error["message"] == f"A string holds half of a surrogate pair ({half}), which is no character; send whole characters."


@pytest.mark.parametrize("content", [b'{"text":"\\ud83d\\ude00', rb'{"text":"\\ud83d'])
def test_what_is_cut_without_half_a_pair_is_told_as_cut(answering_with_key: ServingProcess, content: bytes) -> None:
    reply = answering_with_key.client.post(PREDICT, content=content, headers={"content-type": "application/json"})
    assert "truncated" in reply.json()["errors"][0]["message"]


@pytest.mark.parametrize(
    ("asked", "fields"),
    [
        ("/news?limit=many", ["limit"]),
        ("/news?limit=0&symbol=" + "A" * 65, ["limit", "symbol"]),
        ("/news?limt=5&smbol=A", ["limt", "smbol"]),
        ("/news?since=2026-03-02T10:00:00", ["since"]),
        ("/news?cursor=abc", ["cursor"]),
        ("/tickers?family=nobody", ["family"]),
        ("/models/performance/history", ["version"]),
        ("/models/latest", ["version"]),
        ("/features/v9", ["version"]),
        ("/monitoring/service?window=1y", ["window"]),
        ("/monitoring/drift-reports/x", ["report_id"]),
        ("/monitoring/runs?ofset=1", ["ofset"]),
        ("/flags?x=1&x=2", ["x"]),
        ("/features/v1?x=1", ["x"]),
    ],
)
def test_a_parameter_is_named_too_and_a_name_that_the_route_lacks(
    answering_with_key: ServingProcess, asked: str, fields: list[str]
) -> None:
    reply = answering_with_key.client.get(asked)
    assert reply.status_code == (404 if asked == "/features/v9" else 400)
    assert sorted(error["field"] for error in reply.json()["errors"]) == fields


def test_a_prediction_has_no_query_but_probes_scrapers_and_pages_take_what_is_added(answering_with_key: ServingProcess) -> None:
    client = answering_with_key.client
    reply = client.post(f"{PREDICT}?explain=true", json={"text": "Profit rose"})
    assert (reply.status_code, reply.json()["errors"][0]["field"]) == (400, "explain")
    for path in ("/health/live?from=a-probe", "/schema?from=a-mail", "/schema/openapi.json?v=1"):
        assert client.get(path).status_code == 200, path
    assert client.head("/metrics?collect[]=all").status_code == 200


def documented_parameters() -> list[tuple[str, str, dict[str, Any]]]:
    """(method, path, parameter) of every one that has a form."""
    paths = json.loads((Path(serving.__file__).parent / "openapi.json").read_text())["paths"]
    return [
        (method, path, parameter)
        for path, methods in paths.items()
        for method, operation in methods.items()
        for parameter in operation.get("parameters", ())
        if parameter["schema"].keys() & {"pattern", "enum", "minimum", "maximum", "maxLength"}
    ]


PARAMETERS = documented_parameters()
IN_CODE = re.compile(r"regex|\^|\(\?|\[\w|`(str|int|float|bool|array|object|null)\b")


@pytest.mark.parametrize(
    ("method", "path", "parameter"), PARAMETERS, ids=lambda value: None if isinstance(value, dict) else value
)
def test_a_parameter_is_refused_in_plain_words(
    answering_with_key: ServingProcess, method: str, path: str, parameter: dict[str, Any]
) -> None:
    """No pattern, no type of a programming language; what is allowed."""
    bad = "!" * 300
    sent: dict[str, Any] = {"params": {"version": "v1.0.0-vader"} if "performance" in path else {}, "headers": {}}
    if parameter["in"] != "path":
        sent["headers" if parameter["in"] == "header" else "params"][parameter["name"]] = bad
    if method != "get":
        bodies = {BATCH: {"items": [GOOD]}, FEEDBACK: {"prediction_id": ID, "label": "neutral"}}
        sent["json"] = (
            {} if path.endswith("/ack") else bodies.get(path, {"enabled": True, "reason": "a test"} if "flags" in path else GOOD)
        )
    reply = answering_with_key.client.request(method, re.sub(r"\{\w+\}", bad, path), **sent)
    told = reply.json()
    assert reply.status_code in (400, 404), told
    said = [told["detail"], *(error["message"] for error in told["errors"])]
    assert not any(IN_CODE.search(message) for message in said), said
    messages = [error["message"] for error in told["errors"] if error["field"] == parameter["name"]]
    assert all(str(choice) in messages[0] for choice in parameter["schema"].get("enum", ()))
    if "pattern" in parameter["schema"]:
        assert parameter["description"] in messages[0] or "characters" in messages[0]


def test_there_are_parameters_of_every_kind_and_the_control_finds_code() -> None:
    assert {parameter["in"] for _, _, parameter in PARAMETERS} == {"query", "path", "header"}
    assert len(PARAMETERS) >= 20
    assert all(
        map(IN_CODE.search, ("Expected `str` matching regex '^a$'", "Expected `bool | null`", "Expected `str` of length >= 1"))
    )


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"text": ""}, "Expected a string of at least 1 character."),
        ({"text": 5}, "Expected a string, got a whole number."),
        ({**GOOD, "explain": "yes"}, "Expected true or false, got a string."),
        ({**GOOD, "unit_id": "u" * 129}, "Expected a string of at most 128 characters."),
        ({**GOOD, "ticker": 7}, "Expected a string or null, got a whole number."),
        ({"text": "\ufdfa" * 5000}, "The text has 90000 characters once normalised"),
    ],
)
def test_a_body_is_refused_in_plain_words(answering_with_key: ServingProcess, body: Any, message: str) -> None:
    told = answering_with_key.client.post(PREDICT, json=body).json()
    assert message in told["errors"][0]["message"]


def test_what_is_not_there_says_what_is(answering_with_key: ServingProcess) -> None:
    family = answering_with_key.client.post("/predict/bert", json=GOOD)
    assert (family.status_code, family.json()["code"]) == (404, "unknown_family")
    assert "vader, finbert" in family.json()["detail"]
    route = answering_with_key.client.get("/nowhere")
    assert (route.status_code, route.json()["code"]) == (404, "not_found")
    assert "/schema" in route.json()["detail"]


def test_the_control_what_is_right_has_no_fault_and_a_flood_of_faults_is_cut() -> None:
    def nothing_more(*_: object) -> list[tuple[str, str]]:
        return []

    right = {"text": "Profit rose", "ticker": "ABC", "published_at": "2026-03-02T09:30:00Z", "explain": True}
    assert body_faults(json.dumps(right).encode(), PredictRequest, nothing_more) == []
    assert body_faults(json.dumps({"items": [right]}).encode(), BatchRequest, nothing_more) == []
    assert body_faults(json.dumps({"prediction_id": ID, "label": "neutral"}).encode(), FeedbackRequest, nothing_more) == []
    assert [
        fault.message
        for fault in body_faults(b'{"prediction_id": "%s", "label": "up"}' % ID.encode(), FeedbackRequest, nothing_more)
    ] == ["Invalid enum value 'up'; there are negative, neutral, positive."]
    flood = json.dumps({f"field{number}": 1 for number in range(5_000)}).encode()
    assert len(body_faults(flood, PredictRequest, nothing_more)) == MAX_FAULTS
