"""The OpenAPI document and its page. The page is one file of ours: it loads nothing from anywhere, so it works offline."""

from collections.abc import Callable
from importlib.resources import files
from typing import Any

import msgspec
from litestar import Litestar, MediaType, Request, Response, Router, get
from litestar.datastructures import State
from litestar.enums import OpenAPIMediaType
from litestar.exceptions import NotFoundException
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig, ResponseSpec
from litestar.openapi.plugins import OpenAPIRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme, Tag
from litestar.response import Redirect
from litestar.types import Method
from litestar.types.internal_types import PathParameterDefinition

from serving.contract.problem_bodies import ProblemDocument
from serving.contract.problems import MEDIA_TYPE
from serving.edge.envelope import REVALIDATED
from serving.edge.openapi_document import openapi_document, openapi_text

MEANINGS = {
    400: "The request does not have the documented form.",
    401: "No valid API key.",
    403: "The key's role may not do this.",
    404: "There is no such thing.",
    408: "The body came too slowly.",
    409: "Something else is in force than the request expects.",
    413: "The body is too large.",
    415: "The body is not JSON.",
    422: "Understood, and not allowed.",
    429: "Too many of these; Retry-After says when to try again.",
    503: "Cannot be done now; Retry-After says when to try again.",
}
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)
ABOUT = (
    "Sentiment of financial news from the deployed models. `price_direction` is a word for the tone of a text, not a forecast of any "
    "price.\n\nNo key is needed but for changes (versions, switches, alerts) and the audit trail, unless this platform answers nobody without "
    "one: send it as `Authorization: Bearer KEY` or `X-API-Key: KEY`. An operator makes one with `sentiment-platform keys create`. A wrong "
    "key is a 401 everywhere.\n\nWhere limits are set, each request costs tokens of its address and its key: `RateLimit-Policy` says how "
    "many there are at once and in how many seconds all come back, `RateLimit` how many are left. An answer of a transformer costs more "
    "than one of rules, and an explained one more than a plain one.\n\nEvery error is a problem document (RFC "
    "9457): `code` is a stable word, `detail` says what to do, `request_id` names the request in the log and stands in the header "
    "`X-Request-ID` of every answer. 429 and 503 come with `Retry-After`, in seconds. Every GET answers HEAD too."
)


def problem_responses(*statuses: int) -> dict[int, ResponseSpec]:
    """The error answers of a route, all problem documents."""
    return {
        status: ResponseSpec(
            ProblemDocument,
            generate_examples=False,
            description=MEANINGS[status],
            media_type=MEDIA_TYPE,  # pyright: ignore[reportArgumentType]
        )
        for status in statuses
    }


class _Rendered(OpenAPIRenderPlugin):
    """Answers with something that is made once of the document."""

    def __init__(self, *, path: str, media_type: MediaType | OpenAPIMediaType, make: Callable[[Litestar], bytes]) -> None:
        super().__init__(path=path, media_type=media_type)
        self._make = make
        self._made: bytes | None = None

    def render(self, request: Request[Any, Any, State], openapi_schema: dict[str, Any]) -> bytes:
        """The same bytes each time: the routes do not change while the process runs."""
        del openapi_schema
        if self._made is None:
            self._made = self._make(request.app)
        return self._made


def _page(app: Litestar) -> bytes:
    # A `</script>` in a description would end the element early.
    document = msgspec.json.encode(openapi_document(app)).replace(b"<", b"\\u003c")
    return _file("openapi_page.html").replace(b"__OPENAPI__", document)


def _file(name: str) -> bytes:
    return (files("serving.edge") / name).read_bytes()


@get("/page.js", media_type="text/javascript", sync_to_thread=False)
def _script() -> bytes:
    return _file("openapi_page.js")


@get("/page.css", media_type="text/css", sync_to_thread=False)
def _style() -> bytes:
    return _file("openapi_page.css")


def _refuse_unknown(response: Response[Any]) -> Response[Any]:
    """Litestar answers an unknown path below the page with HTML; here it is a problem as everywhere."""
    if response.status_code == 404:
        raise NotFoundException
    return response


@get("/docs", include_in_schema=False, sync_to_thread=False)
def to_the_page() -> Redirect:
    """Whoever looks for the API finds its page."""
    return Redirect("/schema", status_code=307)


def _operation_id(_: HTTPRouteHandler, method: Method, path: list[str | PathParameterDefinition]) -> str:
    """Method and path, `post-predict-batch` with underscores: unique as they are."""
    return "_".join([method.lower(), *(part if isinstance(part, str) else part.name for part in path)])


def config(version: str) -> OpenAPIConfig:
    """`/schema` is the page, `/schema/openapi.json` the document."""
    router = Router(
        "/schema",
        route_handlers=[_script, _style],
        include_in_schema=False,
        after_request=_refuse_unknown,
        response_headers={"Content-Security-Policy": PAGE_POLICY, "Cache-Control": REVALIDATED},
    )
    return OpenAPIConfig(
        title="Sentiment Platform",
        version=version,
        description=ABOUT,
        openapi_router=router,
        use_handler_docstrings=True,
        operation_id_creator=_operation_id,
        render_plugins=[
            _Rendered(path="/", media_type=MediaType.HTML, make=_page),
            _Rendered(path="/openapi.json", media_type=OpenAPIMediaType.OPENAPI_JSON, make=openapi_text),
        ],
        tags=[
            Tag("predictions", "What a text says. Start here: `POST /predict` with a text, no key needed."),
            Tag("news", "What the news says, read from the database; 503 while that is away."),
            Tag("feedback", "What people say of an answer; it names the answer by its `prediction_id`."),
            Tag(
                "models",
                "What is live and how good it is. Changing it needs a key of role admin, promoting one of role promoter.",
            ),
            Tag(
                "flags", "Switches that turn a part of the platform off while it runs. Turning one needs a key of role operator."
            ),
            Tag(
                "monitoring",
                "What was seen over time, read from the database; 503 while that is away. Acknowledging an alert needs a key of role operator.",
            ),
            Tag("events", "What happens, as it happens, as server-sent events; they come over Redis."),
            Tag("health", "Whether this process can answer, for probes, load balancers and Prometheus."),
        ],
        components=Components(
            security_schemes={
                "ApiKey": SecurityScheme(type="http", scheme="bearer", description="`Authorization: Bearer KEY`."),
                "ApiKeyHeader": SecurityScheme(type="apiKey", name="X-API-Key", security_scheme_in="header"),
            }
        ),
    )
