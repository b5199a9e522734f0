"""A problem as the bytes of a whole HTTP answer, for a connection whose request never reached the application."""

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from serving.contract.problems import MEDIA_TYPE, RETRY_AFTER_S, document
from serving.contract.request_context import choose_request_id, request_id


def bare_problem(status: int, code: str, detail: str) -> bytes:
    """Head and body; it has an id of its own, and says that the connection ends."""
    identity = choose_request_id(None)
    token = request_id.set(identity)
    try:
        body = document(status, code, detail)
    finally:
        request_id.reset(token)
    headers = {
        "content-type": MEDIA_TYPE,
        "content-length": str(len(body)),
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
        "x-request-id": identity,
        "connection": "close",
        **({"retry-after": str(RETRY_AFTER_S)} if status == 503 else {}),
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return STATUS_LINE[status] + head.encode() + b"\r\n" + body
