"""Claims about the answers of a running process: their form, their figures, what is refused and how."""

import gzip
import socket
import time
import uuid
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from sentiment_platform.settings import Settings
from sentiment_platform.store.engine import create_platform_engine
from sentiment_platform_tests.serving.running import ServingProcess, metric

POSITIVE = "Harbour Mills reports great profit and strong growth"
NEGATIVE = "Northgate Steel warns of fraud and falling sales"


def test_the_answer_has_exactly_the_documented_form(answering: ServingProcess) -> None:
    answer = answering.predict(POSITIVE)
    assert set(answer) == {
        "prediction",
        "performance",
        "comparison",
        "prediction_id",
        "degraded",
        "degraded_reason",
        "path",
        "feature_status",
    }
    prediction = answer["prediction"]
    assert set(prediction) == {
        *("label", "probabilities", "sentiment", "confidence", "price_direction"),
        *("model_used", "features_count", "features_present", "supported"),
    }
    assert set(prediction["probabilities"]) == {"negative", "neutral", "positive"}
    assert (prediction["label"], prediction["price_direction"], prediction["model_used"]) == ("positive", "bullish", "vader")
    assert prediction["confidence"] == prediction["probabilities"]["positive"] > 1 / 3
    assert set(answer["performance"]) == {
        *("response_time_ms", "model_version", "cache_hit"),
        *("passages", "characters_read", "truncated"),
    }
    assert answer["performance"]["model_version"] == "v1.0.0-vader"
    assert answer["comparison"] == {
        "vader_sentiment": prediction["sentiment"],
        "finbert_sentiment": None,
        "agreement": None,
        "confidence_delta": None,
    }
    assert uuid.UUID(answer["prediction_id"]).version == 7
    assert answer["degraded"] is False


def test_the_answer_says_how_much_of_a_long_text_was_read(answering: ServingProcess) -> None:
    said = f"{POSITIVE}. {NEGATIVE}."
    short, long = answering.predict(said)["performance"], answering.predict(f"{said} {POSITIVE}.")["performance"]
    assert (short["passages"], short["characters_read"], short["truncated"]) == (1, len(said), False)
    assert (long["passages"], long["truncated"]) == (2, False)
    endless = " ".join(f"Unit {number} reports great profit." for number in range(100))
    cut = answering.predict(endless)["performance"]
    assert (cut["passages"], cut["truncated"]) == (32, True)
    assert endless[: cut["characters_read"]].endswith("Unit 31 reports great profit.")


@pytest.mark.parametrize(
    "text", ["Harbour Mills meldet hohen Verlust und streicht Stellen", "利益が大幅に減少", "qwrt zxcv bnmp"]
)
def test_a_text_that_cannot_be_read_is_answered_as_such(answering: ServingProcess, text: str) -> None:
    answer, compared = answering.predict(text), answering.predict(text, "/predict/compare")
    for prediction in (answer["prediction"], compared["results"]["vader"]["prediction"]):
        assert (prediction["supported"], prediction["confidence"]) == (False, None)
    assert set(answer["comparison"].values()) == set(compared["comparison"].values()) == {None}
    control = answering.predict("Société Générale reports great profit 🚀 $GLE")["prediction"]
    assert (control["supported"], control["confidence"] > 1 / 3) == (True, True)


def test_a_bad_text_is_bearish_and_a_neutral_one_is_neither(answering: ServingProcess) -> None:
    assert answering.predict(NEGATIVE)["prediction"]["price_direction"] == "bearish"
    assert answering.predict("Brass Bank moves its office")["prediction"]["price_direction"] == "neutral"


def test_every_answer_fits_the_published_schema(answering: ServingProcess) -> None:
    import jsonschema

    document = answering.client.get("/schema/openapi.json").json()
    for path in ("/predict", "/predict/vader", "/predict/compare"):
        reply = document["paths"][path]["post"]["responses"]["200"]["content"]["application/json"]["schema"]
        schema = {**reply, "components": document["components"]}
        jsonschema.validate(answering.predict(POSITIVE, path, explain=True), schema)
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({"prediction": {}}, schema)


def test_the_second_identical_request_is_a_hit_with_an_identical_body_but_for_id_and_time(answering: ServingProcess) -> None:
    text = f"Tallow Foods raises its excellent dividend {time.time()}"
    asked: dict[str, Any] = {"ticker": "tfd", "source": "Quill", "published_at": "2026-03-02T10:30:00+01:00"}
    first, second = answering.predict(text, **asked), answering.predict(text, **asked)
    assert (first["performance"].pop("cache_hit"), second["performance"].pop("cache_hit")) == (False, True)
    for answer in (first, second):
        answer.pop("prediction_id")
        answer["performance"].pop("response_time_ms")
    assert first == second
    same = answering.predict(text, **{**asked, "published_at": "Mon, 02 Mar 2026 10:30:00 CET"})
    assert same["performance"]["cache_hit"] is True, "another spelling of the same time is the same question"
    assert answering.predict(text, **{**asked, "source": "Other"})["performance"]["cache_hit"] is False


