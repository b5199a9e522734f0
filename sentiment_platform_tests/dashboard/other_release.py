"""Answers as an API of another release gives them, made of real ones on their way to a page."""

from collections.abc import Callable
from typing import Any

import msgspec
from playwright.sync_api import Route

from sentiment_platform_tests.dashboard.page_table import ROOT

DOCUMENT: dict[str, Any] = msgspec.json.decode((ROOT / "serving" / "openapi.json").read_bytes())
NEW_FIELD, NEW_WORD = "field_of_tomorrow", "word_of_tomorrow"
Schema = dict[str, Any]
Change = Callable[[Any, Schema], Any]
"""A value and its schema -> the value of the other release; `GONE` takes it out of its object."""
GONE = object()


def newer(value: Any, schema: Schema) -> Any:
    """A field more in each object, and another word wherever the API has a closed list of them."""
    if isinstance(value, dict) and "properties" in schema:
        return {**value, NEW_FIELD: {"a": [1]}}
    return NEW_WORD if isinstance(value, str) and len(schema.get("enum", ())) > 1 else value


def older(value: Any, schema: Schema) -> Any:
    """Without any field that may be null: whatever was added to an answer of this API in its time came as one of them."""
    return GONE if any(one.get("type") == "null" for one in schema.get("anyOf", schema.get("oneOf", ()))) else value


def changed(value: Any, schema: Schema, change: Change) -> Any:
    """The answer with `change` made of each value in it, from the inside out."""
    schema = _resolved(schema)
    told = change(value, schema)
    if told is GONE or told is None:
        return told
    inner = _of(told, schema)
    if isinstance(told, dict):
        properties, others = inner.get("properties", {}), inner.get("additionalProperties", {})
        fields = {name: changed(each, properties.get(name, others) or {}, change) for name, each in told.items()}
        return change({name: each for name, each in fields.items() if each is not GONE}, inner)
    if isinstance(told, list):
        return [kept for each in told if (kept := changed(each, inner.get("items") or {}, change)) is not GONE]
    return change(told, inner)


def answering(change: Change, missing: Callable[[str], bool] = lambda _: False) -> Callable[[Route], None]:
    """A handler of Playwright's: the real answer of serving as the other release gives it; 404 where it has no such route."""

    def handle(route: Route) -> None:
        path = route.request.url.partition("?")[0].partition("//")[2].partition("/")[2]
        operation = _operation("/" + path)
        if operation is None or route.request.method != "GET" or path == "events":
            route.continue_()
        elif missing("/" + path):
            problem = {"type": "about:blank", "status": 404, "title": "Not Found", "code": "not_found", "detail": "Not Found"}
            route.fulfill(status=404, content_type="application/problem+json", body=msgspec.json.encode(problem))
        else:
            reply = route.fetch()
            schema = operation["responses"]["200"].get("content", {}).get("application/json", {}).get("schema")
            route.fulfill(response=reply, json=changed(reply.json(), schema, change)) if reply.ok and schema else route.fulfill(
                response=reply
            )

    return handle


def _operation(path: str) -> dict[str, Any] | None:
    """The GET of a path; one that is written out wins over one with a parameter."""
    parts = path.split("/")
    for template in sorted(DOCUMENT["paths"], key=lambda one: "{" in one):
        wanted = template.split("/")
        if len(wanted) == len(parts) and all(a == b or a.startswith("{") for a, b in zip(wanted, parts, strict=True)):
            return DOCUMENT["paths"][template].get("get")
    return None


def _resolved(schema: Schema) -> Schema:
    while "$ref" in schema:
        schema = DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def _of(value: Any, schema: Schema) -> Schema:
    """Of several schemas the one that the value is of."""
    choices = [_resolved(one) for one in schema.get("anyOf", schema.get("oneOf", ()))]
    kind = {dict: "object", list: "array", str: "string"}.get(type(value))
    return next((one for one in choices if one.get("type") == kind), schema)
