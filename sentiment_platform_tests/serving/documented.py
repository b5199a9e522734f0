"""Whether an answer has the form that the OpenAPI document gives for its route, and how a route answers what it must refuse."""

from typing import Any

import jsonschema

from sentiment_platform_tests.serving.running import ServingProcess


def documented_answer(serving: ServingProcess, asked: str, path: str = "") -> dict[str, Any]:
    """The answer to GET `asked`, which is held against the schema of `path` (default: the same without its query)."""
    reply = serving.client.get(asked)
    assert reply.status_code == 200, reply.text
    document = serving.client.get("/schema/openapi.json").json()
    schema = document["paths"][path or asked.partition("?")[0]]["get"]["responses"]["200"]["content"]["application/json"][
        "schema"
    ]
    jsonschema.validate(reply.json(), {**schema, "components": document["components"]})
    return reply.json()


def refuses(serving: ServingProcess, asked: str, status: int, code: str = "invalid_request") -> bool:
    """Whether GET `asked` is a problem document of that status and code."""
    reply = serving.client.get(asked)
    kind = reply.headers["content-type"]
    return (reply.status_code, kind, reply.json()["code"]) == (status, "application/problem+json", code)
