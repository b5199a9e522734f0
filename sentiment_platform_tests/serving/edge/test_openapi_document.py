"""Claims about the OpenAPI document: every body is typed, every error is named, and the committed copy is of this code."""

import json
from collections.abc import Iterator
from copy import deepcopy
from datetime import datetime
from functools import cache
from typing import Any

import jsonschema
import msgspec
import pytest

from sentiment_platform.settings import Settings
from sentiment_platform_tests.source_code import ROOT
from serving.app import create_app
from serving.contract.event_bodies import PublicEvent
from serving.edge.openapi_document import openapi_document, openapi_text, structs_within

TYPED = {"$ref", "anyOf", "oneOf", "enum", "const", "type"}


@cache
def document() -> dict[str, Any]:
    return openapi_document(create_app(Settings.from_environment({})))


def operations(of: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in of["paths"].items():
        for method, operation in item.items():
            yield f"{method.upper()} {path}", operation


def untyped(schema: Any, where: str) -> Iterator[str]:
    """Places of a schema where anything may stand."""
    if not isinstance(schema, dict) or not TYPED & schema.keys():
        yield where
        return
    if schema.get("type") == "object" and not ({"properties", "additionalProperties"} & schema.keys()):
        yield where
    for each in schema.get("prefixItems", []):
        yield from untyped(each, f"{where}[]")
    if schema.get("type") == "array" and "prefixItems" not in schema:
        yield from untyped(schema.get("items"), f"{where}[]")
    if (more := schema.get("additionalProperties", False)) is not False:
        yield from untyped(more, f"{where}.*")
    for name, field in schema.get("properties", {}).items():
        yield from untyped(field, f"{where}.{name}")
    for choice in (*schema.get("anyOf", []), *schema.get("oneOf", [])):
        yield from untyped(choice, where)


def all_untyped(of: dict[str, Any]) -> list[str]:
    places = [place for name, schema in of["components"]["schemas"].items() for place in untyped(schema, name)]
    for name, operation in operations(of):
        for message in (operation.get("requestBody", {}), *operation["responses"].values()):
            for content in message.get("content", {}).values():
                places += untyped(content["schema"], name)
    return places


def naive_moments(kinds: Iterator[type[msgspec.Struct]]) -> list[str]:
    """Fields that are moments of nobody knows which zone; the document would call them plain text."""
    named: list[str] = []
    for kind in kinds:
        for field in msgspec.inspect.type_info(kind).fields:  # type: ignore[union-attr]
            choices = field.type.types if isinstance(field.type, msgspec.inspect.UnionType) else (field.type,)
            if any(isinstance(each, msgspec.inspect.DateTimeType) and each.tz is None for each in choices):
                named.append(f"{kind.__name__}.{field.name}")
    return named


def structs_of_the_contract(kind: type[Any] = msgspec.Struct) -> Iterator[type[msgspec.Struct]]:
    for each in kind.__subclasses__():
        if each.__module__.startswith("serving.contract."):
            yield each
        yield from structs_of_the_contract(each)


def test_no_body_holds_anything_untyped() -> None:
    assert all_untyped(document()) == []


def test_what_is_untyped_is_seen() -> None:
    planted = deepcopy(document())
    schemas = planted["components"]["schemas"]
    schemas["Answer"]["properties"]["prediction_id"] = {}
    schemas["Health"]["properties"]["dependencies"]["additionalProperties"] = {}
    schemas["Swap"]["properties"]["versions"]["items"] = {"additionalProperties": True, "type": "object"}
    schemas["Alive"] = {"type": "object"}
    assert sorted(all_untyped(planted)) == ["Alive", "Answer.prediction_id", "Health.dependencies.*", "Swap.versions[].*"]


def test_every_moment_has_a_zone() -> None:
    create_app(Settings.from_environment({}))
    assert naive_moments(iter(structs_within(structs_of_the_contract()))) == []

    Planted = msgspec.defstruct("Planted", [("at", datetime | None)])
    assert naive_moments(iter([Planted])) == ["Planted.at"]


def test_every_operation_documents_its_errors_as_problems_and_itself_in_a_group() -> None:
    groups = {tag["name"]: tag["description"] for tag in document()["tags"]}
    assert all(groups.values())
    for name, operation in operations(document()):
        assert operation["responses"]["default"] == {"$ref": "#/components/responses/Problem"}, name
        assert operation["summary"], name
        assert operation["description"], name
        assert len(operation["tags"]) == 1, name
        assert operation["tags"][0] in groups, name
        for status, response in operation["responses"].items():
            if status.isdigit() and status >= "400" and (name, status) != ("GET /health", "503"):
                if "$ref" in response:
                    response = document()["components"]["responses"][response["$ref"].rpartition("/")[2]]
                assert list(response["content"]) == ["application/problem+json"], f"{name} {status}"
            if status in ("429", "503"):
                assert "Retry-After" in response["headers"], f"{name} {status}"
    identities = [operation["operationId"] for _, operation in operations(document())]
    assert len(set(identities)) == len(identities)


def test_a_request_may_leave_out_what_has_a_default_and_an_answer_never_does() -> None:
    schemas = document()["components"]["schemas"]
    assert schemas["PredictRequest"]["required"] == ["text"]
    assert "default" not in schemas["PredictRequest"]["properties"]["explain"]
    assert schemas["PredictRequest"]["additionalProperties"] is False
    assert set(schemas["Comparison"]["required"]) == set(schemas["Comparison"]["properties"])
    assert set(schemas["Answer"]["properties"]) - set(schemas["Answer"]["required"]) == {"explanation"}
    assert set(schemas["ProblemDocument"]["properties"]) - set(schemas["ProblemDocument"]["required"]) == {"errors"}


def test_every_body_that_is_sent_and_every_answer_to_it_has_an_example_of_its_form() -> None:
    schemas = document()["components"]["schemas"]
    for name, operation in operations(document()):
        if body := operation.get("requestBody"):
            (asked,) = body["content"].values()
            answered = next(response for status, response in operation["responses"].items() if status < "300")
            for content in (asked, *answered["content"].values()):
                assert schemas[content["schema"]["$ref"].rpartition("/")[2]].get("examples"), name
    shown = {name: schema["examples"] for name, schema in schemas.items() if "examples" in schema}
    assert {"Health", "ProblemDocument"} <= shown.keys()
    for name, examples in shown.items():
        checked = {"$ref": f"#/components/schemas/{name}", "components": document()["components"]}
        for example in examples:
            jsonschema.validate(example, checked)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"text": 1}, {"$ref": "#/components/schemas/PredictRequest", "components": document()["components"]})


def test_every_route_shows_one_recorded_answer_that_reads_as_its_struct_and_says_nothing_else() -> None:
    schemas = document()["components"]["schemas"]
    for name, operation in operations(document()):
        for status, response in operation["responses"].items():
            for content in response.get("content", {}).values() if status < "300" else ():
                given = schemas[content["schema"]["$ref"].rpartition("/")[2]] if "$ref" in content["schema"] else content
                assert given.get("examples") or given.get("example"), name
    recorded = json.loads((ROOT / "serving" / "contract" / "answer_examples.json").read_bytes())
    assert {name for name in recorded if "/" not in name} <= schemas.keys(), "no example of a struct that is gone"
    for name, example in recorded.items():
        if "/" not in name:
            assert schemas[name]["examples"] == [example], f"{name}: fields that the struct lacks, or the other way round"
    frames = recorded["text/event-stream"].strip().split("\n\n")
    for frame in frames:
        msgspec.json.decode(frame.partition("data: ")[2], type=PublicEvent)


def test_the_committed_document_is_of_this_code() -> None:
    committed = ROOT / "serving" / "openapi.json"
    text = openapi_text(create_app(Settings.from_environment({})))
    assert committed.read_bytes() == text, "the API has changed: run `make openapi` and look at the difference"