def test_the_stated_response_time_is_what_the_client_waited_less_the_wire(answering: ServingProcess) -> None:
    differences: list[float] = []
    for number in range(40):
        started = time.perf_counter()
        answer = answering.predict(f"{POSITIVE} {number}")
        differences.append((time.perf_counter() - started) * 1000 - answer["performance"]["response_time_ms"])
    assert min(differences) >= 0
    assert sorted(differences)[4] < 5


def test_invisible_and_compatibility_characters_change_nothing(answering: ServingProcess) -> None:
    plain = answering.predict("A great profit")["prediction"]
    assert answering.predict("A gr\u200beat\u00a0 pro\ufb01t")["prediction"] == plain


def test_markup_and_entities_change_nothing(answering: ServingProcess) -> None:
    plain = answering.predict("A great profit & growth")
    marked = answering.predict("<p>A <b>great</b> profit &amp; growth</p><script>loss()</script>")
    assert marked["prediction"] == plain["prediction"]
    assert marked["performance"]["characters_read"] == len("A great profit & growth")
    assert answering.predict("profit <b growth, a < b")["performance"]["characters_read"] == len("profit <b growth, a < b")


def test_one_outlet_has_one_spelling_and_what_is_answered_is_stored(answering: ServingProcess, module_settings: Settings) -> None:
    at = "1990-01-02T00:00:00+14:00"
    spelled = ("Quill  Media", "QUILL MEDIA", " quill\u200b media ")
    asked = [answering.predict(POSITIVE, source=name, published_at=at, ticker="tfd") for name in spelled]
    assert asked[0]["prediction"] == asked[1]["prediction"] == asked[2]["prediction"]
    ids = [answer["prediction_id"] for answer in asked]
    engine = create_platform_engine(module_settings.database_url)

    def stored() -> list[str]:
        with engine.connect() as connection:
            query = text("SELECT source FROM platform.predictions WHERE id = ANY(:ids)")
            return list(connection.execute(query, {"ids": ids}).scalars())

    answering.wait_until(lambda: len(stored()) == 3)
    assert stored() == ["quill media"] * 3
    engine.dispose()


def test_an_explanation_names_the_words_that_moved_the_answer(answering: ServingProcess) -> None:
    answer = answering.predict(POSITIVE, explain=True)
    explanation = answer["explanation"]
    contributions = explanation["contributions"]
    assert {part["token"] for part in contributions if part["contribution"] > 0} >= {"great", "profit"}
    assert [part["token"] for part in contributions if part["position"] < 2] == ["Harbour", "Mills"]
    total = explanation["base"] + explanation["features"] + sum(part["contribution"] for part in contributions)
    assert total == pytest.approx(explanation["sum"], abs=1e-12)
    assert total == pytest.approx(answer["prediction"]["sentiment"], abs=1e-9)


def test_a_batch_answers_in_order_and_like_single_requests(answering: ServingProcess) -> None:
    texts = [POSITIVE, NEGATIVE] * 16
    reply = answering.client.post("/predict/batch", json={"items": [{"text": text} for text in texts]})
    answers = reply.json()["answers"]
    assert [answer["prediction"]["price_direction"] for answer in answers] == ["bullish", "bearish"] * 16
    assert answers[0]["prediction"] == answering.predict(POSITIVE)["prediction"]
    too_many = answering.client.post("/predict/batch", json={"items": [{"text": POSITIVE}] * 33})
    assert too_many.status_code == 400


def test_compare_names_every_family_and_invents_nothing(answering: ServingProcess) -> None:
    answer = answering.predict(POSITIVE, "/predict/compare")
    assert answer["results"]["finbert"] is None
    assert answer["results"]["vader"]["prediction"] == answering.predict(POSITIVE, "/predict/vader")["prediction"]
    assert answer["comparison"]["agreement"] is None


def test_a_family_without_a_version_is_503_with_retry_after(answering: ServingProcess) -> None:
    reply = answering.client.post("/predict/finbert", json={"text": POSITIVE})
    assert reply.status_code == 503
    assert int(reply.headers["retry-after"]) > 0


