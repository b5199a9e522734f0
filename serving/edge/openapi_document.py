"""The OpenAPI document: what Litestar knows of the routes, with schemas that msgspec makes of the contract, because it reads the bodies.

Here: the document as a value. `serving/openapi.json` is a copy of it, which generated clients are made from.
"""

from collections.abc import Iterable, Iterator
from importlib.resources import files
from inspect import cleandoc
from typing import Any

import msgspec
from litestar import Litestar

from sentiment_platform.store.roles import ROLES
from serving.contract.examples import EXAMPLES
from serving.contract.feedback_bodies import SAYING, FeedbackRequest
from serving.contract.prediction_bodies import BatchRequest
from serving.contract.problem_bodies import ProblemDocument
from serving.contract.problems import MEDIA_TYPE
from serving.edge.openapi_headers import HEADERS, RATE_LIMITS, REQUEST_ID, RETRY_AFTER, document_headers
from serving.edge.policy import POLICIES, Policy, Route

REF = "#/components/schemas/{name}"
PROBLEM = {"$ref": "#/components/responses/Problem"}
TOO_MANY = {"$ref": "#/components/responses/TooManyRequests"}
WITH_KEY = [{"ApiKey": []}, {"ApiKeyHeader": []}]
OURS = ("serving.contract.", "sentiment_platform.events")
"""Where the structs of the API stand."""

Json = dict[str, Any]


def openapi_document(app: Litestar) -> Json:
    """The document of `app`: every route with each answer that it can give, the schema of each body, no examples of Litestar's."""
    document: Json = msgspec.json.decode(msgspec.json.encode(app.openapi_schema.to_schema()))
    for route, operation in _routes(document):
        _document_errors(operation["responses"])
        for parameter in operation.get("parameters", ()):
            _tidy_parameter(parameter["schema"])
            if parameter["in"] == "header":
                # What stands for "not sent" is nothing to send.
                parameter["schema"].pop("default", None)
        _document_access(operation, POLICIES[route])
    components: Json = document["components"]
    components["schemas"] = _schemas(document)
    for example in EXAMPLES:
        components["schemas"][type(example).__name__].setdefault("examples", []).append(_given(example))
    texts = _give_examples(components["schemas"])
    for operation in _operations(document):
        for kind, content in operation["responses"]["200" if "200" in operation["responses"] else "202"]["content"].items():
            if kind in texts:
                content["example"] = texts[kind]
        _describe_answers(operation["responses"], components["schemas"])
    document_headers(document)
    content = {MEDIA_TYPE: {"schema": {"$ref": REF.format(name=ProblemDocument.__name__)}}}
    components["responses"] = {
        "Problem": {"description": "Any other error, named by `code`.", "headers": REQUEST_ID, "content": content},
        "TooManyRequests": {
            "description": "More than its address or API key may ask; Retry-After says when to try again.",
            "headers": RETRY_AFTER | RATE_LIMITS,
            "content": content,
        },
    }
    return document


def openapi_text(app: Litestar) -> bytes:
    """The document as it is committed: indented JSON that ends with a newline."""
    return msgspec.json.format(msgspec.json.encode(openapi_document(app)), indent=2) + b"\n"


def _give_examples(schemas: Json) -> dict[str, str]:
    """Recorded answers into the schemas of their structs, read and written as these; returns those that are text, by media type."""
    known = {kind.__name__: kind for kind in _structs()}
    recorded: Json = msgspec.json.decode((files("serving.contract") / "answer_examples.json").read_bytes())
    for name, given in recorded.items():
        if name in schemas:
            schemas[name]["examples"] = [msgspec.json.decode(msgspec.json.encode(msgspec.convert(given, known[name])))]
    return {name: given for name, given in recorded.items() if isinstance(given, str)}


def _routes(document: Json) -> Iterator[tuple[Route, Json]]:
    return (((method.upper(), path), operation) for path, item in document["paths"].items() for method, operation in item.items())


def _operations(document: Json) -> Iterator[Json]:
    return (operation for _, operation in _routes(document))


def _document_access(operation: Json, policy: Policy) -> None:
    """Who may call it, as the table of policies has it."""
    if policy.stays_open:
        return
    operation["security"] = WITH_KEY if policy.role else [{}, *WITH_KEY]
    if policy.role:
        above = "" if policy.role == ROLES[-1] else " or above"
        operation["description"] += f"\n\nNeeds an API key of role {policy.role}{above}."
    if policy.cost or policy.cost_of:
        operation["responses"].setdefault("429", TOO_MANY)


def _document_errors(responses: Json) -> None:
    """Every error but one that the route explains is `default`: a problem, also where Litestar names another form."""
    for status in [status for status in responses if status >= "400"]:
        response = responses[status]
        if status == "400" and MEDIA_TYPE not in response["content"]:
            del responses[status]
        elif status in HEADERS:
            response["headers"] = HEADERS[status]
    responses["default"] = PROBLEM


