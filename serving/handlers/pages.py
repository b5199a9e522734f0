"""The dashboard in a browser: `/` and `/app/...` are its page; every other file of its build stands at its own path.

No key is asked for: a page is the same for everybody and holds nothing but code. What it shows it asks the API for.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.response import Redirect

from serving.contract.problems import Problem
from serving.dashboard.built_pages import FOREVER, PAGE, BuiltFile
from serving.edge.envelope import REVALIDATED

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
KEPT = "public, max-age=31536000, immutable"
PATHS = ("/", "/app", "/app/{page}", "/assets/{name}")
"""As routes are counted. How fast a file is sent says nothing of the API's times to answer."""
AnyRequest = Request[Any, Any, Any]


def routes(built: Mapping[str, BuiltFile]) -> Sequence[HTTPRouteHandler]:
    """The pages over a build (`read_built`). Without one, `/` leads to the page of the API and `/app/...` says what builds it."""
    page = built.get(PAGE)

    @get("/", include_in_schema=False, sync_to_thread=False)
    def first(request: AnyRequest) -> Response[bytes] | Redirect:
        """Browsers see the dashboard; programs that look for the API find its page."""
        if page is None or "text/html" not in request.headers.get("accept", ""):
            return Redirect("/schema", status_code=307, headers={"Vary": "Accept"})
        return _answer(page, request, REVALIDATED)

    @get(["/app", "/app/{page:path}"], include_in_schema=False, sync_to_thread=False)
    def any_page(request: AnyRequest) -> Response[bytes]:
        """The same page everywhere: it reads its own address."""
        if page is None:
            raise Problem(
                404,
                "dashboard_not_built",
                "The dashboard is not built here. `make dashboard` builds it from a checkout; then start serving again.",
            )
        return _answer(page, request, REVALIDATED)

    @get("/assets/{name:path}", include_in_schema=False, sync_to_thread=False)
    def asset(request: AnyRequest) -> Response[bytes]:
        """A file whose name changes with its content."""
        file = built.get(request.url.path.removeprefix("/"))
        if file is None:
            raise Problem(404, "no_such_file", "This build of the dashboard has no such file; load the page again.")
        return _answer(file, request, KEPT)

    handlers: list[HTTPRouteHandler] = [first, any_page, asset]
    if others := [f"/{name}" for name in built if name != PAGE and not name.startswith(FOREVER)]:

        @get(others, include_in_schema=False, sync_to_thread=False)
        def other(request: AnyRequest) -> Response[bytes]:
            """What a browser looks for under a fixed name, such as the icon."""
            return _answer(built[request.url.path.removeprefix("/")], request, REVALIDATED)

        handlers.append(other)
    return handlers


def _answer(file: BuiltFile, request: AnyRequest, kept: str) -> Response[bytes]:
    headers = {"Cache-Control": kept, "Content-Security-Policy": POLICY, "Vary": "Accept, Accept-Encoding"}
    content = file.content
    if file.compressed is not None and _takes_gzip(request.headers.get("accept-encoding", "")):
        headers["Content-Encoding"] = "gzip"
        content = file.compressed
    return Response(content, media_type=file.media_type, headers=headers)


def _takes_gzip(accepted: str) -> bool:
    for choice in accepted.split(","):
        name, _, weight = choice.partition(";")
        if name.strip().lower() == "gzip":
            return weight.replace(" ", "").strip("0.") != "q="
    return False