JSON = {"Content-Type": "application/json"}
REFUSED: dict[str, tuple[bytes, dict[str, str], int]] = {
    "unknown field": (b'{"text": "x", "surprise": 1}', JSON, 400),
    "no text": (b"{}", JSON, 400),
    "empty text": (b'{"text": ""}', JSON, 400),
    "invisible text": (b'{"text": " \\u200b\\u00ad\\n"}', JSON, 400),
    "text is a number": (b'{"text": 1}', JSON, 400),
    "too long": (b'{"text": "' + b"a" * 5001 + b'"}', JSON, 400),
    "too long once normalised": (('{"text": "' + "\ufdfa" * 400 + '"}').encode(), JSON, 400),
    "NUL in the text": (b'{"text": "profit\\u0000 rose"}', JSON, 400),
    "binary text": (b'{"text": "\\u0001\\u0002\\u0003\\u0004PNG\\u0005\\u0006"}', JSON, 400),
    "lone surrogate": (b'{"text": "\\ud800"}', JSON, 400),
    "invalid UTF-8": (b'{"text": "\xff\xfe"}', JSON, 400),
    "UTF-16": ('{"text": "profit"}'.encode("utf-16"), JSON, 400),
    "binary body": (bytes(range(256)), JSON, 400),
    "NUL bytes": (b'{"text": "a"}\0', JSON, 400),
    "no JSON": (b"text=profit", JSON, 400),
    "an array": (b"[]", JSON, 400),
    "no body": (b"", JSON, 400),
    "two documents": (b'{"text": "a"} {"text": "b"}', JSON, 400),
    "nested arrays": (b"[" * 30_000, JSON, 400),
    "nested objects": (b'{"text":' * 7_000, JSON, 400),
    "nested unknown field": (b'{"text": "a", "b": ' + b"[" * 20_000 + b"]" * 20_000 + b"}", JSON, 400),
    "body too large": (b'{"text": "' + b"a" * 70_000 + b'"}', JSON, 413),
    "bad ticker": (b'{"text": "a", "ticker": "not a ticker"}', JSON, 400),
    "time without offset": (b'{"text": "a", "published_at": "2026-03-02T09:30:00"}', JSON, 400),
    "digits as time": (b'{"text": "a", "published_at": "1719914400"}', JSON, 400),
    "day as time": (b'{"text": "a", "published_at": "2026-03-02"}', JSON, 400),
    "time of year 1": (b'{"text": "a", "published_at": "0001-01-01T00:00:00+14:00"}', JSON, 400),
    "time of year 9999": (b'{"text": "a", "published_at": "9999-12-31T23:59:59-12:00"}', JSON, 400),
    "time far ahead": (b'{"text": "a", "published_at": "2098-01-01T00:00:00Z"}', JSON, 400),
    "a hundred thousand items": (b'{"items": [' + b"{}," * 99_999 + b"{}]}", JSON, 413),
    "items of nothing": (b'{"items": [' + b"1," * 30_000 + b"1]}", JSON, 400),
    "keys without end": (b"{" + b'"a": 1,' * 9_000 + b'"text": 2}', JSON, 400),
    "a number without end": (b'{"text": ' + b"9" * 60_000 + b"}", JSON, 400),
    "a bomb of gzip": (gzip.compress(b'{"text": "' + b"a" * 10**7 + b'"}'), {**JSON, "Content-Encoding": "gzip"}, 415),
    "a bomb of gzip that says nothing": (gzip.compress(b"a" * 10**7), JSON, 400),
    "form data": (b"text=a", {"Content-Type": "application/x-www-form-urlencoded"}, 415),
    "compressed": (b"\x1f\x8b", {**JSON, "Content-Encoding": "gzip"}, 415),
}


@pytest.mark.parametrize("path", ["/predict", "/predict/vader", "/predict/compare"])
@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_request_is_a_4xx_problem(answering: ServingProcess, case: str, path: str) -> None:
    body, headers, expected = REFUSED[case]
    reply = answering.client.post(path, content=body, headers=headers)
    assert reply.status_code == expected, reply.text
    assert_problem(reply)
    assert answering.predict(POSITIVE)["prediction"]["model_used"] == "vader", "the process lives on"


def test_no_body_is_too_much_for_any_route_that_reads_one(answering: ServingProcess) -> None:
    routes = [("POST", path) for path in ("/predict/batch", "/feedback", "/models/select", "/models/rollback", "/models/promote")]
    told = {
        (method, path, case): answering.client.request(method, path, content=body, headers=headers).status_code
        for method, path in [*routes, ("PUT", "/flags/collection")]
        for case, (body, headers, _) in REFUSED.items()
    }
    assert {key: status for key, status in told.items() if not 400 <= status < 500} == {}