def _tidy_parameter(schema: Json) -> None:
    """A parameter that may be left out is no null; a bound of a whole number is a whole number."""
    given = [choice for choice in schema.get("oneOf", ()) if choice != {"type": "null"}]
    if len(given) == 1:
        del schema["oneOf"]
        schema |= given[0]
    for bound in ("minimum", "maximum"):
        if schema.get("type") == "integer" and bound in schema:
            schema[bound] = int(schema[bound])


def _given(example: msgspec.Struct) -> Json:
    """A request without what it leaves out; an answer whole."""
    fields = {field.name: field.default for field in msgspec.structs.fields(example)}
    asked = example.__struct_config__.forbid_unknown_fields
    values: Json = msgspec.json.decode(msgspec.json.encode(example))
    if isinstance(example, BatchRequest):
        values["items"] = [_given(item) for item in example.items]
    return {name: value for name, value in values.items() if not asked or value != fields[name]}


def _describe_answers(responses: Json, schemas: Json) -> None:
    for status, response in responses.items():
        # One that may be several things describes itself.
        if status < "300" and len(named := [*_references(response)]) == 1:
            response["description"] = schemas[named[0]]["description"]


def _schemas(document: Json) -> Json:
    """A schema for each struct that a body is made of. What a request may leave out is optional; what an answer always has is required."""
    known = {kind.__name__: kind for kind in _structs()}
    named = {"requestBody": [], "responses": ["ProblemDocument"]}
    for operation in _operations(document):
        for part in named:
            named[part] += [name for name in _references(operation.get(part)) if name not in named[part]]
    answers = _components([known[name] for name in named["responses"]])
    for name, schema in answers.items():
        _require_what_is_always_there(known[name], schema)
    requests = _components([known[name] for name in named["requestBody"]])
    for schema in requests.values():
        for field in schema["properties"].values():
            # Generators of clients take a field with a default for one that is always there.
            field.pop("default", None)
    if feedback := requests.get(FeedbackRequest.__name__):
        # True of one that says nothing, whether it leaves these out or holds null for them.
        feedback["not"] = {"properties": {name: {"type": "null"} for name in SAYING}}
    return requests | answers


def _structs() -> set[type[msgspec.Struct]]:
    """Every struct that a body of the contract may hold."""
    return structs_within([kind for kind in _subclasses(msgspec.Struct) if kind.__module__.startswith(OURS)])


def structs_within(kinds: Iterable[type[msgspec.Struct]]) -> set[type[msgspec.Struct]]:
    """These structs and those that their fields hold, however deep."""
    seen: set[type[msgspec.Struct]] = set()
    waiting: list[Any] = list(msgspec.inspect.multi_type_info(kinds))
    while waiting:
        part = waiting.pop()
        if isinstance(part, msgspec.inspect.StructType):
            if part.cls in seen:
                continue
            seen.add(part.cls)
            waiting += [field.type for field in part.fields]
        # Lists, tuples, maps and unions name what they hold.
        waiting += getattr(part, "types", ())
        waiting += getattr(part, "item_types", ())
        waiting += [getattr(part, name) for name in ("item_type", "value_type", "type") if hasattr(part, name)]
    return seen


def _components(kinds: list[type[msgspec.Struct]]) -> Json:
    _, schemas = msgspec.json.schema_components(kinds, ref_template=REF)
    for schema in schemas.values():
        _tidy(schema)
    return schemas


def _require_what_is_always_there(kind: type[msgspec.Struct], schema: Json) -> None:
    if not kind.__struct_config__.omit_defaults:
        tag = kind.__struct_config__.tag_field
        always = [tag] if tag else []
        schema["required"] = always + [
            field.encode_name for field in msgspec.structs.fields(kind) if field.default is not msgspec.UNSET
        ]
    for field in schema["properties"].values():
        field.pop("default", None)


def _tidy(part: Any) -> None:
    """Descriptions without the indentation of the code; what msgspec leaves to the reader is said: the type of words."""
    if isinstance(part, list):
        for item in part:
            _tidy(item)
    if not isinstance(part, dict):
        return
    for item in part.values():
        _tidy(item)
    if isinstance(description := part.get("description"), str):
        part["description"] = " ".join(cleandoc(description).split("\n")) if "\n\n" not in description else cleandoc(description)
    if "enum" in part and all(isinstance(word, str) for word in part["enum"]):
        part["type"] = "string"
    choices = part.get("anyOf", [])
    if len(choices) == 2 and choices[1] == {"type": "null"} and "description" in choices[0]:
        part["description"] = choices[0].pop("description")


def _references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if part.get("$ref", "").startswith(REF.format(name="")):
            yield part["$ref"].rpartition("/")[2]
        for item in part.values():
            yield from _references(item)
    elif isinstance(part, list):
        for item in part:
            yield from _references(item)


def _subclasses(kind: type[Any]) -> Iterator[type[Any]]:
    for each in kind.__subclasses__():
        yield each
        yield from _subclasses(each)
