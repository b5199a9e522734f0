"""What a client reads when its body is refused: every fault at once, by field and item; and what routes check beyond their structs."""

from collections.abc import Callable, Iterator, Mapping, Set
from typing import Any

from litestar import Request, Response
from litestar.exceptions import HTTPException
from msgspec import Struct

from serving.contract.body_faults import body_faults
from serving.contract.feedback_bodies import FeedbackRequest
from serving.contract.prediction_bodies import PredictRequest
from serving.contract.problems import Problem, handle_http, invalid
from serving.contract.request_context import request_body
from serving.edge.strict_request import body_struct
from serving.predict.text_input import readable_text

NOTHING_SAID = "Send at least one of label, preference and utility."


def refused_bodies(max_text_characters: int) -> Callable[[Request[Any, Any, Any], HTTPException], Response[bytes]]:
    """The exception handler of everything that is refused; a body's faults are looked for only where one was."""

    def check(struct: type[Struct], sent: Mapping[str, Any], faulty: Set[str]) -> Iterator[tuple[str, str]]:
        if struct is PredictRequest and "text" in sent and "text" not in faulty:
            try:
                readable_text(sent["text"], max_text_characters)
            except Problem as problem:
                yield "text", problem.detail
        if struct is FeedbackRequest and says_nothing(sent):
            yield "label", NOTHING_SAID

    def handle(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
        wanted = body_struct(request)
        if error.status_code == 400 and not isinstance(error, Problem) and wanted is not None:
            faults = body_faults(request_body.get(), wanted, check)
            if faults:
                return handle_http(request, invalid(faults))
        return handle_http(request, error)

    return handle


def says_nothing(feedback: Mapping[str, Any]) -> bool:
    """Whether a feedback leaves out, or holds null for, all that it may say."""
    return all(feedback.get(name) is None for name in ("label", "preference", "utility"))