@pytest.mark.parametrize(
    "sent",
    [
        b"Content-Length: 1000000000\r\n\r\n",
        b"Content-Length: 999999999999999999\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n" + b"10000\r\n" + b" " * 65_536 + b"\r\n1\r\n \r\n",
    ],
    ids=["announced", "an exabyte", "in chunks without end"],
)
def test_a_body_is_refused_when_it_crosses_the_limit_and_not_when_it_ends(answering: ServingProcess, sent: bytes) -> None:
    took_s: list[float] = []
    for _ in range(5):
        with socket.create_connection(("127.0.0.1", answering.port), timeout=5) as client:
            client.sendall(b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n" + sent)
            began = time.perf_counter()
            assert client.recv(65_536).startswith(b"HTTP/1.1 413 ")
            took_s.append(time.perf_counter() - began)
    # Of five the quickest: the machine of a test may be busy.
    assert min(took_s) < 0.1


def test_brackets_inside_a_text_are_no_nesting(answering: ServingProcess) -> None:
    assert answering.predict("profit " + "[{" * 500 + ' \\" ' + "[" * 100)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/predict", 405),
        ("DELETE", "/predict/vader", 405),
        ("POST", "/predict/nobody", 404),
        ("GET", "/nowhere", 404),
        ("GET", "/" + "a" * 5000, 414),
        ("POST", "/health", 405),
    ],
)
def test_unknown_routes_and_methods_are_problems_too(answering: ServingProcess, method: str, path: str, status: int) -> None:
    reply = answering.client.request(method, path, json={"text": "a"} if method == "POST" else None)
    assert reply.status_code == status
    assert_problem(reply)


def test_what_somebody_wrote_as_markup_comes_back_as_json_that_no_browser_takes_for_a_page(answering: ServingProcess) -> None:
    markup = "<script>alert(1)</script>"
    client, identity = answering.client, {"X-Request-ID": markup}
    replies = [
        client.get(f"/{markup}", headers=identity),
        client.get("/news", params={markup: markup}),
        client.get("/news", params={"ticker": markup}),
        client.get(f"/models/{markup}"),
        client.get(f"/app/{markup}"),
        client.post(f"/predict/{markup}", json={"text": "a"}),
        client.post("/predict", json={"text": "Profit rose", markup: markup}),
        client.post("/predict", json={"text": "Profit rose", "ticker": markup}),
        client.post("/predict", json={"text": f"Profit rose {markup}", "explain": True}),
        client.post("/predict", content=markup, headers={"Content-Type": markup}),
        client.put(f"/flags/{markup}", json={"enabled": True, "reason": markup}),
    ]
    shown = [reply for reply in replies if "<script>alert" in reply.text]
    assert shown, "the control: some of it is said again"
    for reply in shown:
        assert reply.headers["content-type"] in ("application/json", "application/problem+json"), reply.url
        assert reply.headers["x-content-type-options"] == "nosniff"
    assert not [reply for reply in replies if "<script>" in str(reply.headers)]


def test_huge_headers_are_refused(answering: ServingProcess) -> None:
    reply = answering.client.get("/health/live", headers={"X-Long": "a" * 40_000})
    assert reply.status_code == 431
    assert_problem(reply)


def test_a_plain_request_id_is_echoed_and_a_strange_one_replaced(answering: ServingProcess) -> None:
    assert answering.client.get("/health/live", headers={"X-Request-ID": "abc-1"}).headers["x-request-id"] == "abc-1"
    strange = answering.client.get("/health/live", headers={"X-Request-ID": "a b\tc"}).headers["x-request-id"]
    assert strange not in ("a b\tc", "")


def test_metrics_parse_count_exactly_and_have_no_free_labels(answering: ServingProcess) -> None:
    name = "serving_requests_total"
    labels = {"route": "/predict/vader", "method": "POST", "status": "200"}
    before = metric(answering.client.get("/metrics").text, name, **labels)
    for _ in range(7):
        answering.predict("a secret sentence", "/predict/vader")
    answering.client.get("/never-seen-before")
    text = answering.client.get("/metrics").text
    assert metric(text, name, **labels) - before == 7
    assert metric(text, name, route="unmatched", status="404") > 0
    assert "secret" not in text
    assert "never-seen-before" not in text
    assert metric(text, "serving_live_revision") == 1
    assert metric(text, "serving_live_model", family="vader", version="v1.0.0-vader") == 1


def test_feedback_needs_something_to_say(answering: ServingProcess) -> None:
    identity = answering.predict()["prediction_id"]
    assert answering.client.post("/feedback", json={"prediction_id": identity}).status_code == 400
    assert answering.client.post("/feedback", json={"prediction_id": "x", "label": "neutral"}).status_code == 400
    assert answering.client.post("/feedback", json={"prediction_id": identity, "label": "great"}).status_code == 400
    assert answering.client.post("/feedback", json={"prediction_id": identity, "utility": 2}).status_code == 400
    reply = answering.client.post("/feedback", json={"prediction_id": identity, "label": "neutral"})
    assert reply.status_code == 202


def assert_problem(reply: httpx.Response) -> None:
    assert reply.headers["content-type"] == "application/problem+json"
    document = reply.json()
    assert document["status"] == reply.status_code
    assert document["request_id"] == reply.headers["x-request-id"]
    assert document["title"]
    assert document["code"]
    assert document["detail"]
