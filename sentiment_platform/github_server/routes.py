"""Which handler answers which request, and who may ask.

Readers may be anonymous, as on a public repository; everything that changes something needs the writing token.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from sentiment_platform.github_server import git_routes, release_routes
from sentiment_platform.github_server.messages import Reply, Request, json_reply
from sentiment_platform.github_server.records import Refused, not_found
from sentiment_platform.github_server.service import Service

Handler = Callable[[Service, Request, re.Match[str]], Reply]
API = "/api/v3"
UPLOADS = "/api/uploads"
#: PyGithub follows redirects on its own host only below `/api/`.
STORAGE = release_routes.STORAGE


@dataclass(frozen=True)
class Route:
    method: str
    pattern: re.Pattern[str]
    handler: Handler


def _user(service: Service, _request: Request, _match: re.Match[str]) -> Reply:
    return json_reply(service.documents.user())


def _repository(service: Service, _request: Request, _match: re.Match[str]) -> Reply:
    return json_reply(service.documents.repository())


def _route(method: str, path: str, handler: Handler) -> Route:
    return Route(method, re.compile(path), handler)


#: Paths inside the repository; the prefix is taken off before.
REPOSITORY_ROUTES = (
    _route("GET", r"", _repository),
    *(_route(method, path, handler) for method, path, handler in release_routes.ROUTES),
    *(_route(method, path, handler) for method, path, handler in git_routes.ROUTES),
)
UPLOAD_ROUTES = (_route("POST", r"/releases/(\d+)/assets", release_routes.upload),)
STORAGE_ROUTE = re.compile(STORAGE + r"/(\d+)/[^/]+")
USER_ROUTE = re.compile(r"/user|/users/[^/]+")


def dispatch(service: Service, request: Request) -> Reply:
    """Answer one request; raises `Refused` for what GitHub answers with a client error."""
    if match := STORAGE_ROUTE.fullmatch(request.path):
        return release_routes.stored_file(service, request, match)
    if match := re.fullmatch(rf"/{re.escape(service.full_name)}/releases/download/(.+)/([^/]+)", request.path):
        return release_routes.browser_download(service, request, match)
    if match := re.fullmatch(rf"/{re.escape(service.full_name)}(?:/releases/tag/(.+))?", request.path):
        return release_routes.release_page(service, match)
    if request.path.startswith(f"{API}/"):
        rest = request.path.removeprefix(API)
        if match := USER_ROUTE.fullmatch(rest):
            return _user(service, request, match)
        return _inside(service, request, rest, REPOSITORY_ROUTES)
    if request.path.startswith(f"{UPLOADS}/"):
        return _inside(service, request, request.path.removeprefix(UPLOADS), UPLOAD_ROUTES)
    raise not_found()


def _inside(service: Service, request: Request, rest: str, routes: tuple[Route, ...]) -> Reply:
    for prefix in (f"/repos/{service.full_name}", f"/repositories/{service.repository_id}"):
        if rest.lower() == prefix.lower() or rest.lower().startswith(f"{prefix}/".lower()):
            rest = rest[len(prefix) :]
            break
    else:
        raise not_found()
    method = "GET" if request.method == "HEAD" else request.method
    for route in routes:
        if route.method == method and (match := route.pattern.fullmatch(rest)):
            if method != "GET" and request.access == "anonymous":
                raise Refused(401, "Requires authentication")
            if method != "GET" and request.access == "read":
                raise Refused(403, "Resource not accessible by personal access token")
            return route.handler(service, request, match)
    raise not_found()
