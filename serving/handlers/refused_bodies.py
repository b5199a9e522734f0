"""What a client reads when its body is refused: every fault at once, by field and item; and what routes check beyond their structs."""

from collections.abc import Callable, Iterator, Mapping, Set
from typing import Any

from litestar import Request, Response
from litestar.exceptions import HTTPException
from msgspec import Struct

from sentiment_platform.clock import Clock
from sentiment_platform.models.families import FAMILIES
from sentiment_platform.text.sentiment import TIE
from serving.contract.body_faults import body_faults
from serving.contract.feedback_bodies import SAYING, FeedbackRequest
from serving.contract.plain_words import plain_words
from serving.contract.prediction_bodies import PredictRequest
from serving.contract.problems import Problem, handle_http, invalid
from serving.contract.request_context import request_body
from serving.edge.envelope import with_head
from serving.edge.strict_request import body_struct
from serving.predict.published_time import published_time
from serving.predict.text_input import known_outlet, readable_symbol, readable_text

NOTHING_SAID = "Send at least one of label, preference and utility."


def refused_bodies(max_text_characters: int, clock: Clock) -> Callable[[Request[Any, Any, Any], HTTPException], Response[bytes]]:
    """The exception handler of everything that is refused; a body's faults are looked for only where one was."""

    readers: dict[str, Callable[[str], object]] = {
        "text": lambda text: readable_text(text, max_text_characters),
        "ticker": lambda ticker: readable_symbol(ticker, "ticker"),
        "source": known_outlet,
        "published_at": lambda at: published_time(at, clock()),
    }

    def check(struct: type[Struct], sent: Mapping[str, Any], faulty: Set[str]) -> Iterator[tuple[str, str]]:
        if struct is PredictRequest:
            for name, read in readers.items():
                if sent.get(name) is None or name in faulty:
                    continue
                try:
                    read(sent[name])
                except Problem as problem:
                    yield name, problem.detail
        if struct is FeedbackRequest and "preference" not in faulty and (message := no_preference(sent.get("preference"))):
            yield "preference", message
        if struct is FeedbackRequest and says_nothing(sent):
            yield "label", NOTHING_SAID

    def handle(request: Request[Any, Any, Any] | None, error: HTTPException) -> Response[bytes]:
        if request is None or isinstance(error, Problem):
            return handle_http(request, error)
        if error.status_code == 404:
            return handle_http(request, no_route(request.scope["path"]))
        if error.status_code == 405:
            return handle_http(request, no_method(error))
        if error.status_code != 400:
            return handle_http(request, error)
        if (wanted := body_struct(request.scope)) is not None:
            faults = body_faults(request_body.get(), wanted, check)
            if faults:
                return handle_http(request, invalid(faults))
        for fault in error.extra if isinstance(error.extra, list) else ():
            word_parameter(request, fault)
        return handle_http(request, error)

    return handle


def no_route(path: str) -> Problem:
    """404 that says where to look."""
    before, _, family = path.rpartition("/")
    if before == "/predict" and family:
        detail = f"There is no family {family[:40]!r}; there are {', '.join(FAMILIES)}. POST /predict takes the deployed default."
        return Problem(404, "unknown_family", detail)
    return Problem(
        404, "not_found", "There is no such route; /schema shows those that there are, /schema/openapi.json lists them."
    )


def no_method(error: HTTPException) -> Problem:
    """405 that says which methods there are."""
    headers = error.headers or {}
    allowed = with_head(headers.get("allow", "").encode()).decode()
    return Problem(405, "method_not_allowed", f"This route takes {allowed}; send one of them.", headers=headers)


def word_parameter(request: Request[Any, Any, Any], fault: Any) -> None:
    """Say in plain words what Litestar found wrong with a parameter."""
    parameter = (
        request.route_handler.parsed_fn_signature.parameters.get(str(fault.get("key"))) if isinstance(fault, dict) else None
    )
    if parameter is not None:
        definition: Any = parameter.kwarg_definition
        meant = getattr(definition, "description", None) or ""
        fault["message"] = plain_words(fault["message"], parameter.annotation, meant)


def no_preference(preference: str | None) -> str:
    """Why it is no preference; empty where it is one, or none is given."""
    if preference is None or preference == TIE or preference in FAMILIES:
        return ""
    return f"There is no family {preference!r}; send one of {', '.join(FAMILIES)}, or {TIE}."


def says_nothing(feedback: Mapping[str, Any]) -> bool:
    """Whether a feedback leaves out, or holds null for, all that it may say."""
    return all(feedback.get(name) is None for name in SAYING)
