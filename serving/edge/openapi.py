"""The OpenAPI document and its page. The page is one file of ours: it loads nothing from anywhere, so it works offline."""

from functools import cache
from importlib.resources import files
from typing import Any

from litestar import Request
from litestar.datastructures import State
from litestar.openapi import OpenAPIConfig, ResponseSpec
from litestar.openapi.plugins import OpenAPIRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme, Tag

from serving.contract.problems import MEDIA_TYPE, ProblemDocument

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
    503: "Cannot be done now; Retry-After says when to try again.",
}
ADMIN = [{"ApiKey": []}]


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


@cache
def _page() -> bytes:
    return (files("serving.edge") / "openapi_page.html").read_bytes()


class OfflinePage(OpenAPIRenderPlugin):
    """Renders the document with our own page."""

    def render(self, request: Request[Any, Any, State], openapi_schema: dict[str, Any]) -> bytes:
        """The page, with the document inside it."""
        # A `</script>` in a description would end the element early.
        schema = self.render_json(request, openapi_schema).replace(b"<", b"\\u003c")
        return _page().replace(b"__OPENAPI__", schema)


def config(version: str) -> OpenAPIConfig:
    """`/schema` is the page, `/schema/openapi.json` the document."""
    return OpenAPIConfig(
        title="Sentiment Platform",
        version=version,
        description="Sentiment of financial news from the deployed models. Errors are RFC 9457 problem documents. "
        "`price_direction` is a word for the tone of a text, not a forecast of any price.",
        path="/schema",
        render_plugins=[OfflinePage(path="/")],
        tags=[
            Tag("predictions", "What a text says."),
            Tag("models", "What is live, how good it is, and changing it."),
            Tag("feedback", "What people say of predictions."),
            Tag("monitoring", "What was seen over time."),
            Tag("health", "Whether this process can answer."),
        ],
        components=Components(security_schemes={"ApiKey": SecurityScheme(type="http", scheme="bearer")}),
    )
