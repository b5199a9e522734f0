"""The headers of answers that the OpenAPI document describes."""

from typing import Any

RETRY_AFTER = {
    "Retry-After": {"description": "Seconds to wait before the next try.", "schema": {"type": "integer", "minimum": 0}}
}
CHALLENGE = {"WWW-Authenticate": {"description": "How to present a key.", "schema": {"type": "string"}}}
HEADERS = {"401": CHALLENGE, "429": RETRY_AFTER, "503": RETRY_AFTER}
RATE_LIMITS = {
    name: {
        "description": f"{what}; draft-ietf-httpapi-ratelimit-headers. Only where limits are set.",
        "schema": {"type": "string"},
    }
    for name, what in (
        ("RateLimit-Policy", "Each limit: tokens at once (`q`), seconds until all of them are back (`w`)"),
        ("RateLimit", "Of each limit: tokens left (`r`), seconds until all are back (`t`)"),
    )
}
REQUEST_ID = {
    "X-Request-ID": {
        "description": "The id of the request: yours where it is plain, else a new one. The log names it.",
        "schema": {"type": "string"},
    }
}
SERVER_TIMING = {
    "Server-Timing": {
        "description": "Parts of the time to answer, in milliseconds: features, cache, queue, inference, explanation (as far as they happened), total.",
        "schema": {"type": "string"},
    }
}
TIMED = "/predict"
"""What the routes that tell it begin with."""


def document_headers(document: dict[str, Any]) -> None:
    """Put into `document` what every answer has, and what predictions have beside it."""
    for path, item in document["paths"].items():
        for operation in item.values():
            for response in operation["responses"].values():
                if "$ref" not in response:
                    response["headers"] = {**response.get("headers", {}), **REQUEST_ID}
        if path == TIMED or path.startswith(f"{TIMED}/"):
            answer = item["post"]["responses"]["200"]
            answer["headers"] = {**answer["headers"], **SERVER_TIMING}
