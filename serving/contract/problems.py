"""Errors as the client sees them: RFC 9457 problem documents, for every status and from every layer.

Here: the one error that handlers raise, and the exception handlers. The text never holds internals or secrets.
"""

import logging
import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException

from sentiment_platform.errors import ConflictError, TransientError
from serving.contract.problem_bodies import FieldError, ProblemDocument
from serving.contract.request_context import request_id

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 1
RETRY_AFTER_A_PERSON_S = 3600
"""Where nothing changes until somebody changes a setting."""
_MISSING = re.compile(r"Missing required \w+ parameter '(\w+)'")
"""How Litestar says it, in words alone."""
_OF_LITESTAR = {
    400: "bad_request",
    404: "not_found",
    405: "method_not_allowed",
    413: "body_too_large",
    415: "unsupported_media_type",
}
"""Codes of what it refuses before a handler is called."""
logger = logging.getLogger(__name__)


class Problem(HTTPException):
    """Answer with this status; `code` is a stable word, `detail` ends with what to do about it, `field` is the one at fault."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        field: str | None = None,
        errors: Sequence[FieldError] = (),
    ) -> None:
        super().__init__(detail=detail, status_code=status, headers=dict(headers or {}))
        self.code = code
        self.errors = (FieldError(field, None, detail),) if field else tuple(errors)


def unavailable(code: str, detail: str, *, retry_after_s: int = RETRY_AFTER_S) -> Problem:
    """503 with Retry-After."""
    return Problem(503, code, detail, headers={"Retry-After": str(retry_after_s)})


def invalid(errors: Sequence[FieldError]) -> Problem:
    """400 with every fault."""
    return Problem(400, "invalid_request", "The request does not have the documented form; `errors` says where.", errors=errors)


def document(status: int, code: str, detail: str, errors: Sequence[FieldError] = ()) -> bytes:
    """The body of a problem answer."""
    title = HTTPStatus(status).phrase
    return msgspec.json.encode(
        ProblemDocument(status=status, title=title, code=code, detail=detail, request_id=request_id.get(), errors=list(errors))
    )


def _respond(error: HTTPException) -> Response[bytes]:
    if not isinstance(error, Problem) and isinstance(error.extra, list):
        error = invalid([_fault(item) for item in error.extra])
    elif not isinstance(error, Problem) and (missing := _MISSING.match(error.detail)):
        error = invalid([FieldError(missing[1], None, "This parameter is required.")])
    code = error.code if isinstance(error, Problem) else _OF_LITESTAR.get(error.status_code, "refused")
    errors = error.errors if isinstance(error, Problem) else ()
    return Response(
        document(error.status_code, code, error.detail, errors),
        status_code=error.status_code,
        media_type=MEDIA_TYPE,
        headers=error.headers,
    )


def _fault(item: Any) -> FieldError:
    """Of what Litestar says of a parameter."""
    known = item if isinstance(item, dict) else {"message": item}
    name = str(known.get("key") or known.get("source") or "request")
    if known.get("source") == "header":
        # It has the name of the handler's argument.
        name = "-".join(word.capitalize() for word in name.split("_"))
    return FieldError(name, None, str(known.get("message", "")))


def handle_http(_: Request[Any, Any, Any] | None, error: HTTPException) -> Response[bytes]:
    """Whatever Litestar or a handler refuses, unknown routes and methods included."""
    if error.status_code >= 500 and not isinstance(error, Problem):
        logger.error("request %s failed: %s", request_id.get(), error.detail)
        return handle_unexpected(_, error)
    return _respond(error)


def handle_transient(_: Request[Any, Any, Any], error: TransientError) -> Response[bytes]:
    """Something this request needs is away for now."""
    return _respond(unavailable("unavailable", str(error)))


def handle_conflict(_: Request[Any, Any, Any], error: ConflictError) -> Response[bytes]:
    """What the request was decided on is in force no more."""
    return _respond(Problem(409, "conflict", str(error)))


def handle_not_set_up(_: Request[Any, Any, Any], error: TransientError) -> Response[bytes]:
    """Something this request needs was never set up: another try does not help before a person has."""
    return _respond(unavailable("not_set_up", str(error), retry_after_s=RETRY_AFTER_A_PERSON_S))


def handle_unexpected(_: Request[Any, Any, Any] | None, error: Exception) -> Response[bytes]:
    """A defect: logged in full, shown as nothing but its request id."""
    logger.error("request %s failed", request_id.get(), exc_info=error)
    detail = "An unexpected error; the log names it under this request id."
    return Response(document(500, "internal_error", detail), status_code=500, media_type=MEDIA_TYPE)
